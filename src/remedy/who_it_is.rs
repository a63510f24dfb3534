//! Makes sure that a principal is the one that the finding names.

use super::found::Found;
use crate::aws::MemberSession;
use crate::remediation::{Kind, Means, Refusal, Target, Who};
use std::collections::BTreeMap;

/// The ARN, with the path, the unique id and the tags. A role or a user is looked at in its account; of any other
/// principal ARN and id follow from the account.
///
/// # Errors
/// When it does not exist, was made again since, or is a role that only AWS can change.
pub(super) async fn who_it_is(member: Option<&MemberSession>, target: &Target) -> Result<Found, Refusal> {
    let mut tags = BTreeMap::new();
    let (expected, arn, id) = match (&target.who, member) {
        (Who::Role { role, role_id, .. }, Some(session)) => {
            let facts = session.role(role).await.map_err(Refusal::from_call)?;
            // What a service control policy does, Identity Center does not have to do; it binds no service.
            let is_reserved =
                target.means != Means::ServiceControlPolicy && facts.path.starts_with("/aws-reserved/");
            if is_reserved || facts.path.starts_with("/aws-service-role/") {
                return Err(Refusal::Unmodifiable(format!("its path is {}", facts.path)));
            }
            tags = facts.tags;
            (role_id.as_ref().map(ToString::to_string), facts.arn, facts.id.to_string())
        }
        (Who::User { user, user_id, .. }, Some(session)) => {
            let facts = session.user(user).await.map_err(Refusal::from_call)?;
            tags = facts.tags;
            (user_id.as_ref().map(ToString::to_string), facts.arn, facts.id.to_string())
        }
        // It was looked at before it was denied.
        (Who::Role { role_id: Some(id), .. }, None) => (None, target.arn(), id.to_string()),
        (Who::User { user_id: Some(id), .. }, None) => (None, target.arn(), id.to_string()),
        (Who::Role { .. }, None) => return Err(Refusal::Gone(Kind::Role)),
        (Who::User { .. }, None) => return Err(Refusal::Gone(Kind::User)),
        (Who::Root { root_user }, _) => (None, target.arn(), root_user.to_string()),
        (Who::Federated { federated_user }, _) => {
            (None, target.arn(), format!("{}:{federated_user}", target.account))
        }
        (Who::Unsupported { principal }, _) => return Err(Refusal::Unmodifiable(principal.clone())),
    };
    match expected {
        Some(expected) if expected != id => Err(Refusal::Recreated { expected, found: id }),
        _ => Ok(Found { arn, id, tags, ..Found::default() }),
    }
}
