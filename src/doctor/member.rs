//! One account: its remediation role.

use super::quarantine::{quarantine_not_allowed, serves_quarantine};
use super::{BY_HAND, Doctor, Level, Problem, unread};
use crate::aws::{AssumeRole, Caller, MemberSession, RoleFacts, Simulation};
use crate::org::Account;
use crate::policies::{self, Trusted};
use crate::remediation::{CallError, CallScope, ErrorKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Name of a principal that does not exist: the simulator need not find what it is asked about.
const NOBODY: &str = "rescind-doctor-asks-about-nobody";

/// What was seen of an account.
pub(super) struct Looked {
    pub member: super::Member,
    pub problems: Vec<Problem>,
}

impl Doctor<'_> {
    /// Enters an account and looks at its remediation role.
    pub(super) async fn member(&self, account: &Account, trusted: Option<&Trusted>) -> Looked {
        let member = &self.config.member;
        let partition = self.hub.identity().partition;
        let role_arn = partition.role_arn(&account.id, &member.path_and_name());
        let policy = policies::session_of_doctor(&role_arn);
        let request = AssumeRole {
            account: &account.id,
            role_arn: &role_arn,
            session_name: "rescind-doctor",
            external_id: &member.external_id,
            source_identity: &member.source_identity,
            session_policy: &policy,
        };
        let mut looked = Looked {
            member: super::Member {
                account: account.id.clone(),
                name: account.name.clone(),
                ready: None,
                sealed: None,
            },
            problems: Vec::new(),
        };
        let session = match self.hub.assume_role(&request, &CallScope::default()).await {
            Ok(session) => session,
            Err(error) => {
                looked.member.ready = (error.kind == ErrorKind::Denied).then_some(false);
                looked.problems.push(self.not_entered(account, &error, trusted));
                return looked;
            }
        };
        let wanted = policies::member_role(&member.path_and_name(), &self.config.named_remedies());
        let caller = Caller {
            arn: &role_arn,
            user_id: None,
            source_identity: Some(&member.source_identity),
            since: session.opened_at(),
        };
        let (role, found, may, quarantine) = futures::join!(
            session.role(&member.role_name),
            futures::future::join_all(
                wanted.iter().map(|(name, _)| session.role_policy(&member.role_name, name))
            ),
            self.may(&session, &caller, &wanted),
            self.quarantine(account, &session, &role_arn),
        );
        match may {
            // Without a permission that it needs it is not ready; other differences are only reported.
            Ok(problems) => {
                let is_ready = problems.iter().all(|problem| problem.level != Level::Problem);
                looked.member.ready = Some(is_ready);
                looked.problems.extend(problems);
            }
            Err(error) => looked.problems.push(unread(account, "what the remediation role may do", &error)),
        }
        for problem in &mut looked.problems {
            problem.place = account.id.to_string();
        }
        if let Some(problem) = quarantine {
            if self.needs_quarantine() {
                let is_known = problem.code != "role_unreadable";
                looked.member.ready = looked.member.ready.filter(|ready| !ready || is_known).map(|_| false);
            }
            looked.problems.push(problem);
        }
        match role {
            Ok(role) => looked.problems.extend(self.trust(account, &role, trusted)),
            Err(error) => looked.problems.push(unread(account, "the remediation role", &error)),
        }
        for ((name, wanted), found) in wanted.iter().zip(found) {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    looked.problems.push(unread(account, "the remediation role's policies", &error));
                    continue;
                }
            };
            let found: Option<Value> = found.map(|text| serde_json::from_str(&text).unwrap_or_default());
            let differs = match &found {
                None => Some("it is missing".to_owned()),
                Some(found) => policies::difference(wanted, found),
            };
            if let Some(differs) = differs {
                looked.problems.push(Problem::new(
                    Level::Warning,
                    "role_out_of_date",
                    &account.id,
                    format!(
                        "the remediation role's policy {name} does not match this version of rescind: {differs}"
                    ),
                    self.put_policy(name),
                ));
            }
        }
        looked
    }

    /// What the role may not do that it must. One question for each kind of resource.
    async fn may(
        &self,
        session: &MemberSession,
        caller: &Caller<'_>,
        wanted: &[(&'static str, Value)],
    ) -> Result<Vec<Problem>, CallError> {
        let asked = questions(wanted, caller.arn);
        let answers = asked.iter().map(|(resource, actions)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            async move { session.simulate(caller, &actions, Some(resource)).await }
        });
        let (mut by_scp, mut by_role, mut unclear) = (Vec::new(), Vec::new(), BTreeSet::new());
        let answers: Result<Vec<_>, _> = futures::future::join_all(answers).await.into_iter().collect();
        for (action, answer) in answers?.into_iter().flatten() {
            match answer {
                Simulation { by_organization: Some(false), unknown, .. } => {
                    by_scp.push(action);
                    unclear.extend(unknown);
                }
                answer if !answer.is_allowed() => by_role.push(action),
                _ => {}
            }
        }
        let exempt = format!(
            "In the SCP that denies it, exempt the role: \"Condition\": {{\"ArnNotLike\": {{\"aws:PrincipalArn\": \"arn:*:iam::*:role/{}\"}}}}\nIf it is exempt already, `rescind drill` in the account shows what AWS does.",
            self.config.member.path_and_name()
        );
        let grant = wanted.iter().map(|(name, _)| self.put_policy(name)).collect::<Vec<_>>().join("\n");
        let is_extra = !self.needs_quarantine();
        let is_for_it = |action: &String| is_extra && serves_quarantine(action);
        let (quarantine_by_scp, by_scp): (Vec<_>, Vec<_>) = by_scp.into_iter().partition(is_for_it);
        let (quarantine_by_role, by_role): (Vec<_>, Vec<_>) = by_role.into_iter().partition(is_for_it);
        let mut problems = Vec::new();
        problems.extend(quarantine_not_allowed(&quarantine_by_scp, &exempt));
        problems.extend(quarantine_not_allowed(&quarantine_by_role, &grant));
        if !by_scp.is_empty() {
            let unclear: Vec<String> = unclear.into_iter().collect();
            let but = if unclear.is_empty() {
                String::new()
            } else {
                format!(" (according to IAM's simulator, which does not know {})", unclear.join(", "))
            };
            problems.push(Problem::new(
                Level::Problem,
                "scp_in_the_way",
                "",
                format!("an SCP denies the remediation role {}{but}", by_scp.join(", ")),
                exempt,
            ));
        }
        if !by_role.is_empty() {
            problems.push(Problem::new(
                Level::Problem,
                "permission_missing",
                "",
                format!("the remediation role may not {}", by_role.join(", ")),
                grant,
            ));
        }
        Ok(problems)
    }

    fn trust(&self, account: &Account, role: &RoleFacts, trusted: Option<&Trusted>) -> Option<Problem> {
        let trusted = trusted?;
        let differs = policies::trust_difference(trusted, role.trust.as_deref())?;
        let lets_more = policies::trusts_more(trusted, role.trust.as_deref());
        let (level, code, what) = if lets_more {
            (Level::Problem, "trust_too_wide", "the remediation role trusts more than the hub")
        } else {
            (
                Level::Warning,
                "trust_out_of_date",
                "the remediation role's trust policy does not match this version of rescind",
            )
        };
        Some(Problem::new(
            level,
            code,
            &account.id,
            format!("{what}: {differs}"),
            format!(
                "{BY_HAND}\n(umask 077; rescind policies print member-trust --organization {} > trust.json)   # as the hub: it has the external id in it\naws iam update-assume-role-policy --role-name {} --policy-document file://trust.json   # with credentials for ACCOUNT",
                trusted.organization, self.config.member.role_name
            ),
        ))
    }

    fn not_entered(&self, account: &Account, error: &CallError, trusted: Option<&Trusted>) -> Problem {
        let role = self.config.member.path_and_name();
        if error.kind != ErrorKind::Denied {
            let text = format!("cannot check whether the role can be assumed: {error}");
            let fix = crate::aws::hub_hint(error, self.hub.identity());
            return Problem::new(Level::Problem, "role_unreadable", &account.id, text, fix);
        }
        if error.message.contains("no identity-based policy allows") {
            let text = format!("the hub's own role may not assume {role}");
            let name = self.hub.identity().role_name().unwrap_or("HUB-ROLE").to_owned();
            let fix = format!(
                "rescind policies print hub-role > hub.json\naws iam put-role-policy --role-name {name} --policy-name Rescind --policy-document file://hub.json   # with credentials for {}",
                self.hub.identity().account
            );
            return Problem::new(Level::Problem, "hub_may_not_enter", &account.id, text, fix);
        }
        let member = &self.config.member;
        let (hub_role, organization) = trusted
            .map_or(("…", "…"), |trusted| (trusted.hub_role_arn.as_str(), trusted.organization.as_str()));
        let remedies = self.config.named_remedies();
        let users = policies::user_keys(&remedies);
        let contain_only = policies::is_contain_only(&remedies);
        Problem::new(
            Level::Problem,
            "cannot_enter",
            &account.id,
            format!(
                "the role {role} cannot be assumed: it does not exist, does not trust the hub with this external id, or an SCP denies it"
            ),
            format!(
                "The stack set of docs/deployment.md creates it in all accounts but the management account. In one account, without the stack set:\naws cloudformation deploy --stack-name rescind-member-role-here --template-file policies/deployment/member-role.yaml --capabilities CAPABILITY_NAMED_IAM --parameter-overrides RoleName={} RolePath=/{} HubRoleArn={hub_role} OrganizationId={organization} SourceIdentity={} UserKeys={users} ContainOnly={contain_only} ExternalId=…   # member.external_id; with credentials for ACCOUNT",
                member.role_name, member.role_path, member.source_identity
            ),
        )
    }

    fn put_policy(&self, name: &str) -> String {
        let role = &self.config.member.role_name;
        let users = match name {
            policies::USERS_POLICY => "",
            _ if policies::is_contain_only(&self.config.named_remedies()) => " --contain-only",
            _ => "",
        };
        format!(
            "{BY_HAND}\nrescind policies print member-role{users} --policy {name} > {name}.json\naws iam put-role-policy --role-name {role} --policy-name {name} --policy-document file://{name}.json   # with credentials for ACCOUNT"
        )
    }
}

