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
mod organization_deny;
mod quarantine;
mod quarantine_only;
mod regional;
mod restore;
mod role_sessions;
mod second_door;
mod session;
mod trust;
mod user_keys;
mod who_it_is;

pub use access::MemberAccess;
pub use aftercare::aftercare;
pub use ask::Ask;
pub use confine::Purpose;
pub use expected::Expected;
pub use found::Found;
pub use quarantine::{NotQuarantined, check_quarantine, lift_quarantine, quarantine, quarantine_policy};
pub use regional::regional;
pub use restore::{Drift, undo};
pub use session::Session;
pub use trust::who_may_assume;

use crate::aws::MemberSession;
use crate::ident::Region;
use crate::org::Snapshot;
use crate::policies::QUARANTINE_POLICY;
use crate::remediation::{
    Change, Cutoff, Deny, Impact, Means, POLICY_NAME, Refusal, Target, Undo, Verified, Who,
};
use crate::trail::TrailEvent;
use jiff::{SignedDuration, Timestamp};
use organization_deny::OrganizationDeny;
use quarantine_only::QuarantineOnly;
use role_sessions::RoleSessions;
use user_keys::UserKeys;

/// Looks what is there.
///
/// # Errors
/// When it cannot be read, is not the principal that is meant, or cannot be changed.
pub async fn inspect(session: &Session, target: &Target) -> Result<Found, Refusal> {
    let session = match session {
        Session::Organization(policy, member) => {
            return OrganizationDeny::inspect(policy, member.as_deref(), target).await;
        }
        Session::Member(session) => session,
    };
    match &target.who {
        _ if target.means == Means::Quarantine => QuarantineOnly::inspect(session, target).await,
        Who::Role { role, .. } => RoleSessions::inspect(session, role, target).await,
        Who::User { user, .. } => UserKeys::inspect(session, user, target).await,
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => Err(by_hand(target)),
    }
}

/// Looks at the account's service control policy alone, for a principal that does not exist any more.
///
/// # Errors
/// When it cannot be read, or nothing was written into it.
pub async fn inspect_document(
    session: &Session,
    target: &Target,
    change: Option<&Change>,
) -> Result<Found, Refusal> {
    match (session, change) {
        (Session::Organization(policy, _), Some(change)) => {
            OrganizationDeny::document(policy, &change.arn, &change.id).await
        }
        _ => Err(by_hand(target)),
    }
}

/// What to change, given what is there and AWS's time. Pure.
#[must_use]
pub fn plan(target: &Target, found: &Found, ask: &Ask<'_>) -> Change {
    match (target.means, &target.who) {
        (Means::ServiceControlPolicy, _) => OrganizationDeny::plan(target, found, ask),
        (Means::Quarantine, _) => QuarantineOnly::plan(target, found, ask),
        (Means::InlinePolicy, Who::User { access_key, .. }) => {
            UserKeys::plan(target, access_key.as_deref(), found, ask)
        }
        (Means::InlinePolicy, _) => RoleSessions::plan(target, found, ask),
    }
}

/// Makes the change. Doing it twice is the same as doing it once.
///
/// # Errors
/// When AWS does not do it.
pub async fn apply(session: &Session, target: &Target, change: &Change) -> Result<(), Refusal> {
    let session = match session {
        Session::Organization(policy, _) => return OrganizationDeny::apply(policy, change).await,
        Session::Member(session) => session,
    };
    match &target.who {
        _ if target.means == Means::Quarantine => QuarantineOnly::apply(session, target).await,
        Who::Role { role, .. } => RoleSessions::apply(session, role, change).await,
        Who::User { user, .. } => UserKeys::apply(session, user, change).await,
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => Err(by_hand(target)),
    }
}

