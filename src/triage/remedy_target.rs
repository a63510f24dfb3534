//! Which principal a finding leads to, what is to deny it, and whether a person is asked first.

use super::{HoldReason, Policy, Ruling, SkipReason, Unsupported};
use crate::config::{Mode, RemedyName, Rule, Scope};
use crate::finding::{Derived, DerivedKind, Finding, NotARole, Order, Principal, RoleTarget, UserType};
use crate::ident::{UserId, UserName, is_name_byte};
use crate::org::Snapshot;
use crate::remediation::{Means, OneSession, Target, Who, is_session_id};

/// The principal to act on and what is to deny it, and why a person has to be asked first, if so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RemedyTarget {
    pub who: Who,
    pub means: Means,
    pub hold: Option<HoldReason>,
}

impl RemedyTarget {
    /// A principal that rescind cannot change.
    pub fn unsupported(principal: String, why: Unsupported) -> Self {
        let hold = Some(HoldReason::Unsupported(why));
        Self { who: Who::Unsupported { principal }, means: Means::InlinePolicy, hold }
    }

    /// Denied by the organization. A person is asked first, unless the rule says that it is done.
    fn by_organization(who: Who, rule: &Rule) -> Self {
        let hold = (rule.mode != Some(Mode::Enforce))
            .then(|| HoldReason::OrganizationDeny { rule: rule.name.clone() });
        Self { who, means: Means::ServiceControlPolicy, hold }
    }
}

/// The first of the rule's remedies that is for such a principal, where `own` is the one that writes to it.
fn means(rule: &Rule, own: RemedyName) -> Option<Means> {
    rule.remedies.iter().find_map(|remedy| match remedy {
        RemedyName::Quarantine => Some(Means::Quarantine),
        RemedyName::OrganizationDeny => Some(Means::ServiceControlPolicy),
        remedy => (*remedy == own).then_some(Means::InlinePolicy),
    })
}

impl Policy {
    /// The key of the principal that a finding's remedy is for, as the rules are now; none when there is
    /// nothing to be done about it.
    #[must_use]
    pub fn key_of(&self, finding: &Finding, organization: &Snapshot) -> Option<String> {
        let rule = match self.ruling(finding, organization) {
            Ruling::Rule(rule) | Ruling::Unclear(rule, _) => rule,
            Ruling::None => return None,
        };
        let (partition, account) = (self.partition, finding.account.clone());
        let RemedyTarget { who, means, .. } = remedy_target(finding, self, rule).ok()?;
        let target = Target { partition, account, who, means };
        if organization.account(&finding.account).is_some() {
            return Some(target.key());
        }
        // As it is held for a person.
        let who = Who::Unsupported { principal: target.principal() };
        Some(Target { who, means: Means::InlinePolicy, ..target }.key())
    }
}

/// The principal to act on, as the rule says. Of a finding that names no credentials a person is asked whether it is.
pub(super) fn remedy_target(
    finding: &Finding,
    policy: &Policy,
    rule: &Rule,
) -> Result<RemedyTarget, SkipReason> {
    let Some(how) = &finding.inferred else { return named_target(finding, policy, rule) };
    if finding.principal.is_none() {
        let principal = "a role that is not named".to_owned();
        return Ok(RemedyTarget::unsupported(principal, Unsupported::Unclear(how.clone())));
    }
    let mut target = named_target(finding, policy, rule)?;
    if !matches!(target.who, Who::Unsupported { .. }) {
        let who = Target {
            partition: policy.partition,
            account: finding.account.clone(),
            who: target.who.clone(),
            means: target.means,
        };
        target.hold = Some(HoldReason::Inferred { principal: who.principal(), how: how.clone() });
    }
    Ok(target)
}

