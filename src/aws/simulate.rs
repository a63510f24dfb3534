//! What the policy simulator answers for a session of a role (SimulatePrincipalPolicy).

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
        }
    }
}

impl MemberSession {
    /// SimulatePrincipalPolicy: what a session of the role whose token was issued at
    /// `token_issue_time` would be answered for `action`.
    ///
    /// # Errors
    /// As the call's.
    pub async fn simulate(
        &self,
        role_arn: &str,
        action: &str,
        token_issue_time: &str,
    ) -> Result<Simulation, CallError> {
        let results = self.evaluate(role_arn, &[action], None, token_issue_time).await?;
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
        let results = self.evaluate(role_arn, actions, Some(resource_arn), token_issue_time).await?;
        actions
            .iter()
            .map(|action| {
                let result = results.iter().find(|r| r.eval_action_name().eq_ignore_ascii_case(action));
                result.map(|r| ((*action).to_owned(), Simulation::read(r))).ok_or_else(no_result)
            })
            .collect()
    }

    async fn evaluate(
        &self,
        role_arn: &str,
        actions: &[&str],
        resource_arn: Option<&str>,
        token_issue_time: &str,
    ) -> Result<Vec<EvaluationResult>, CallError> {
        let context = ContextEntry::builder()
            .context_key_name("aws:TokenIssueTime")
            .context_key_type(ContextKeyTypeEnum::Date)
            .context_key_values(token_issue_time)
            .build();
        let request = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(role_arn)
            .set_action_names(Some(actions.iter().map(ToString::to_string).collect()))
            .set_resource_arns(resource_arn.map(|arn| vec![arn.to_owned()]))
            .context_entries(context)
            .send()
            .boxed();
        let answer = recorded(&*self.sink, self.call("SimulatePrincipalPolicy"), request).await?;
        Ok(answer.evaluation_results.unwrap_or_default())
    }
}

fn no_result() -> CallError {
    odd("SimulatePrincipalPolicy", "the answer has no result")
}
