//! Remedies: what is done to a principal, and how far it is proved.
//!
//! A remedy has the same parts whatever it does: a session policy that confines it
//! ([`session_policy`]), a look at what is there ([`inspect`]), a pure [`plan`], [`apply`],
//! [`verify`]; a pure [`undo`] and [`take_back`]. Which remedy it is follows from the target. It does
//! not know where findings come from, and it writes no ledger.

mod aftercare;
mod change;
mod confine;
mod cutoff;
mod deny;
mod expected;
mod gather;
mod impact;
mod look;
mod proof;
mod refusal;
mod restore;
mod role_sessions;
mod target;
mod trust;
mod user_keys;

pub use crate::aws::AccessKey;
pub use aftercare::aftercare;
pub use change::{Change, Found, KeyChange, Undo};
pub use confine::{Purpose, session_policy};
pub use cutoff::Cutoff;
pub use deny::{Deny, POLICY_NAME, same};
pub use expected::{Expected, Past};
pub use gather::gather_impact;
pub use impact::Impact;
pub use proof::{DeniedCall, Proof, Rung, Verified};
pub use refusal::{Disposition, Refusal};
pub use restore::{Drift, undo};
pub use target::{OneSession, Target, Who, is_session_id};
pub use trust::who_may_assume;

use crate::aws::MemberSession;
use jiff::Timestamp;
use role_sessions::RoleSessions;
use user_keys::UserKeys;

/// What a plan is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// AWS's time.
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
    /// A new revocation.
    #[must_use]
    pub fn at(aws_now: Timestamp, expected: &'a Expected) -> Self {
        Self { aws_now, keep: None, widen: false, earlier: &[], expected }
    }
}

/// The remedy's name in rules and in the ledger.
#[must_use]
pub fn name(target: &Target) -> &'static str {
    match target.who {
        Who::Role { .. } => "role_sessions",
        Who::User { .. } => "user_keys",
        Who::Beyond { .. } => "by_hand",
    }
}

/// Looks what is there.
///
/// # Errors
/// When it cannot be read, is not the principal that is meant, or cannot be changed.
pub async fn inspect(session: &MemberSession, target: &Target) -> Result<Found, Refusal> {
    match &target.who {
        Who::Role { role, role_id, .. } => RoleSessions::inspect(session, role, role_id.as_ref()).await,
        Who::User { user, user_id, .. } => UserKeys::inspect(session, user, user_id.as_ref()).await,
        Who::Beyond { principal } => Err(Refusal::Unmodifiable(principal.clone())),
    }
}

/// What to change, given what is there and AWS's time. Pure.
#[must_use]
pub fn plan(target: &Target, found: &Found, ask: &Ask<'_>) -> Change {
    match &target.who {
        Who::User { access_key, .. } => UserKeys::plan(target, access_key.as_deref(), found, ask),
        Who::Role { .. } | Who::Beyond { .. } => RoleSessions::plan(target, found, ask),
    }
}

/// Makes the change. Doing it twice is the same as doing it once.
///
/// # Errors
/// When AWS does not do it.
pub async fn apply(session: &MemberSession, target: &Target, change: &Change) -> Result<(), Refusal> {
    match &target.who {
        Who::Role { role, .. } => RoleSessions::apply(session, role, change).await,
        Who::User { user, .. } => UserKeys::apply(session, user, change).await,
        Who::Beyond { principal } => Err(Refusal::Unmodifiable(principal.clone())),
    }
}

/// Looks how far the change is in force, where the document may deny `at_most` so much.
pub async fn verify(session: &MemberSession, target: &Target, change: &Change, at_most: &Deny) -> Verified {
    match &target.who {
        Who::Role { role, .. } => RoleSessions::verify(session, role, change, at_most).await,
        Who::User { user, .. } => UserKeys::verify(session, user, change, at_most).await,
        Who::Beyond { principal } => Verified::Unread(principal.clone()),
    }
}

/// Takes changes back. Doing it twice is the same as doing it once.
///
/// # Errors
/// When AWS does not do it.
pub async fn take_back(session: &MemberSession, target: &Target, undo: &Undo) -> Result<(), Refusal> {
    match &target.who {
        Who::Role { role, .. } => RoleSessions::undo(session, role, undo).await,
        Who::User { user, .. } => UserKeys::undo(session, user, undo).await,
        Who::Beyond { principal } => Err(Refusal::Unmodifiable(principal.clone())),
    }
}

/// The cutoff that a change sets: that of a change that is put back, or one that is never before the one
/// that is there.
fn cutoff_of(there: &Deny, session: Option<&str>, ask: &Ask<'_>) -> Cutoff {
    ask.keep.unwrap_or_else(|| Cutoff::at(ask.aws_now).not_before(there.cutoff(session)))
}

/// What a reader of a change should know.
fn note_of(found: &Found, there: &Deny, session: Option<&str>, ask: &Ask<'_>) -> Option<String> {
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
