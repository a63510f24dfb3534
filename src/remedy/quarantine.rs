//! Attaches and detaches the quarantine: the managed policy that the member role's stack brings along.

use crate::aws::MemberSession;
use crate::policies::QUARANTINE_POLICY;
use crate::remediation::{CallError, Target, Who};

/// ARN of the quarantine policy in the target's account; none for a principal that IAM attaches nothing to.
#[must_use]
pub fn quarantine_policy(target: &Target) -> Option<String> {
    target
        .is_supported()
        .then(|| format!("arn:{}:iam::{}:policy/{QUARANTINE_POLICY}", target.partition, target.account))
}

/// Attaches the policy. Doing it twice is the same as doing it once.
///
/// # Errors
/// As the call's.
pub async fn quarantine(session: &MemberSession, target: &Target, policy: &str) -> Result<(), CallError> {
    match &target.who {
        Who::Role { role, .. } => session.attach_role_policy(role, policy).await,
        Who::User { user, .. } => session.attach_user_policy(user, policy).await,
        Who::Unsupported { .. } => Ok(()),
    }
}

/// Detaches the policy, and says whether it was seen not to be attached any more.
///
/// # Errors
/// As the calls'.
pub async fn lift_quarantine(
    session: &MemberSession,
    target: &Target,
    policy: &str,
) -> Result<bool, CallError> {
    match &target.who {
        Who::Role { role, .. } => {
            session.detach_role_policy(role, policy).await?;
            session.is_attached_to_role(role, policy).await.map(|attached| !attached)
        }
        Who::User { user, .. } => {
            session.detach_user_policy(user, policy).await?;
            session.is_attached_to_user(user, policy).await.map(|attached| !attached)
        }
        Who::Unsupported { .. } => Ok(true),
    }
}
