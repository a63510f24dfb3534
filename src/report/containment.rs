//! How far the theft behind a remediation is contained, by its state and what was raised about it.

use crate::remediation::{AlertCode, AlertRaised, NOBODY, Recorded, Remediation, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// How far the theft behind a remediation is contained, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Containment {
    /// Nothing that was stolen can be alive any more.
    Over,
    /// The deny was seen in place; another remediation has revoked the same sessions; or a person has done it by hand.
    Contained,
    /// Nothing denies it, because a person decided so: it was rejected or released.
    LeftOpen,
    /// rescind is at it: the deny was not seen in place yet, or is being taken away.
    UnderWay,
    /// A person was asked and nobody answered in time: nothing denies it.
    Unanswered,
    /// A person must answer, or do something.
    NeedsPerson,
}

impl Containment {
    /// Every value, the best first.
    pub const ALL: [Self; 6] =
        [Self::Over, Self::Contained, Self::LeftOpen, Self::UnderWay, Self::Unanswered, Self::NeedsPerson];

    /// Of a remediation. `raised` is the alert that nobody has seen to, as [`raised`] finds it; `known` is the time of
    /// the ledger's last entry.
    pub(super) fn of(view: &Remediation, raised: bool, known: Timestamp) -> Self {
        let is_dead = view.impact.as_ref().is_some_and(|impact| impact.surely_dead <= known);
        match view.state {
            State::Held
            | State::Blocked
            | State::Failed
            | State::Lost
            | State::Contested
            | State::Unverified => Self::NeedsPerson,
            _ if raised => Self::NeedsPerson,
            State::Revoked | State::Superseded | State::DoneByHand => Self::Contained,
            State::Queued
            | State::Approved
            | State::Revoking
            | State::Verifying
            | State::Retrying
            | State::Releasing => Self::UnderWay,
            State::Expired | State::Retiring | State::Retired => Self::Over,
            State::Released if is_dead => Self::Over,
            State::Rejected if view.answer.as_ref().is_none_or(|given| given.answer.by == NOBODY) => {
                Self::Unanswered
            }
            State::Rejected | State::Released => Self::LeftOpen,
        }
    }

    /// The name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Contained => "contained",
            Self::LeftOpen => "left_open",
            Self::UnderWay => "under_way",
            Self::Unanswered => "unanswered",
            Self::NeedsPerson => "needs_person",
        }
    }

    /// No session of the theft can do anything.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Over | Self::Contained)
    }

    /// Somebody must look at it.
    #[must_use]
    pub fn needs_attention(self) -> bool {
        matches!(self, Self::Unanswered | Self::NeedsPerson)
    }
}

/// The latest alert that says that a theft is not contained, where nobody has seen to it and nothing that came later
/// settles it: an answer, or a rung of the proof.
pub(super) fn raised<'a>(view: &'a Remediation, seen_to: &[i64]) -> Option<&'a Recorded<AlertRaised>> {
    let is_open = |one: &&Recorded<AlertRaised>| {
        let is_about_it = match view.state {
            State::Revoked => one.what.code == AlertCode::StillWorks,
            State::Queued
            | State::Approved
            | State::Revoking
            | State::Verifying
            | State::Retrying
            | State::Releasing => matches!(
                one.what.code,
                AlertCode::NotRevoked
                    | AlertCode::StillWorks
                    | AlertCode::DenyNotKept
                    | AlertCode::IamUnchangeable
            ),
            _ => false,
        };
        is_about_it && !seen_to.contains(&one.entry)
    };
    let proved = view.proofs.iter().map(|proof| proof.at);
    let answered = view.answer.iter().map(|given| given.at);
    let settled = proved.chain(answered).max();
    view.history.alerts.iter().rev().find(is_open).filter(|one| settled.is_none_or(|at| one.at >= at))
}
