//! One account: its remediation role.

use super::{Doctor, Level, Problem};
use crate::aws::{CallError, CallScope, Entry, ErrorKind, MemberSession, RoleFacts, Simulation};
use crate::config::RemedyName;
use crate::org::Account;
use crate::policies::{self, Trusted};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;

/// A principal that nobody has: the simulator need not find what it is asked about.
const NOBODY: &str = "rescind-doctor-asks-about-nobody";

/// What was seen of an account.
pub(super) struct Looked {
    pub member: super::Member,
    pub problems: Vec<Problem>,
    /// AWS's time less ours.
    pub skew: Option<SignedDuration>,
}

impl Doctor<'_> {
    /// Enters an account and looks at its remediation role.
    pub(super) async fn member(&self, account: &Account, trusted: Option<&Trusted>) -> Looked {
        let member = &self.config.member;
        let partition = self.hub.identity().partition;
        let role_arn = partition.role_arn(&account.id, &member.path_and_name());
        let policy = policies::session_of_doctor(&role_arn);
        let entry = Entry {
            account: &account.id,
            role_arn: &role_arn,
            session_name: "rescind-doctor",
            external_id: &member.external_id,
            source_identity: &member.source_identity,
            session_policy: &policy,
        };
        let mut looked = Looked {
            member: super::Member { account: account.id.clone(), name: account.name.clone(), ready: false },
            problems: Vec::new(),
            skew: None,
        };
        let session = match self.hub.enter(&entry, &CallScope::default()).await {
            Ok(session) => session,
            Err(error) => {
                looked.problems.push(self.not_entered(account, &error));
                return looked;
            }
        };
        looked.skew = Some(session.aws_now().duration_since(Timestamp::now()));
        let remedies = self.remedies();
        let wanted = policies::member_role(&remedies);
        let (role, found, may) = futures::join!(
            session.role(&member.role_name),
            futures::future::join_all(
                wanted.iter().map(|(name, _)| session.role_policy(&member.role_name, name))
            ),
            self.may(&session, &role_arn, &wanted),
        );
        looked.problems.extend(may.unwrap_or_else(|error| vec![unread(account, &error)]));
        // Without a permission that it needs it is not ready; what is only otherwise is told.
        looked.member.ready = looked.problems.is_empty();
        for problem in &mut looked.problems {
            problem.place = account.id.to_string();
        }
        match role {
            Ok(role) => looked.problems.extend(self.trust(account, &role, trusted)),
            Err(error) => looked.problems.push(unread(account, &error)),
        }
        for ((name, wanted), found) in wanted.iter().zip(found) {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    looked.problems.push(unread(account, &error));
                    continue;
                }
            };
            let found: Option<Value> = found.map(|text| serde_json::from_str(&text).unwrap_or_default());
            let differs = match &found {
                None => Some("it is not there".to_owned()),
                Some(found) => policies::difference(wanted, found),
            };
            if let Some(differs) = differs {
                looked.problems.push(Problem::new(
                    Level::Warning,
                    "role_out_of_date",
                    &account.id,
                    format!(
                        "the policy {name} of the remediation role is not the one of this rescind: {differs}"
                    ),
                    self.put_policy(name),
                ));
            }
        }
        looked
    }

    /// The remedies that rules ask for.
    pub(super) fn remedies(&self) -> Vec<RemedyName> {
        let asked = self.config.rules.iter().flat_map(|rule| rule.remedies.iter().copied());
        let mut all = vec![RemedyName::RoleSessions];
        all.extend(asked.filter(|remedy| *remedy != RemedyName::RoleSessions).take(1));
        all
    }

    /// What the role may not do that it must. One question for each kind of resource.
    async fn may(
        &self,
        session: &MemberSession,
        role_arn: &str,
        wanted: &[(&'static str, Value)],
    ) -> Result<Vec<Problem>, CallError> {
        let asked = questions(wanted, role_arn);
        let answers = asked.iter().map(|(resource, actions)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            async move { session.may(role_arn, &actions, resource).await }
        });
        let (mut by_scp, mut by_role) = (Vec::new(), Vec::new());
        for (action, answer) in futures::future::try_join_all(answers).await?.into_iter().flatten() {
            match answer {
                Simulation { by_organization: Some(false), .. } => by_scp.push(action),
                answer if !answer.is_allowed() => by_role.push(action),
                _ => {}
            }
        }
        let mut problems = Vec::new();
        if !by_scp.is_empty() {
            problems.push(Problem::new(
                Level::Problem,
                "scp_in_the_way",
                "",
                format!("a policy of the organization keeps the remediation role from {}", by_scp.join(", ")),
                format!(
                    "In the SCP that denies it, spare the role: \"Condition\": {{\"ArnNotLike\": {{\"aws:PrincipalArn\": \"arn:*:iam::*:role/{}\"}}}}",
                    self.config.member.path_and_name()
                ),
            ));
        }
        if !by_role.is_empty() {
            problems.push(Problem::new(
                Level::Problem,
                "permission_missing",
                "",
                format!("the remediation role may not {}", by_role.join(", ")),
                wanted.iter().map(|(name, _)| self.put_policy(name)).collect::<Vec<_>>().join("\n"),
            ));
        }
        Ok(problems)
    }

    fn trust(&self, account: &Account, role: &RoleFacts, trusted: Option<&Trusted>) -> Option<Problem> {
        let trusted = trusted?;
        let differs = policies::trust_difference(trusted, role.trust.as_deref())?;
        Some(Problem::new(
            Level::Warning,
            "trust_out_of_date",
            &account.id,
            format!("whom the remediation role trusts is not as this rescind asks for: {differs}"),
            format!(
                "rescind policies print member-trust > trust.json\naws iam update-assume-role-policy --role-name {} --policy-document file://trust.json   # with credentials for ACCOUNT",
                self.config.member.role_name
            ),
        ))
    }

    fn not_entered(&self, account: &Account, error: &CallError) -> Problem {
        let role = self.config.member.path_and_name();
        match error.kind {
            ErrorKind::Denied => Problem::new(
                Level::Problem,
                "cannot_enter",
                &account.id,
                format!(
                    "the role {role} cannot be assumed: it is not there, does not trust the hub with this external id, or an SCP denies it"
                ),
                "aws cloudformation deploy --stack-name rescind-member-role --template-file policies/deployment/member-role.yaml --capabilities CAPABILITY_NAMED_IAM --parameter-overrides HubRoleArn=… ExternalId=… OrganizationId=…   # with credentials for ACCOUNT; the stack set of docs/deployment.md does it for all",
            ),
            _ => Problem::new(
                Level::Problem,
                "cannot_enter",
                &account.id,
                format!("it cannot be told whether the role can be assumed: {error}"),
                crate::aws::hub_hint(error, self.hub.identity()),
            ),
        }
    }

    fn put_policy(&self, name: &str) -> String {
        let role = &self.config.member.role_name;
        let users = if name == policies::USERS_POLICY { " --remedies user_keys" } else { "" };
        format!(
            "rescind policies print member-role{users} --policy {name} > {name}.json\naws iam put-role-policy --role-name {role} --policy-name {name} --policy-document file://{name}.json   # with credentials for ACCOUNT"
        )
    }
}