/// Looks how far the change is in force, where the document may deny `at_most` so much.
pub async fn verify(session: &Session, target: &Target, change: &Change, at_most: &Deny) -> Verified {
    let session = match session {
        Session::Organization(policy, _) => return OrganizationDeny::verify(policy, change, at_most).await,
        Session::Member(session) => session,
    };
    match &target.who {
        _ if target.means == Means::Quarantine => {
            QuarantineOnly::verify(session, target, change, at_most).await
        }
        Who::Role { role, .. } => RoleSessions::verify(session, role, change, at_most).await,
        Who::User { user, .. } => UserKeys::verify(session, user, change, at_most).await,
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => {
            Verified::Unread(target.principal())
        }
    }
}

/// Takes changes back. Doing it twice is the same as doing it once.
///
/// # Errors
/// When AWS does not do it.
pub async fn take_back(session: &Session, target: &Target, undo: &Undo) -> Result<(), Refusal> {
    let session = match session {
        Session::Organization(policy, _) => return OrganizationDeny::undo(policy, undo).await,
        Session::Member(session) => session,
    };
    match &target.who {
        _ if target.means == Means::Quarantine => QuarantineOnly::undo(session, target, undo).await,
        Who::Role { role, .. } => RoleSessions::undo(session, role, undo).await,
        Who::User { user, .. } => UserKeys::undo(session, user, undo).await,
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => Err(by_hand(target)),
    }
}

fn by_hand(target: &Target) -> Refusal {
    Refusal::Unmodifiable(target.principal())
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
        Who::Role { role, .. } => {
            let impact = gather::gather_impact(session, role, cutoff, regions, accounts).await;
            Some(Impact { is_held: target.means == Means::Quarantine, ..impact })
        }
        _ => None,
    }
}

/// The longest time for which a session of the principal lives, and what that session opened for itself. None for
/// what is denied until a person releases it.
#[must_use]
pub fn longest_session(target: &Target) -> Option<SignedDuration> {
    (!target.is_until_released()).then_some(longest_life(target))
}

/// The longest time for which any session of the principal lives, and what that session opened for itself.
fn longest_life(target: &Target) -> SignedDuration {
    match target.who {
        Who::User { .. } | Who::Root { .. } | Who::Federated { .. } => user_keys::LONGEST_SESSION,
        Who::Role { .. } | Who::Unsupported { .. } => role_sessions::LONGEST_SESSION,
    }
}

/// When the last session is over at the latest that a change denies `now`. None where there is more than sessions: a
/// user's key, or the root user's password, has no end.
#[must_use]
pub fn denied_until(target: &Target, change: &Change, now: Timestamp) -> Option<Timestamp> {
    let has_no_end = change.key.is_some() || target.is_until_released();
    if has_no_end && matches!(target.who, Who::User { .. } | Who::Root { .. }) {
        return None;
    }
    // What is denied whenever it was issued may have been issued just now.
    let last = if target.is_until_released() { now } else { change.cutoff.time() };
    Some(last.saturating_add(longest_life(target)).unwrap_or(Timestamp::MAX))
}

/// The longest of these times, for any principal.
pub const LONGEST_SESSION: SignedDuration = user_keys::LONGEST_SESSION;

/// The operations of IAM in the principal's account with which the change can be undone.
#[must_use]
pub fn undone_by(target: &Target) -> &'static [&'static str] {
    match (target.means, &target.who) {
        // Nobody in the account can.
        (Means::ServiceControlPolicy, _) => &[],
        (Means::Quarantine, Who::User { .. }) => &["DetachUserPolicy"],
        (Means::Quarantine, _) => &["DetachRolePolicy", "DeleteRole"],
        (Means::InlinePolicy, Who::User { .. }) => &["DeleteUserPolicy", "PutUserPolicy", "UpdateAccessKey"],
        (Means::InlinePolicy, _) => &["DeleteRolePolicy", "PutRolePolicy", "DeleteRole"],
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
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => false,
    };
    of_principal
        && event.policy.as_deref().is_none_or(|policy| {
            policy == POLICY_NAME || policy.ends_with(QUARANTINE_POLICY) && target.means == Means::Quarantine
        })
}
