//! Attaches and detaches the quarantine: the managed policy that the member role's stack brings along.

use crate::aws::MemberSession;
use crate::policies::{self, QUARANTINE_POLICY};
use crate::remediation::{CallError, ErrorKind, Means, Target, Who};

/// Why the policy was not attached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotQuarantined {
    /// There is none.
    #[error("there is no policy {0}")]
    Missing(String),
    /// Somebody changed it: attached, it would do something else.
    #[error("the policy {policy} does not deny everything: {difference}")]
    Altered { policy: String, difference: String },
    #[error("the policy could not be read: {0}")]
    Unread(CallError),
    #[error(transparent)]
    NotAttached(CallError),
}

impl NotQuarantined {
    /// What to do about it; none when it may have been attached all the same.
    #[must_use]
    pub fn what_to_do(&self) -> Option<&'static str> {
        let kind = match self {
            Self::Missing(_) => ErrorKind::NotFound,
            Self::Altered { .. } => {
                return Some(
                    "Find out who changed the policy (CloudTrail: CreatePolicyVersion, SetDefaultPolicyVersion), and deploy the member role's stack again. The seal prevents it.",
                );
            }
            Self::Unread(error) if error.is_transient() => {
                return Some("It is read again with the next put.");
            }
            Self::Unread(error) | Self::NotAttached(error) => error.kind,
        };
        Some(match kind {
            ErrorKind::Denied => {
                "Deploy the remediation role's policy again: for policy/rescind/Quarantine it needs iam:GetPolicy and iam:GetPolicyVersion, and iam:AttachRolePolicy and iam:AttachUserPolicy with it."
            }
            ErrorKind::NotFound => {
                "Deploy the member role's stack again: it brings the policy rescind/Quarantine along."
            }
            ErrorKind::Quota => {
                "The principal has as many managed policies as it may have: ask AWS for a higher quota, or detach one."
            }
            ErrorKind::Refused | ErrorKind::Unmodifiable => "The reason says what AWS refused.",
            _ => return None,
        })
    }
}

/// Reads the policy, and makes sure that it denies everything and does nothing else.
///
/// # Errors
/// When it does not, or cannot be read.
pub async fn check_quarantine(session: &MemberSession, policy: &str) -> Result<(), NotQuarantined> {
    let Some(found) = session.managed_policy(policy).await.map_err(NotQuarantined::Unread)? else {
        return Err(NotQuarantined::Missing(policy.to_owned()));
    };
    let found = serde_json::from_str(&found).unwrap_or_default();
    match policies::difference(&policies::quarantine(), &found) {
        None => Ok(()),
        Some(difference) => Err(NotQuarantined::Altered { policy: policy.to_owned(), difference }),
    }
}

/// ARN of the quarantine policy in the target's account; none for a principal to which it is not attached.
#[must_use]
pub fn quarantine_policy(target: &Target) -> Option<String> {
    let is_of_iam = matches!(target.who, Who::Role { .. } | Who::User { .. });
    (is_of_iam && target.means != Means::ServiceControlPolicy)
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
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => Ok(()),
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
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => Ok(true),
    }
}
