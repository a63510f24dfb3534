//! The life of a remediation, by replay of its entries.
//!
//! ```text
//!      ┌──── returned ───────┐
//!      ▼                     │   ┌────── not applied ─────┬─────── not applied ─────┐
//!    held ── approved ──┐    │   ▼                        │                         │
//!      │ └ proposed     ├▶ decided ── intent ──▶ applying ── accepted ──▶ accepted ── proof ──▶ proved
//!  rejected             │    │  ▲                  │    ▲ └ uncertain        │    └ uncertain
//!      ▼                │ refused │ intent       refused └───── intent ──────┘
//!  rejected  decision ──┘    ▼  │                  ▼
//!      └── reopened ──▶ held retrying / blocked / failed ── reopened ──▶ decided
//!
//!    proved ── drift ──▶ lost ── intent ──▶ applying …        (it is put back)
//!    proved, lost, expired, retired ── release asked ──▶ releasing ── undone ──▶ released
//!                                               └ undoing, uncertain ── not released ──▶ lost
//!    proved, lost ── expired ──▶ expired ── undoing ──▶ retiring ── undone ──▶ retired
//! ```
//!
//! A decision leads to `held` or to `decided`. What was refused can be returned, too. What is held
//! or to begin is superseded when another remediation has revoked the same sessions. A proof of a higher
//! rung may follow. A release can also be asked for of one that was begun and stopped halfway: retrying,
//! blocked, failed, held or rejected; when it is not released it is that again, or else lost. What is held and out of reach ends when a person has done it by hand.

use super::{Disposition, Event, Rung};
use std::fmt;
use std::str::FromStr;