fn named_target(finding: &Finding, policy: &Policy, rule: &Rule) -> Result<RemedyTarget, SkipReason> {
    let principal = finding.principal.as_ref().ok_or(SkipReason::NoPrincipal)?;
    if let Some(derived) = finding.derived() {
        return opened_or_made(finding, derived, principal, policy, rule);
    }
    if finding.cause.order().is_some_and(Order::is_by_person) {
        return ordered(finding, principal, policy, rule);
    }
    match principal.user_type {
        UserType::IamUser if means(rule, RemedyName::UserKeys).is_some() => Ok(user(principal, rule)),
        UserType::Root if rule.remedies.contains(&RemedyName::OrganizationDeny) => {
            Ok(RemedyTarget::by_organization(Who::Root { root_user: finding.account.clone() }, rule))
        }
        UserType::Root => Ok(RemedyTarget::unsupported("the root user".to_owned(), Unsupported::Root)),
        UserType::FederatedUser => {
            let name = principal.user_name.clone().or_else(|| principal.principal_id.clone());
            let name = name.unwrap_or_else(|| "(no name)".to_owned());
            let bare = name.strip_prefix(&format!("{}:", finding.account)).unwrap_or(&name);
            // It goes into a policy document, so nothing but a name of GetFederationToken will do.
            let is_name = (2..=32).contains(&bare.len()) && bare.bytes().all(is_name_byte);
            if is_name && rule.remedies.contains(&RemedyName::OrganizationDeny) {
                let who = Who::Federated { federated_user: bare.to_owned() };
                return Ok(RemedyTarget::by_organization(who, rule));
            }
            Ok(RemedyTarget::unsupported(
                format!("the federated user {}", crate::ident::quoted(&name)),
                Unsupported::FederatedUser(name),
            ))
        }
        _ => match principal.role(&finding.account) {
            Ok(found) => role(finding, policy, rule, found),
            Err(NotARole::Unclear { why, .. }) => Ok(unclear(principal, "a role", why)),
            Err(NotARole::InstanceIdentity(instance)) => {
                let principal = format!("the identity role of {instance}");
                Ok(RemedyTarget::unsupported(principal, Unsupported::InstanceIdentity(instance)))
            }
            Err(error @ NotARole::Kind(_)) => Err(SkipReason::NotARole(error.to_string())),
        },
    }
}

/// What was opened with stolen credentials, or made. Of a role only the one session: it has legitimate users, who know
/// nothing of this.
fn opened_or_made(
    finding: &Finding,
    derived: &Derived,
    principal: &Principal,
    policy: &Policy,
    rule: &Rule,
) -> Result<RemedyTarget, SkipReason> {
    let mut target = match derived.what {
        DerivedKind::Session => match principal.role(&finding.account) {
            Ok(found) if derived.renames => role(finding, policy, &of_all_sessions(rule), found)?,
            Ok(found) => role(finding, policy, &of_session(rule), found)?,
            Err(error) => unclear(principal, "a session", error.to_string()),
        },
        DerivedKind::AccessKey => user(principal, &with_remedy(rule, RemedyName::UserKeys)),
        DerivedKind::User => user(principal, &with_remedy(rule, RemedyName::Quarantine)),
        DerivedKind::Role => match principal.role(&finding.account) {
            Ok(found) => role(finding, policy, &with_remedy(rule, RemedyName::Quarantine), found)?,
            Err(error) => unclear(principal, "a role", error.to_string()),
        },
    };
    let elsewhere = derived.elsewhere.clone().map(|address| HoldReason::Elsewhere { address });
    target.hold = target.hold.or(elsewhere);
    Ok(target)
}

/// What a person ordered: exactly that, whatever the rule's scope is.
fn ordered(
    finding: &Finding,
    principal: &Principal,
    policy: &Policy,
    rule: &Rule,
) -> Result<RemedyTarget, SkipReason> {
    if principal.user_type == UserType::IamUser {
        let mut rule = rule.clone();
        if principal.access_key_id.is_none() {
            // No deny on sessions touches the keys that the user has.
            rule = with_remedy(&rule, RemedyName::Quarantine);
        } else if means(&rule, RemedyName::UserKeys).is_none() {
            rule.remedies.push(RemedyName::UserKeys);
        }
        return Ok(user(principal, &rule));
    }
    let is_session = one_session(finding).is_some();
    if let Some(odd) = principal.principal_id.as_deref().filter(|_| !is_session) {
        let why = format!("the order is for one session, and {} names none", crate::ident::quoted(odd));
        return Ok(unclear(principal, "a session", why));
    }
    match principal.role(&finding.account) {
        Ok(found) if is_session => role(finding, policy, &Rule { widen: false, ..of_session(rule) }, found),
        Ok(found) => role(finding, policy, &of_all_sessions(rule), found),
        Err(error) => Ok(unclear(principal, "a role", error.to_string())),
    }
}

/// The rule, for one session. A rule without a remedy for roles revokes it all the same: it led here.
fn of_session(rule: &Rule) -> Rule {
    let mut rule =
        Rule { scope: Scope::Session, widen: rule.scope == Scope::Session && rule.widen, ..rule.clone() };
    if means(&rule, RemedyName::RoleSessions).is_none() {
        rule.remedies.push(RemedyName::RoleSessions);
    }
    rule
}

/// The rule, for all sessions of a role.
fn of_all_sessions(rule: &Rule) -> Rule {
    Rule { scope: Scope::Role, widen: false, ..of_session(rule) }
}

/// The rule, with this remedy only.
fn with_remedy(rule: &Rule, remedy: RemedyName) -> Rule {
    Rule { remedies: vec![remedy], scope: Scope::Role, widen: false, ..rule.clone() }
}

