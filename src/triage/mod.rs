//! Triage: what is done about a finding, and why. Pure: no I/O, no clock.
//!
//! [`decide`] makes the checks in order. What they ask is beside it: the configuration ([`Policy`]), its
//! rules ([`RuleIndex`]) and opt-outs ([`OptOutIndex`]), and what was begun of late ([`Spending`]). The
//! answer is a [`Verdict`] that cannot be without a reason.

mod chain;
mod decide;
mod earlier;
mod facts;
mod instructions;
mod opt_outs;
mod policy;
mod reason;
mod rules;
mod spending;
mod types;
mod verdict;
mod whom;

pub use decide::{decide, mode_of_tag};
pub use facts::{Facts, Placed, Stage};
pub use opt_outs::{Applies, Case, OptOutIndex, PlacementNeeded, most_cautious};
pub use policy::Policy;
pub use reason::{
    Beyond, HoldReason, NO_ROOM, ObserveReason, SkipReason, Source, UNPLACED, WORLD_CHANGED, is_for_approval,
};
pub use rules::{RuleIndex, Ruling};
pub use spending::{Spending, Tripped, WINDOW};
pub use types::Types;
pub use verdict::{Decision, Verdict};

#[cfg(test)]
mod tests;
