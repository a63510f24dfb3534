//! Remedies: what is done to a principal, and how far it is proved.
//!
//! A remedy has the same parts whatever it does: a session policy that confines it
//! ([`session_policy`]), a look at what is there ([`inspect`]), a pure [`plan`], [`apply`],
//! [`verify`]; a pure [`undo`] and [`take_back`]. Which remedy it is follows from the target. It does
//! not know where findings come from, and it writes no ledger.

mod abilities;
mod access;
mod aftercare;
mod ask;
mod confine;
mod expected;
mod found;
mod gather;
mod impact;
mod look;
mod quarantine;
mod restore;
mod role_sessions;
mod second_door;
mod trust;
mod user_keys;

pub use access::MemberAccess;
pub use aftercare::aftercare;
pub use ask::Ask;
pub use confine::Purpose;
pub use expected::Expected;
pub use found::Found;
pub use quarantine::{NotQuarantined, check_quarantine, lift_quarantine, quarantine, quarantine_policy};
pub use restore::{Drift, undo};
pub use trust::who_may_assume;

use crate::aws::{MemberSession, TrailEvent};
use crate::ident::Region;
use crate::org::Snapshot;
use crate::remediation::{Change, Cutoff, Deny, Impact, POLICY_NAME, Refusal, Target, Undo, Verified, Who};
use jiff::SignedDuration;
use role_sessions::RoleSessions;
use user_keys::UserKeys;

/// Looks what is there.
///
/// # Errors
/// When it cannot be read, is not the principal that is meant, or cannot be changed.
pub async fn inspect(session: &MemberSession, target: &Target) -> Result<Found, Refusal> {
    match &target.who {
        Who::Role { role, role_id, .. } => RoleSessions::inspect(session, role, role_id.as_ref()).await,
        Who::User { user, user_id, .. } => UserKeys::inspect(session, user, user_id.as_ref()).await,
        Who::Unsupported { principal } => Err(Refusal::Unmodifiable(principal.clone())),
    }
}

/// What to change, given what is there and AWS's time. Pure.
#[must_use]
pub fn plan(target: &Target, found: &Found, ask: &Ask<'_>) -> Change {
    match &target.who {
        Who::User { access_key, .. } => UserKeys::plan(target, access_key.as_deref(), found, ask),
        Who::Role { .. } | Who::Unsupported { .. } => RoleSessions::plan(target, found, ask),
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
        Who::Unsupported { principal } => Err(Refusal::Unmodifiable(principal.clone())),
    }
}

/// Looks how far the change is in force, where the document may deny `at_most` so much.
pub async fn verify(session: &MemberSession, target: &Target, change: &Change, at_most: &Deny) -> Verified {
    match &target.who {
        Who::Role { role, .. } => RoleSessions::verify(session, role, change, at_most).await,
        Who::User { user, .. } => UserKeys::verify(session, user, change, at_most).await,
        Who::Unsupported { principal } => Verified::Unread(principal.clone()),
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
        Who::Unsupported { principal } => Err(Refusal::Unmodifiable(principal.clone())),
    }
}

/// What a revocation affects. `accounts` are those of the organization, where they are known. None where
/// [`Target::has_impact`] says so.
pub async fn impact(
    session: &MemberSession,
    target: &Target,
    cutoff: Cutoff,
    regions: &[Region],
    accounts: Option<&Snapshot>,
) -> Option<Impact> {
    match &target.who {
        Who::Role { role, .. } => Some(gather::gather_impact(session, role, cutoff, regions, accounts).await),
        Who::User { .. } | Who::Unsupported { .. } => None,
    }
}

/// The longest time for which a session of the principal lives, and what that session opened for itself.
#[must_use]
pub fn longest_session(target: &Target) -> SignedDuration {
    match target.who {
        Who::User { .. } => user_keys::LONGEST_SESSION,
        Who::Role { .. } | Who::Unsupported { .. } => role_sessions::LONGEST_SESSION,
    }
}

/// The longest of these times, for any principal.
pub const LONGEST_SESSION: SignedDuration = user_keys::LONGEST_SESSION;

/// The operations of IAM with which the change can be undone.
#[must_use]
pub fn undone_by(target: &Target) -> &'static [&'static str] {
    match target.who {
        Who::User { .. } => &["DeleteUserPolicy", "PutUserPolicy", "UpdateAccessKey"],
        Who::Role { .. } | Who::Unsupported { .. } => &["DeleteRolePolicy", "PutRolePolicy", "DeleteRole"],
    }
}

/// Whether a call was about this principal, and about the policy that the remedy writes or none.
#[must_use]
pub fn is_about(target: &Target, event: &TrailEvent) -> bool {
    let same = |there: &Option<String>, name: &str| {
        there.as_deref().is_some_and(|there| there.eq_ignore_ascii_case(name))
    };
    let of_principal = match &target.who {
        Who::Role { role, .. } => same(&event.role, role.as_str()),
        Who::User { user, .. } => same(&event.user, user.as_str()),
        Who::Unsupported { .. } => false,
    };
    of_principal && event.policy.as_deref().is_none_or(|policy| policy == POLICY_NAME)
}
