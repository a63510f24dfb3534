//! The lifecycle of a remediation, by replay of its entries: which step may follow which.
//!
//! ```text
//!      ┌────── reheld ────────┐
//!      ▼                      │  ┌────── not applied ──────┬──────── not applied ──────┐
//!    held ── approved ──▶ approved                         │                           │
//!      │ └ proposed           │  ▼                         │                           │
//!  rejected  decision ──▶ queued ── intent ──▶ revoking ── accepted ──▶ verifying ── proof ──▶ revoked
//!      ▼                refused │ ▲ intent          │    ▲ └ uncertain        │    └ uncertain
//!  rejected                     ▼ │              refused └────── intent ──────┘
//!      └── reopened ──▶ held  retrying / blocked / failed ── reopened ──▶ queued
//!
//!    revoked ── drift ──▶ lost ── intent ──▶ revoking …        (it is put back)
//!    lost, queued, revoked ── contested ──▶ contested ── intent ──▶ revoking …
//!                                               └ drift ──▶ lost    └ settled ──▶ revoked
//!    revoked, lost, expired, retired ── release asked ──▶ releasing ── undone ──▶ released
//!                                               └ undoing, uncertain ── not released ──▶ lost
//!    revoked, lost ── expired ──▶ expired ── undoing ──▶ retiring ── undone ──▶ retired
//! ```
//!
//! A decision leads to `held` or to `queued`. `approval given`, where others must approve as well,
//! leaves it held, or what it was. `approved` goes on as `queued` does: it is reheld, refused,
//! superseded or begun. What was refused can be reheld, too. What is held or to begin is superseded when
//! another remediation has revoked the same sessions. A proof that the policy simulator contradicts leads to
//! `unverified`, which goes on as `revoked` does; a proof of a higher rung may follow either. A release can
//! also be asked for of one that was begun and stopped halfway: retrying, blocked, failed, held or rejected;
//! when it is not released it is that again, or else lost. While it is releasing, more can be asked for. What is
//! held and out of reach, or has failed, ends when a person has done it by hand. A deny that is taken away again and again is
//! `contested`, in place or not, until it has stayed for a while; it goes on as `lost` and `revoked` do.

use super::{Disposition, Event, Rung, State, VerdictName};

/// Where a remediation stands, and how far its deny is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The state that the latest step led to.
    pub state: State,
    /// The highest rung that was reached since the change was begun last. What is lost or was taken away is not proved.
    pub proof: Option<Rung>,
}

/// A step that cannot follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("remediation {remediation}: {kind} cannot follow {}", from.map_or("nothing".to_owned(), |s| s.to_string()))]
pub struct Illegal {
    /// Id of the remediation.
    pub remediation: String,
    /// Its state, if it exists.
    pub from: Option<State>,
    /// The kind of entry.
    pub kind: &'static str,
}

impl Standing {
    /// Where it stands after `event`; `None` when the event does not touch that.
    ///
    /// # Errors
    /// When `event` cannot follow `from`. A proof must be of a higher rung than the one before it.
    pub fn after(from: Option<Self>, event: &Event, remediation: &str) -> Result<Option<Self>, Illegal> {
        let before = from.map(|standing| standing.state);
        let Some(state) = State::after(before, event, remediation)? else { return Ok(None) };
        let proved = from.and_then(|standing| standing.proof);
        let proof = match event {
            Event::Proof(proof) if Some(proof.rung) > proved => Some(proof.rung),
            Event::Proof(_) => {
                let remediation = remediation.to_owned();
                return Err(Illegal { remediation, from: before, kind: event.kind() });
            }
            Event::Intent { .. } | Event::Undone { .. } => None,
            _ if state == State::Lost => None,
            _ => proved,
        };
        Ok(Some(Self { state, proof }))
    }
}