/// A principal that the finding does not name clearly, with the first of its id, name and key that it has.
fn unclear(principal: &Principal, kind: &str, why: String) -> RemedyTarget {
    let said = [&principal.principal_id, &principal.user_name, &principal.access_key_id];
    let known = said.into_iter().flatten().find(|text| !text.is_empty());
    let known = known.map_or_else(|| "no name, id or key".to_owned(), |text| crate::ident::quoted(text));
    RemedyTarget::unsupported(
        format!("{kind} that is not clearly named ({known})"),
        Unsupported::Unclear(why),
    )
}

fn role(
    finding: &Finding,
    policy: &Policy,
    rule: &Rule,
    found: RoleTarget,
) -> Result<RemedyTarget, SkipReason> {
    let RoleTarget { name, id, doubt, .. } = found;
    if name.key().starts_with("awsservicerolefor") {
        return Ok(RemedyTarget::unsupported(
            format!("the service-linked role {name}"),
            Unsupported::ServiceLinkedRole(name),
        ));
    }
    if name.key().starts_with("awsreservedsso_") {
        if rule.remedies.contains(&RemedyName::OrganizationDeny) {
            let session = one_session(finding);
            let doubt = doubt.map(|why| HoldReason::Doubtful { role: name.clone(), why });
            // Without a session it is everybody who has this permission set in the account.
            let hold = match session {
                None => doubt.or_else(|| Some(HoldReason::NoSession { rule: rule.name.clone() })),
                Some(_) => doubt,
            };
            let who = Who::Role { role: name, role_id: id, session };
            return Ok(denied_by(Means::ServiceControlPolicy, who, rule, hold));
        }
        return Ok(RemedyTarget::unsupported(
            format!("the Identity Center role {name}"),
            Unsupported::IdentityCenterRole(name),
        ));
    }
    let is_hub_role = finding.account == policy.hub_account
        && policy.hub_role.as_deref().is_some_and(|hub| hub.eq_ignore_ascii_case(name.as_str()));
    if is_hub_role || name.key() == policy.remediation_role.key() {
        return Err(SkipReason::OwnRole(name));
    }
    let Some(means) = means(rule, RemedyName::RoleSessions) else {
        return Err(SkipReason::NoRemedy { principal: format!("role {name}"), remedy: "role_sessions" });
    };
    let (session, hold) = match rule.scope {
        // The quarantine knows no sessions.
        _ if means == Means::Quarantine => (None, None),
        Scope::Role => (None, None),
        Scope::Session => match one_session(finding) {
            Some(one) => (Some(OneSession { may_widen: rule.widen, ..one }), None),
            None if rule.widen => (None, None),
            None => (None, Some(HoldReason::NoSession { rule: rule.name.clone() })),
        },
    };
    let hold = doubt.map(|why| HoldReason::Doubtful { role: name.clone(), why }).or(hold);
    Ok(denied_by(means, Who::Role { role: name, role_id: id, session }, rule, hold))
}

/// The one session that a finding names.
fn one_session(finding: &Finding) -> Option<OneSession> {
    let user_id = finding.principal.as_ref().and_then(|principal| principal.principal_id.as_deref());
    let user_id = user_id.filter(|id| is_session_id(id))?.to_owned();
    Some(OneSession { user_id, may_widen: false })
}

fn denied_by(means: Means, who: Who, rule: &Rule, hold: Option<HoldReason>) -> RemedyTarget {
    if means == Means::ServiceControlPolicy {
        let organization = RemedyTarget::by_organization(who, rule);
        return RemedyTarget { hold: hold.or(organization.hold), ..organization };
    }
    RemedyTarget { who, means, hold }
}

fn user(principal: &Principal, rule: &Rule) -> RemedyTarget {
    let name = principal.user_name.as_deref().unwrap_or_default();
    let user: UserName = match name.parse() {
        Ok(user) => user,
        Err(error) => {
            let why = format!("the finding does not name the user by its name: {error}");
            return unclear(principal, "a user", why);
        }
    };
    // A session of GetSessionToken has the user's own id.
    let id = principal.principal_id.as_deref().filter(|id| !id.is_empty());
    let Ok(user_id) = id.map(str::parse::<UserId>).transpose() else {
        let id = crate::ident::quoted(id.unwrap_or_default());
        let why = format!("the finding names user {user}, but its principal id {id} is not a user's");
        return unclear(principal, "a user", why);
    };
    let access_key = principal
        .access_key_id
        .clone()
        .filter(|key| key.len() <= 128 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let means = means(rule, RemedyName::UserKeys).unwrap_or_default();
    denied_by(means, Who::User { user, user_id, access_key }, rule, None)
}