/// The actions that the policies allow, by a resource of the kind that they are for.
fn questions(wanted: &[(&'static str, Value)], role_arn: &str) -> BTreeMap<String, Vec<String>> {
    let account = role_arn.rsplit_once(":role/").map_or("", |(before, _)| before);
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let statements = wanted.iter().filter_map(|(_, policy)| policy["Statement"].as_array()).flatten();
    for statement in statements.filter(|statement| statement["Effect"] == "Allow") {
        let resource = match statement["Resource"].as_str() {
            Some(arn) if arn.ends_with(":role/*") => format!("{account}:role/{NOBODY}"),
            Some(arn) if arn.ends_with(":user/*") => format!("{account}:user/{NOBODY}"),
            Some(arn) if arn.contains(":policy/") => policies::quarantine_beside(role_arn),
            Some(arn) if arn.contains(":role/") => role_arn.to_owned(),
            _ => "*".to_owned(),
        };
        let actions = asked.entry(resource).or_default();
        match &statement["Action"] {
            Value::Array(all) => actions.extend(all.iter().filter_map(|one| one.as_str().map(str::to_owned))),
            one => actions.extend(one.as_str().map(str::to_owned)),
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RemedyName;

    #[test]
    fn every_action_of_the_policies_is_asked_about() {
        let wanted =
            policies::member_role("a/Remediation", &[RemedyName::RoleSessions, RemedyName::UserKeys]);
        let asked = questions(&wanted, "arn:aws:iam::222222222222:role/a/Remediation");
        let of = |resource: &str| asked.get(resource).cloned().unwrap_or_default();
        let role = of(&format!("arn:aws:iam::222222222222:role/{NOBODY}"));
        assert!(role.contains(&"iam:PutRolePolicy".to_owned()), "{asked:?}");
        let user = of(&format!("arn:aws:iam::222222222222:user/{NOBODY}"));
        assert!(user.contains(&"iam:UpdateAccessKey".to_owned()), "{asked:?}");
        assert!(of("*").contains(&"iam:GetAccountSummary".to_owned()), "{asked:?}");
        let policy = of("arn:aws:iam::222222222222:policy/rescind/Quarantine");
        assert_eq!(policy, ["iam:GetPolicy", "iam:GetPolicyVersion"]);
        assert_eq!(asked.len(), 4);
        let wanted = policies::member_role("a/Remediation", &[RemedyName::Quarantine]);
        let role_arn = "arn:aws:iam::222222222222:role/a/Remediation";
        assert_eq!(questions(&wanted, role_arn)[role_arn], ["iam:GetRolePolicy"]);
    }
}