/// The actions of the policies, by a resource of the kind that they are for.
fn questions(wanted: &[(&'static str, Value)], role_arn: &str) -> BTreeMap<String, Vec<String>> {
    let account = role_arn.rsplit_once(":role/").map_or("", |(before, _)| before);
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let statements = wanted.iter().filter_map(|(_, policy)| policy["Statement"].as_array()).flatten();
    for statement in statements {
        let resource = match statement["Resource"].as_str() {
            Some(arn) if arn.ends_with(":role/*") => format!("{account}:role/{NOBODY}"),
            Some(arn) if arn.ends_with(":user/*") => format!("{account}:user/{NOBODY}"),
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

fn unread(account: &Account, error: &CallError) -> Problem {
    Problem::new(
        Level::Problem,
        "role_unreadable",
        &account.id,
        format!("the remediation role cannot be looked at: {error}"),
        "Give it the permissions of `rescind policies print member-role`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_policies_is_asked_about() {
        let wanted = policies::member_role(&[RemedyName::RoleSessions, RemedyName::UserKeys]);
        let asked = questions(&wanted, "arn:aws:iam::222222222222:role/a/Remediation");
        let of = |resource: &str| asked.get(resource).cloned().unwrap_or_default();
        let role = of(&format!("arn:aws:iam::222222222222:role/{NOBODY}"));
        assert!(role.contains(&"iam:PutRolePolicy".to_owned()), "{asked:?}");
        let user = of(&format!("arn:aws:iam::222222222222:user/{NOBODY}"));
        assert!(user.contains(&"iam:UpdateAccessKey".to_owned()), "{asked:?}");
        assert!(of("*").contains(&"iam:GetAccountSummary".to_owned()), "{asked:?}");
        assert_eq!(asked.len(), 3);
    }
}
