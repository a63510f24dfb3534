//! Whom a finding's remedy is for.

use super::{Beyond, HoldReason, Policy, SkipReason};
use crate::config::{RemedyName, Rule, Scope};
use crate::finding::{Finding, Principal, RoleTarget, UserType};
use crate::ident::{UserId, UserName};
use crate::remedy::{OneSession, Who, is_session_id};

/// Whom a finding's remedy is for, and why a person has to be asked first, if so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whom {
    pub who: Who,
    pub hold: Option<HoldReason>,
}

impl Whom {
    /// Somebody whom rescind cannot do anything about.
    pub fn beyond(principal: String, why: Beyond) -> Self {
        Self { who: Who::Beyond { principal }, hold: Some(HoldReason::Beyond(why)) }
    }
}

/// Whom a finding's remedy is for, as the rule says.
pub(super) fn whom(finding: &Finding, policy: &Policy, rule: &Rule) -> Result<Whom, SkipReason> {
    let principal = finding.principal.as_ref().ok_or(SkipReason::NoPrincipal)?;
    match principal.user_type {
        UserType::IamUser if rule.remedies.contains(&RemedyName::UserKeys) => user(principal),
        UserType::Root => Ok(Whom::beyond("the root user".to_owned(), Beyond::Root)),
        UserType::FederatedUser => {
            let name = principal.user_name.clone().or_else(|| principal.principal_id.clone());
            let name = name.unwrap_or_else(|| "(no name)".to_owned());
            Ok(Whom::beyond(
                format!("the federated user {}", crate::ident::quoted(&name)),
                Beyond::FederatedUser(name),
            ))
        }
        _ => {
            let found = principal.role().map_err(|error| SkipReason::NotARole(error.to_string()))?;
            role(finding, policy, rule, found)
        }
    }
}

fn role(finding: &Finding, policy: &Policy, rule: &Rule, found: RoleTarget) -> Result<Whom, SkipReason> {
    let RoleTarget { name, id, .. } = found;
    if name.key().starts_with("awsservicerolefor") {
        return Ok(Whom::beyond(format!("the service-linked role {name}"), Beyond::ServiceLinkedRole(name)));
    }
    if name.key().starts_with("awsreservedsso_") {
        return Ok(Whom::beyond(
            format!("the Identity Center role {name}"),
            Beyond::IdentityCenterRole(name),
        ));
    }
    let is_hub_role = finding.account == policy.hub_account
        && policy.hub_role.as_deref().is_some_and(|hub| hub.eq_ignore_ascii_case(name.as_str()));
    if is_hub_role || name.key() == policy.remediation_role.key() {
        return Err(SkipReason::OwnRole(name));
    }
    if !rule.remedies.contains(&RemedyName::RoleSessions) {
        return Err(SkipReason::NoRemedy { principal: format!("role {name}"), remedy: "role_sessions" });
    }
    let (session, hold) = match rule.scope {
        Scope::Role => (None, None),
        Scope::Session => match finding.principal.as_ref().and_then(|p| p.principal_id.as_deref()) {
            Some(user_id) if is_session_id(user_id) => {
                let one = OneSession { user_id: user_id.to_owned(), may_widen: rule.widen };
                (Some(one), None)
            }
            _ if rule.widen => (None, None),
            _ => (None, Some(HoldReason::NoSession { rule: rule.name.clone() })),
        },
    };
    Ok(Whom { who: Who::Role { role: name, role_id: id, session }, hold })
}

fn user(principal: &Principal) -> Result<Whom, SkipReason> {
    let bad = |error: String| SkipReason::NotARole(error);
    let name = principal.user_name.as_deref().unwrap_or_default();
    let user: UserName =
        name.parse().map_err(|error| bad(format!("the finding names a user that cannot exist: {error}")))?;
    // A session of GetSessionToken has the user's own id.
    let id = principal.principal_id.as_deref().filter(|id| !id.is_empty());
    let user_id: Option<UserId> = match id {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            let id = crate::ident::quoted(text);
            bad(format!("the finding says that the credentials belong to a user, but its principal id {id} is not a user's"))
        })?),
    };
    let access_key = principal
        .access_key_id
        .clone()
        .filter(|key| key.len() <= 128 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    Ok(Whom { who: Who::User { user, user_id, access_key }, hold: None })
}
