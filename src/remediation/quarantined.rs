//! For how long the quarantine of a remediation goes on.

use super::{Impact, Quarantine, Remediation, State};
use jiff::{SignedDuration, Timestamp};

impl Remediation {
    /// The quarantine that is in force, or may be.
    #[must_use]
    pub fn quarantine(&self) -> Option<&Quarantine> {
        self.history.quarantines.last().filter(|one| one.is_open())
    }

    /// An impact of this remediation in words, line by line, as things stand: while its quarantine is attached, new sessions
    /// are denied as well; after a release, what says how old tokens end is left out.
    #[must_use]
    pub fn impact_lines(&self, impact: &Impact) -> Vec<String> {
        let instance = self.finding.evidence.instance_id.as_deref();
        match self.state {
            State::Released => impact.lines_after_release(instance),
            // What is not done yet may have a quarantine, as the configuration says then.
            state if self.quarantine().is_none() && !state.is_in_place() => {
                impact.lines_while(instance, None)
            }
            _ => impact.lines_while(instance, Some(self.quarantine().is_some())),
        }
    }

    /// Whether it is not known that its open quarantine was attached, and it is not being lifted either: a kill or a
    /// lost answer came between the intent and its outcome.
    #[must_use]
    pub fn is_quarantine_uncertain(&self) -> bool {
        let is_taken_back = matches!(self.state, State::Releasing | State::Retiring);
        let open = self.quarantine().filter(|_| !is_taken_back);
        open.is_some_and(|open| open.attached_at.is_none() && open.lifting_at.is_none())
    }

    /// Whether the quarantine is no longer needed, whatever a rule says: its deny has ended, or is being taken back.
    #[must_use]
    pub fn is_taken_back(&self) -> bool {
        !self.state.is_open() && !self.state.is_in_place()
            || matches!(self.state, State::Releasing | State::Retiring)
    }

    /// How long the open quarantine is to go on, as of `now`, when a deny must have been in place for `length`; zero
    /// when it is to be lifted, none while that depends on what comes next.
    #[must_use]
    pub fn quarantine_left(&self, now: Timestamp, length: SignedDuration) -> Option<SignedDuration> {
        let open = self.quarantine()?;
        // Once it is being detached, it is detached.
        if open.lifting_at.is_some() {
            return Some(SignedDuration::ZERO);
        }
        let since = open.since;
        let left = |from: Timestamp| {
            let passed = now.duration_since(from).max(SignedDuration::ZERO);
            Some(length.saturating_sub(passed).max(SignedDuration::ZERO))
        };
        match self.state {
            State::Revoked | State::Unverified => left(self.accepted_at().unwrap_or(since).max(since)),
            // Who fought the deny may keep it from being written as well.
            State::Held | State::Retrying | State::Blocked if self.history.was_contested => None,
            // The deny cannot be written, or a person is asked: legitimate sessions do not wait for that.
            State::Held | State::Retrying | State::Blocked => left(since),
            State::Queued
            | State::Approved
            | State::Revoking
            | State::Verifying
            | State::Lost
            | State::Contested
            | State::Releasing
            | State::Retiring => None,
            State::Failed
            | State::Rejected
            | State::Superseded
            | State::DoneByHand
            | State::Released
            | State::Expired
            | State::Retired => Some(SignedDuration::ZERO),
        }
    }
}