/// Where a remediation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A person is asked first.
    Held,
    /// A person said no, or nobody answered.
    Rejected,
    /// A person has done it by hand.
    ByHand,
    /// The deny was in place, and is not any more: it is put back.
    Lost,
    /// A person asked for its release.
    Releasing,
    /// It was taken back because a person asked for it.
    Released,
    /// No token that it denies can be alive any more.
    Expired,
    /// It is being taken away because nothing needs it any more.
    Retiring,
    /// It was taken away because nothing needed it any more.
    Retired,
    /// Another remediation has revoked these sessions meanwhile.
    Superseded,
    /// Decided; nothing tried yet.
    Decided,
    /// The intent is recorded; whether the change took effect is not.
    Applying,
    /// AWS accepted the change; it is not verified yet.
    Accepted,
    /// Verified, this far.
    Proved(Rung),
    /// Refused; tried again by itself.
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
        use State::{
            Accepted, Applying, Blocked, ByHand, Decided, Expired, Failed, Held, Lost, Proved, Rejected,
            Released, Releasing, Retired, Retiring, Retrying, Superseded,
        };
        let next = match (from, event) {
            (_, Event::Call(_) | Event::Alert { .. } | Event::Impact(_)) => return Ok(None),
            (None, Event::Decision { verdict, .. }) if verdict == "hold" => Held,
            (Some(Held), Event::Proposed { .. })
            | (Some(Decided | Retrying | Blocked | Lost), Event::Returned { .. })
            | (Some(Rejected), Event::Reopened { .. }) => Held,
            (Some(Held), Event::Rejected(_)) => Rejected,
            (Some(Held | Decided | Retrying | Blocked), Event::Superseded { .. }) => Superseded,
            (None, Event::Decision { .. })
            | (Some(Held | Rejected | Superseded), Event::Approved(_))
            | (Some(Held), Event::Cleared { .. })
            | (Some(Applying | Accepted), Event::NotApplied { .. })
            | (Some(Failed), Event::Reopened { .. }) => Decided,
            (Some(Decided | Retrying | Blocked | Accepted | Lost), Event::Intent { .. })
            | (Some(Applying), Event::Uncertain { .. }) => Applying,
            (Some(Applying), Event::Accepted { .. }) | (Some(Accepted), Event::Uncertain { .. }) => Accepted,
            (Some(Decided | Retrying | Blocked | Applying | Accepted | Lost), Event::Refused(refused)) => {
                match refused.disposition {
                    Disposition::Retry => Retrying,
                    Disposition::Blocked => Blocked,
                    Disposition::Final => Failed,
                }
            }
            (Some(Accepted), Event::Proof(proof)) => Proved(proof.rung),
            (Some(Proved(before)), Event::Proof(proof)) if proof.rung > before => Proved(proof.rung),
            // What is there is not what was written: so it is not in place.
            (Some(Releasing), Event::NotReleased { was, .. }) => match was.parse() {
                Ok(Proved(_)) | Err(_) => Lost,
                Ok(was) => was,
            },
            (Some(Proved(_)), Event::Drift { .. }) => Lost,
            (Some(Proved(_) | Lost), Event::Expired { .. }) | (Some(Expired), Event::Uncertain { .. }) => {
                Expired
            }
            (
                Some(Proved(_) | Lost | Expired | Retired | Retrying | Blocked | Failed | Held | Rejected),
                Event::ReleaseAsked(_),
            )
            | (Some(Releasing), Event::Undoing { .. } | Event::Uncertain { .. }) => Releasing,
            (Some(Releasing), Event::Undone { .. }) => Released,
            (Some(Expired | Retiring), Event::Undoing { .. }) | (Some(Retiring), Event::Uncertain { .. }) => {
                Retiring
            }
            (Some(Expired | Retiring), Event::Undone { .. }) => Retired,
            (Some(Held | Rejected), Event::DoneByHand(_)) => ByHand,
            (from, event) => {
                return Err(Illegal { remediation: remediation.to_owned(), from, kind: event.kind() });
            }
        };
        Ok(Some(next))
    }

    /// There is still something to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(
            self,
            Self::Proved(_)
                | Self::Failed
                | Self::Rejected
                | Self::Superseded
                | Self::ByHand
                | Self::Released
                | Self::Expired
                | Self::Retired
        )
    }

    /// The deny was seen on the principal, and is needed.
    #[must_use]
    pub fn is_in_place(self) -> bool {
        matches!(self, Self::Proved(_))
    }

    /// What is from before its cutoff is revoked, or dead anyway.
    #[must_use]
    pub fn has_revoked(self) -> bool {
        matches!(self, Self::Proved(_) | Self::Expired | Self::Retiring | Self::Retired)
    }

    /// What it wrote is, or may be, still there.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(
            self,
            Self::Proved(_)
                | Self::Applying
                | Self::Accepted
                | Self::Lost
                | Self::Releasing
                | Self::Expired
                | Self::Retiring
        )
    }

    /// What was begun is brought to an end before anything else is decided about the principal.
    #[must_use]
    pub fn is_half_done(self) -> bool {
        self.has_fixed_cutoff() || matches!(self, Self::Lost | Self::Releasing | Self::Retiring)
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

const NAMES: [(State, &str); 19] = [
    (State::Superseded, "superseded"),
    (State::Held, "held"),
    (State::Rejected, "rejected"),
    (State::Decided, "decided"),
    (State::Applying, "applying"),
    (State::Accepted, "accepted"),
    (State::Proved(Rung::Present), "present"),
    (State::Proved(Rung::Simulated), "simulated"),
    (State::Proved(Rung::Enforced), "enforced"),
    (State::ByHand, "by_hand"),
    (State::Lost, "lost"),
    (State::Releasing, "releasing"),
    (State::Released, "released"),
    (State::Expired, "expired"),
    (State::Retiring, "retiring"),
    (State::Retired, "retired"),
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
    use crate::remediation::{Answer, Change, Cutoff, Proof, Refused};

    fn refused(disposition: Disposition) -> Event {
        let text = String::new;
        Event::Refused(Refused { code: text(), reason: text(), what_to_do: text(), disposition })
    }

    fn proof(rung: Rung) -> Event {
        Event::Proof(Proof::new(rung, None, jiff::Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn an_outcome_needs_an_intent() {
        let accepted = Event::Accepted { found_in_place: false, aws_time: None };
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
    fn what_is_held_begins_only_when_it_is_approved() {
        let answer = || Answer {
            by: "a".to_owned(),
            reason: "r".to_owned(),
            os_user: "u".to_owned(),
            aws_identity: None,
            judged: None,
        };
        let change = || Change {
            name: "web".to_owned(),
            arn: String::new(),
            id: "AROAEXAMPLEEXAMPLE00".to_owned(),
            session: None,
            key: None,
            policy_name: String::new(),
            before: None,
            after: String::new(),
            cutoff: Cutoff::at(jiff::Timestamp::UNIX_EPOCH),
            note: None,
        };
        let after = |from, event: Event| State::after(Some(from), &event, "r");
        assert!(after(State::Held, Event::Intent { change: change() }).is_err());
        assert_eq!(after(State::Held, Event::Approved(answer())), Ok(Some(State::Decided)));
        assert_eq!(after(State::Held, Event::Rejected(answer())), Ok(Some(State::Rejected)));
        for state in [State::Decided, State::Applying, State::Proved(Rung::Present)] {
            assert!(after(state, Event::Approved(answer())).is_err(), "{state}");
        }
        let returned = || Event::Returned { code: String::new(), reason: String::new() };
        assert_eq!(after(State::Decided, returned()), Ok(Some(State::Held)));
        assert!(after(State::Applying, returned()).is_err());
        // Who rejected can think better of it.
        assert_eq!(after(State::Rejected, Event::Approved(answer())), Ok(Some(State::Decided)));
        let superseded = || Event::Superseded { by: String::new() };
        assert_eq!(after(State::Held, superseded()), Ok(Some(State::Superseded)));
        assert!(after(State::Accepted, superseded()).is_err());
        assert_eq!(after(State::Superseded, Event::Approved(answer())), Ok(Some(State::Decided)));
    }

    #[test]
    fn names_read_back() {
        for (state, _) in NAMES {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
    }
}
