//! The life of a remediation, by replay of its entries.
//!
//! ```text
//!            ┌────── not applied ─────┬─────── not applied ─────┐
//!            ▼                        │                         │
//! decision ▶ decided ── intent ──▶ applying ── accepted ──▶ accepted ── proof ──▶ proved
//!            │  ▲                  │    ▲ └ uncertain        │    └ uncertain
//!         refused │ intent       refused └───── intent ──────┘
//!            ▼  │                  ▼
//!          retrying / blocked / failed ── reopened ──▶ decided
//! ```

use super::entry::Event;
use crate::remedy::{Disposition, Rung};
use std::fmt;
use std::str::FromStr;

/// Where a remediation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Decided; nothing tried yet.
    Decided,
    /// The intent is recorded; whether the change took effect is not.
    Applying,
    /// AWS accepted the change; it is not verified yet.
    Accepted,
    /// Verified, this far.
    Proved(Rung),
    /// Refused; tried again at the next poll.
    Retrying,
    /// Refused; a person must change something.
    Blocked,
    /// Refused for good.
    Failed,
}

/// A step that cannot follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("remediation {remediation}: {kind} cannot follow {}", from.map_or("nothing".to_owned(), |s| s.to_string()))]
pub struct Illegal {
    /// The remediation.
    pub remediation: String,
    /// Its state, if it exists.
    pub from: Option<State>,
    /// The kind of entry.
    pub kind: &'static str,
}

impl State {
    /// The state after `event`; `None` when the event does not touch the state.
    ///
    /// # Errors
    /// When `event` cannot follow `from`.
    pub fn after(from: Option<Self>, event: &Event, remediation: &str) -> Result<Option<Self>, Illegal> {
        use State::{Accepted, Applying, Blocked, Decided, Failed, Proved, Retrying};
        let next = match (from, event) {
            (_, Event::Call(_)) => return Ok(None),
            (None, Event::Decision { .. })
            | (Some(Applying | Accepted), Event::NotApplied { .. })
            | (Some(Failed), Event::Reopened { .. }) => Decided,
            (Some(Decided | Retrying | Blocked | Accepted), Event::Intent { .. })
            | (Some(Applying), Event::Uncertain { .. }) => Applying,
            (Some(Applying), Event::Accepted { .. }) | (Some(Accepted), Event::Uncertain { .. }) => Accepted,
            (Some(Decided | Retrying | Blocked | Applying | Accepted), Event::Refused(refused)) => {
                match refused.disposition {
                    Disposition::Retry => Retrying,
                    Disposition::Blocked => Blocked,
                    Disposition::Final => Failed,
                }
            }
            (Some(Accepted), Event::Proof(proof)) => Proved(proof.rung),
            (from, event) => {
                return Err(Illegal { remediation: remediation.to_owned(), from, kind: event.kind() });
            }
        };
        Ok(Some(next))
    }

    /// There is still something to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Proved(_) | Self::Failed)
    }

    /// The deny was seen on the role.
    #[must_use]
    pub fn is_in_place(self) -> bool {
        matches!(self, Self::Proved(_))
    }

    /// Its cutoff is chosen, and not yet seen in force.
    #[must_use]
    pub fn has_fixed_cutoff(self) -> bool {
        matches!(self, Self::Applying | Self::Accepted)
    }

    /// Its cutoff is yet to be chosen.
    #[must_use]
    pub fn is_to_begin(self) -> bool {
        matches!(self, Self::Decided | Self::Retrying | Self::Blocked)
    }

    /// Every state.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(state, _)| *state)
    }
}

const NAMES: [(State, &str); 8] = [
    (State::Decided, "decided"),
    (State::Applying, "applying"),
    (State::Accepted, "accepted"),
    (State::Proved(Rung::Present), "present"),
    (State::Proved(Rung::Simulated), "simulated"),
    (State::Retrying, "retrying"),
    (State::Blocked, "blocked"),
    (State::Failed, "failed"),
];

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(state, _)| state == self).map_or("", |(_, name)| name);
        f.pad(name)
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(state, _)| *state)
            .ok_or_else(|| format!("unknown state {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Refused;
    use crate::remedy::Proof;

    fn refused(disposition: Disposition) -> Event {
        let text = String::new;
        Event::Refused(Refused { code: text(), reason: text(), what_to_do: text(), disposition })
    }

    fn proof(rung: Rung) -> Event {
        Event::Proof(Proof { rung, old_token: None, new_token: None, note: None })
    }

    #[test]
    fn an_outcome_needs_an_intent() {
        let accepted = Event::Accepted { found_in_place: false };
        for from in
            [None, Some(State::Decided), Some(State::Blocked), Some(State::Accepted), Some(State::Failed)]
        {
            assert!(State::after(from, &accepted, "r").is_err(), "{from:?}");
        }
        assert_eq!(State::after(Some(State::Applying), &accepted, "r"), Ok(Some(State::Accepted)));
    }

    #[test]
    fn the_end_is_the_end() {
        for from in [State::Failed, State::Proved(Rung::Simulated)] {
            for event in [
                refused(Disposition::Retry),
                proof(Rung::Simulated),
                Event::NotApplied { found: String::new() },
            ] {
                assert!(State::after(Some(from), &event, "r").is_err(), "{from:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_blocked_remediation_can_be_tried_again() {
        let blocked = State::after(Some(State::Decided), &refused(Disposition::Blocked), "r");
        assert_eq!(blocked, Ok(Some(State::Blocked)));
        let again = State::after(Some(State::Blocked), &refused(Disposition::Retry), "r");
        assert_eq!(again, Ok(Some(State::Retrying)));
    }

    #[test]
    fn names_read_back() {
        for (state, _) in NAMES {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
    }
}
