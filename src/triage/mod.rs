//! Triage: what is done about a finding, and why. Pure: no I/O, no clock.
//!
//! [`decide()`] makes the checks in order. What they ask is beside it: the configuration ([`Policy`]), its
//! rules ([`RuleIndex`]) and opt-outs ([`OptOutIndex`]), and what was begun of late ([`BudgetUsage`]). The
//! answer is a [`Verdict`] that cannot be without a reason.

mod budget_usage;
mod context;
mod decide;
mod earlier;
mod instructions;
mod opt_outs;
mod policy;
mod reason;
mod remedy_target;
mod rules;
mod trace;
mod types;
mod verdict;

pub use budget_usage::{BudgetExceeded, BudgetUsage, WINDOW};
pub use context::{DecisionContext, Stage};
pub use decide::{decide, mode_of_tag};
pub use opt_outs::{Applies, Case, OptOutIndex, PlacementNeeded, most_cautious};
pub use policy::Policy;
pub use reason::{HoldReason, ObserveReason, SkipReason, Source, Unsupported};
pub use rules::{RuleIndex, Ruling};
pub use types::Types;
pub use verdict::{Decision, Undecided, Verdict};

#[cfg(test)]
mod tests;
