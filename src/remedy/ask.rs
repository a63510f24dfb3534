//! The request for a plan, and what both remedies have in common.

use super::{Expected, Found};
use crate::remediation::{Change, Cutoff, Deny};
use jiff::Timestamp;

/// What a plan is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The current time by AWS's clock.
    pub aws_now: Timestamp,
    /// The cutoff of a change that is put back; none for a new one.
    pub keep: Option<Cutoff>,
    /// All sessions of the role, though the target is one.
    pub widen: bool,
    /// What the same remediation began earlier.
    pub earlier: &'a [Change],
    /// What should be there, as the ledger has it.
    pub expected: &'a Expected,
}

impl<'a> Ask<'a> {
    #[must_use]
    pub fn at(aws_now: Timestamp, expected: &'a Expected) -> Self {
        Self { aws_now, keep: None, widen: false, earlier: &[], expected }
    }
}

/// The cutoff that a change sets: that of a change that is put back, or one that is never before the one
/// that is there.
pub(super) fn cutoff_of(there: &Deny, session: Option<&str>, ask: &Ask<'_>) -> Cutoff {
    ask.keep.unwrap_or_else(|| Cutoff::at(ask.aws_now).not_before(there.cutoff(session)))
}

/// What a reader of a change should know.
pub(super) fn note_of(found: &Found, there: &Deny, session: Option<&str>, ask: &Ask<'_>) -> Option<String> {
    if ask.expected.is_foreign(found.document.as_deref(), ask.aws_now) {
        let note =
            "somebody else changed the policy under our name; it is replaced, and its text is kept here";
        return Some(note.to_owned());
    }
    if there.cutoff(session).is_some_and(|there| there > Cutoff::at(ask.aws_now)) {
        return Some(
            "the cutoff that was there is later than now, and a cutoff is never moved back".to_owned(),
        );
    }
    let note = "there is no room for one more session: all sessions of the role are revoked";
    ask.widen.then(|| note.to_owned())
}
