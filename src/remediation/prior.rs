//! What triage needs to know of the remediations that a principal had before.

use super::{Cutoff, Means, ReasonCode, State, Target};
use crate::ident::AccountId;
use jiff::{SignedDuration, Timestamp};

/// Maximum time after a change for which its cutoff is relied on, by AWS's clock.
const RELIED_ON: SignedDuration = SignedDuration::from_mins(2);

/// What triage needs to know of a remediation of the same principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorRemediation {
    /// Id of the remediation.
    pub remediation: String,
    /// Name of the principal, as it was spelled.
    pub name: String,
    /// State of the remediation.
    pub state: State,
    /// Its cutoff, once there is one.
    pub cutoff: Option<Cutoff>,
    /// When AWS had accepted it.
    pub accepted_at: Option<Timestamp>,
    /// The unique id of the principal that it was for.
    pub id: Option<String>,
    /// The only session that it is for, by its `aws:userid`; none when it is for all.
    pub session: Option<String>,
    /// The long-term access key that it is for, if it is for one.
    pub long_term_key: Option<String>,
    /// The access keys of all the findings that it is for.
    pub access_keys: Vec<String>,
    /// It was looked at, and is not in force, or cannot be looked at: what it says of itself is not
    /// relied on.
    pub is_doubted: bool,
    /// It puts its deny back, with the cutoff that it had or, while it is contested, a later one.
    pub keeps_cutoff: bool,
    /// When a person released it, or had done it by hand.
    pub ended_at: Option<Timestamp>,
    /// It denies everything, whatever the time and the key.
    pub is_quarantine: bool,
    /// The reason and the rule for which it is held, if it is.
    pub held: Option<(ReasonCode, Option<String>)>,
}

impl PriorRemediation {
    /// It was for all that the target is: for its sessions, and for its long-term key, which no cutoff
    /// ends.
    #[must_use]
    pub fn is_for(&self, target: &Target) -> bool {
        if !self.is_of(target) || self.is_quarantine {
            return self.is_of(target);
        }
        // What denies everything is not there because older sessions are denied.
        let key = target.long_term_key();
        target.means != Means::Quarantine && (key.is_none() || key == self.long_term_key.as_deref())
    }

    /// Whether it was for this principal (one that was recreated under the same name has another id and is another
    /// principal), and for this session, if it was for one.
    #[must_use]
    pub fn is_of(&self, target: &Target) -> bool {
        let id = target.id();
        let same = id.is_none() || self.id.is_none() || id == self.id.as_deref();
        let session = target.session().map(|one| one.user_id.as_str());
        same && (self.session.is_none() || self.session.as_deref() == session)
    }

    /// It is worked on.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state.has_fixed_cutoff()
            || self.state.is_to_begin()
            || matches!(self.state, State::Lost | State::Contested)
    }

    /// Its deny was seen in place, and revokes credentials that were last in use then: the cutoff.
    #[must_use]
    pub fn has_revoked(&self, last_seen: Timestamp) -> Option<Cutoff> {
        self.covering_cutoff().filter(|cutoff| self.state.has_revoked() && cutoff.covers(last_seen))
    }

    /// The cutoff, as far as it can be relied on without looking: a cutoff of ours lies half a
    /// minute after the change. One that is later was found on the role, and who wrote it there
    /// can take it away.
    #[must_use]
    pub fn covering_cutoff(&self) -> Option<Cutoff> {
        let relied_on = self.accepted_at.and_then(|at| at.checked_add(RELIED_ON).ok()).map(Cutoff::round_up);
        match (self.cutoff, relied_on) {
            (Some(cutoff), Some(relied_on)) => Some(cutoff.min(relied_on)),
            (cutoff, _) => cutoff,
        }
    }
}

/// A remediation whose change was begun: its intent is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Id of the remediation.
    pub remediation: String,
    /// The account of the principal.
    pub account: AccountId,
    /// The principal's key, as [`Target::key`] gives it: `web`, `user/alice`.
    pub role_key: String,
    /// When its latest intent was recorded.
    pub at: Timestamp,
}