impl Event {
    /// It can change where a remediation stands, and so can be illegal; most entries, the AWS calls, cannot.
    #[must_use]
    pub fn is_step(&self) -> bool {
        !matches!(
            self,
            Self::Call(_)
                | Self::Alert { .. }
                | Self::Impact(_)
                | Self::Trace(_)
                | Self::PursuitAsked(_)
                | Self::DoorsClosed(_)
                | Self::AlertAcknowledged { .. }
                | Self::LoggedIn(_)
                | Self::RequestRefused(_)
                | Self::Quarantining { .. }
                | Self::Quarantined { .. }
                | Self::NotQuarantined { .. }
                | Self::Lifting { .. }
                | Self::Lifted { .. }
                | Self::WritingBack(_)
                | Self::WrittenBack(_)
                | Self::Ticket(_)
        )
    }
}

impl State {
    /// The state after `event`; `None` when the event does not touch the state.
    ///
    /// # Errors
    /// When `event` cannot follow `from`.
    pub fn after(from: Option<Self>, event: &Event, remediation: &str) -> Result<Option<Self>, Illegal> {
        use State::{
            Approved, Blocked, Contested, DoneByHand, Expired, Failed, Held, Lost, Queued, Rejected,
            Released, Releasing, Retired, Retiring, Retrying, Revoked, Revoking, Superseded, Unverified,
            Verifying,
        };
        let next = match (from, event) {
            (_, event) if !event.is_step() => return Ok(None),
            (None, Event::Decision { verdict: VerdictName::Hold, .. })
            | (Some(Held), Event::Proposed { .. } | Event::ApprovalGiven(_))
            | (Some(Queued | Approved | Retrying | Blocked | Lost | Contested), Event::Reheld { .. })
            | (Some(Rejected), Event::Reopened { .. }) => Held,
            (Some(Held), Event::Rejected(_)) | (Some(Rejected), Event::ApprovalGiven(_)) => Rejected,
            (Some(Held | Queued | Approved | Retrying | Blocked | Contested), Event::Superseded { .. })
            | (Some(Superseded), Event::ApprovalGiven(_)) => Superseded,
            (Some(Held | Rejected | Superseded), Event::Approved(_)) => Approved,
            (None, Event::Decision { .. })
            | (Some(Held), Event::Cleared { .. })
            | (Some(Revoking | Verifying), Event::NotApplied { .. })
            | (Some(Failed), Event::Reopened { .. }) => Queued,
            (
                Some(Queued | Approved | Retrying | Blocked | Verifying | Lost | Contested),
                Event::Intent { .. },
            )
            | (Some(Revoking), Event::Uncertain { .. }) => Revoking,
            (Some(Revoking), Event::Accepted { .. }) | (Some(Verifying), Event::Uncertain { .. }) => {
                Verifying
            }
            (
                Some(Queued | Approved | Retrying | Blocked | Revoking | Verifying | Lost | Contested),
                Event::Refused(refused),
            ) => match refused.disposition {
                Disposition::Retry => Retrying,
                Disposition::Blocked => Blocked,
                Disposition::Final => Failed,
            },
            (Some(Verifying | Revoked | Unverified), Event::Proof(proof)) => {
                if proof.is_contradicted() {
                    Unverified
                } else {
                    Revoked
                }
            }
            (Some(Contested), Event::Proof(_))
            | (Some(Queued | Lost | Revoked | Unverified), Event::Contested { .. }) => Contested,
            (Some(Contested), Event::Settled { .. }) => Revoked,
            (Some(Releasing), Event::NotReleased { was, .. }) => was.after_release_in_vain(),
            (Some(Revoked | Unverified | Contested), Event::Drift { .. }) => Lost,
            (Some(Revoked | Unverified | Lost | Contested), Event::Expired { .. })
            | (Some(Expired), Event::Uncertain { .. }) => Expired,
            (
                Some(
                    Revoked | Unverified | Lost | Contested | Expired | Retired | Retrying | Blocked | Failed
                    | Held | Rejected | Releasing,
                ),
                Event::ReleaseAsked(_),
            )
            | (Some(Releasing), Event::Undoing { .. } | Event::Uncertain { .. }) => Releasing,
            (Some(Releasing), Event::Undone { .. }) => Released,
            (Some(Expired | Retiring), Event::Undoing { .. }) | (Some(Retiring), Event::Uncertain { .. }) => {
                Retiring
            }
            (Some(Expired | Retiring), Event::Undone { .. }) => Retired,
            (Some(Held | Rejected | Failed), Event::DoneByHand(_)) => DoneByHand,
            (from, event) => {
                return Err(Illegal { remediation: remediation.to_owned(), from, kind: event.kind() });
            }
        };
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::{
        Answer, Change, Cutoff, Proof, ReasonCode, RefusalCode, Refused, RefusedBy, SimulatedDecision,
    };

    fn refused(disposition: Disposition) -> Event {
        let text = String::new;
        Event::Refused(Refused {
            code: RefusedBy::Remedy(RefusalCode::Rejected),
            reason: text(),
            what_to_do: text(),
            disposition,
        })
    }

    fn proof(rung: Rung) -> Event {
        Event::Proof(Proof::new(rung, None, jiff::Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn an_outcome_needs_an_intent() {
        let accepted = Event::Accepted { found_in_place: false, aws_time: None };
        for from in
            [None, Some(State::Queued), Some(State::Blocked), Some(State::Verifying), Some(State::Failed)]
        {
            assert!(State::after(from, &accepted, "r").is_err(), "{from:?}");
        }
        assert_eq!(State::after(Some(State::Revoking), &accepted, "r"), Ok(Some(State::Verifying)));
    }

    #[test]
    fn the_end_is_the_end() {
        for state in [State::Failed, State::Revoked] {
            let from = Some(Standing { state, proof: Some(Rung::Simulated) });
            for event in [
                refused(Disposition::Retry),
                proof(Rung::Simulated),
                Event::NotApplied { found: String::new() },
            ] {
                assert!(Standing::after(from, &event, "r").is_err(), "{from:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_proof_only_climbs_and_is_gone_with_the_deny() {
        let standing = |state, proof| Some(Standing { state, proof });
        let after = |from, event: Event| Standing::after(from, &event, "r");
        let verifying = standing(State::Verifying, None);
        let present = standing(State::Revoked, Some(Rung::Present));
        let enforced = standing(State::Revoked, Some(Rung::Enforced));
        assert_eq!(after(verifying, proof(Rung::Present)), Ok(present));
        assert_eq!(after(present, proof(Rung::Enforced)), Ok(enforced));
        for rung in [Rung::Present, Rung::Simulated, Rung::Enforced] {
            assert!(after(enforced, proof(rung)).is_err(), "{rung}");
        }
        let drift = Event::Drift { what: String::new(), found: None, seen_in_place: None };
        assert_eq!(after(enforced, drift), Ok(standing(State::Lost, None)));
        let undone = || Event::Undone { found_in_place: false, aws_time: None, note: None };
        for (from, then) in [(State::Releasing, State::Released), (State::Retiring, State::Retired)] {
            assert_eq!(after(standing(from, Some(Rung::Enforced)), undone()), Ok(standing(then, None)));
        }
        let expired = Event::Expired { reason: String::new() };
        assert_eq!(after(enforced, expired), Ok(standing(State::Expired, Some(Rung::Enforced))));
        for (was, then) in
            [(State::Revoked, State::Lost), (State::Lost, State::Lost), (State::Retired, State::Retired)]
        {
            let not_released = Event::NotReleased { why: String::new(), was };
            let proof = (then != State::Lost).then_some(Rung::Enforced);
            let releasing = standing(State::Releasing, Some(Rung::Enforced));
            assert_eq!(after(releasing, not_released), Ok(standing(then, proof)));
        }
    }

    #[test]
    fn what_is_contested_is_not_called_revoked_until_it_settles() {
        let standing = |state, proof| Some(Standing { state, proof });
        let after = |from, event: Event| Standing::after(from, &event, "r");
        let contested = || Event::Contested { removals: 2, since: jiff::Timestamp::UNIX_EPOCH };
        let settled = || Event::Settled { seconds: 120 };
        let drift = || Event::Drift { what: String::new(), found: None, seen_in_place: None };
        let fought = standing(State::Contested, None);
        for from in [State::Lost, State::Queued] {
            assert_eq!(after(standing(from, None), contested()), Ok(fought), "{from}");
        }
        let proved = standing(State::Contested, Some(Rung::Simulated));
        assert_eq!(after(standing(State::Revoked, Some(Rung::Simulated)), contested()), Ok(proved));
        let enforced = standing(State::Contested, Some(Rung::Enforced));
        assert_eq!(after(proved, proof(Rung::Enforced)), Ok(enforced));
        assert_eq!(after(proved, drift()), Ok(standing(State::Lost, None)));
        assert_eq!(after(proved, settled()), Ok(standing(State::Revoked, Some(Rung::Simulated))));
        for from in [State::Held, State::Revoking, State::Verifying, State::Failed, State::Released] {
            assert!(after(standing(from, None), contested()).is_err(), "{from}");
            assert!(after(standing(from, None), settled()).is_err(), "{from}");
        }
    }

    #[test]
    fn what_the_simulator_contradicts_is_not_called_revoked() {
        let allowed = Some(SimulatedDecision::Allowed);
        let at = jiff::Timestamp::UNIX_EPOCH;
        let contradicted = Event::Proof(Proof { old_token: allowed, ..Proof::new(Rung::Present, None, at) });
        let unverified = State::after(Some(State::Verifying), &contradicted, "r");
        assert_eq!(unverified, Ok(Some(State::Unverified)));
        let denied = State::after(Some(State::Unverified), &proof(Rung::Simulated), "r");
        assert_eq!(denied, Ok(Some(State::Revoked)));
    }

    #[test]
    fn a_blocked_remediation_can_be_tried_again() {
        let blocked = State::after(Some(State::Queued), &refused(Disposition::Blocked), "r");
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
            identity: None,
            judged: None,
        };
        let change = || Change {
            name: "web".to_owned(),
            arn: String::new(),
            id: "AROAEXAMPLEEXAMPLE00".to_owned(),
            session: None,
            key: None,
            policy_name: String::new(),
            means: crate::remediation::Means::InlinePolicy,
            user_id: None,
            before: None,
            after: String::new(),
            cutoff: Cutoff::at(jiff::Timestamp::UNIX_EPOCH),
            note: None,
        };
        let after = |from, event: Event| State::after(Some(from), &event, "r");
        assert!(after(State::Held, Event::Intent { change: change() }).is_err());
        assert_eq!(after(State::Held, Event::Approved(answer())), Ok(Some(State::Approved)));
        assert_eq!(after(State::Held, Event::Rejected(answer())), Ok(Some(State::Rejected)));
        for state in [State::Queued, State::Approved, State::Revoking, State::Revoked] {
            assert!(after(state, Event::Approved(answer())).is_err(), "{state}");
        }
        let reheld = || Event::Reheld { code: ReasonCode::WorldChanged, reason: String::new() };
        assert_eq!(after(State::Queued, reheld()), Ok(Some(State::Held)));
        assert!(after(State::Revoking, reheld()).is_err());
        // Who rejected can think better of it.
        assert_eq!(after(State::Rejected, Event::Approved(answer())), Ok(Some(State::Approved)));
        let superseded = || Event::Superseded { by: String::new() };
        assert_eq!(after(State::Held, superseded()), Ok(Some(State::Superseded)));
        assert!(after(State::Verifying, superseded()).is_err());
        assert_eq!(after(State::Superseded, Event::Approved(answer())), Ok(Some(State::Approved)));
    }
}
