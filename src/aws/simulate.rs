//! What the policy simulator answers for a session of a principal (SimulatePrincipalPolicy).

use super::error::CallError;
use super::member::{MemberSession, odd};
use super::record::recorded;
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType as Decision,
};
use futures::FutureExt;

/// What the policy simulator answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: String,
    /// The policies whose statements decided.
    pub matched: Vec<String>,
    /// What the organization's policies say (SCPs), where AWS tells it.
    pub by_organization: Option<bool>,
    /// What policies ask about that was not told: the answer need not be that of a real call.
    pub unknown: Vec<String>,
}

/// Who calls, as policies see it; and in which region.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// The role.
    pub role_arn: &'a str,
    /// Its account.
    pub account: &'a str,
    /// The organization, if it is known.
    pub organization: Option<&'a str>,
    /// As whom the hub enters.
    pub source_identity: &'a str,
    /// The region of the call.
    pub region: &'a str,
    /// When its session began.
    pub since: jiff::Timestamp,
}

impl Caller<'_> {
    fn context(&self) -> Vec<ContextEntry> {
        let known = [
            ("aws:PrincipalArn", Some(self.role_arn)),
            ("aws:PrincipalAccount", Some(self.account)),
            ("aws:PrincipalOrgID", self.organization),
            ("aws:SourceIdentity", Some(self.source_identity)),
            ("aws:RequestedRegion", Some(self.region)),
        ];
        let known = known.into_iter().filter_map(|(key, value)| Some(text(key, value?)));
        known.chain([issued_at(&self.since.to_string())]).collect()
    }
}

impl Simulation {
    /// A policy says Deny.
    #[must_use]
    pub fn is_explicit_deny(&self) -> bool {
        self.decision == Decision::ExplicitDeny.as_str()
    }

    /// The call would be made.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allowed.as_str()
    }

    fn read(result: &EvaluationResult) -> Self {
        Self {
            decision: result.eval_decision().as_str().to_owned(),
            matched: result
                .matched_statements()
                .iter()
                .filter_map(|s| s.source_policy_id().map(str::to_owned))
                .collect(),
            by_organization: result
                .organizations_decision_detail()
                .map(aws_sdk_iam::types::OrganizationsDecisionDetail::allowed_by_organizations),
            unknown: result.missing_context_values().to_vec(),
        }
    }
}

impl MemberSession {
    /// SimulatePrincipalPolicy: what a session of the principal whose token was issued at
    /// `token_issue_time`, and whose `aws:userid` is `user_id`, would be answered for `action`.
    ///
    /// # Errors
    /// As the call's.
    pub async fn simulate(
        &self,
        arn: &str,
        action: &str,
        token_issue_time: &str,
        user_id: Option<&str>,
    ) -> Result<Simulation, CallError> {
        let context = [issued_at(token_issue_time)].into_iter().chain(user_id.map(called_by)).collect();
        let results = self.evaluate(arn, &[action], None, context).await?;
        results.first().map(Simulation::read).ok_or_else(no_result)
    }

    /// SimulatePrincipalPolicy: the same for several actions on one resource, in one call; each action
    /// with its answer.
    ///
    /// # Errors
    /// As the call's. An answer that leaves an action out is an error.
    pub async fn simulate_actions(
        &self,
        role_arn: &str,
        actions: &[&str],
        resource_arn: &str,
        token_issue_time: &str,
    ) -> Result<Vec<(String, Simulation)>, CallError> {
        let context = vec![issued_at(token_issue_time)];
        let results = self.evaluate(role_arn, actions, Some(resource_arn), context).await?;
        each_of(actions, &results)
    }

    /// SimulatePrincipalPolicy: whether a session of the caller may make these calls on a resource, by
    /// its policies, its permissions boundary and the organization's policies; each action with its
    /// answer. A condition about what is not in the context is true where it says "not", so that all that is
    /// known of the caller is told.
    ///
    /// # Errors
    /// As the call's. An answer that leaves an action out is an error.
    pub async fn may(
        &self,
        caller: &Caller<'_>,
        actions: &[&str],
        resource_arn: &str,
    ) -> Result<Vec<(String, Simulation)>, CallError> {
        let context = caller.context();
        let results = self.evaluate(caller.role_arn, actions, Some(resource_arn), context).await?;
        each_of(actions, &results)
    }

    async fn evaluate(
        &self,
        arn: &str,
        actions: &[&str],
        resource_arn: Option<&str>,
        context: Vec<ContextEntry>,
    ) -> Result<Vec<EvaluationResult>, CallError> {
        let request = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(arn)
            .set_action_names(Some(actions.iter().map(ToString::to_string).collect()))
            .set_resource_arns(resource_arn.map(|arn| vec![arn.to_owned()]))
            .set_context_entries(Some(context))
            .send()
            .boxed();
        let answer = recorded(&*self.sink, self.call("SimulatePrincipalPolicy"), request).await?;
        Ok(answer.evaluation_results.unwrap_or_default())
    }
}

fn each_of(actions: &[&str], results: &[EvaluationResult]) -> Result<Vec<(String, Simulation)>, CallError> {
    let of = |action: &&str| {
        let result = results.iter().find(|r| r.eval_action_name().eq_ignore_ascii_case(action));
        result.map(|r| ((*action).to_owned(), Simulation::read(r))).ok_or_else(no_result)
    };
    actions.iter().map(of).collect()
}

fn issued_at(time: &str) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name("aws:TokenIssueTime")
        .context_key_type(ContextKeyTypeEnum::Date)
        .context_key_values(time)
        .build()
}

fn called_by(user_id: &str) -> ContextEntry {
    text("aws:userid", user_id)
}

fn text(key: &str, value: &str) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name(key)
        .context_key_type(ContextKeyTypeEnum::String)
        .context_key_values(value)
        .build()
}

fn no_result() -> CallError {
    odd("SimulatePrincipalPolicy", "the answer has no result")
}
