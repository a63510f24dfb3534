//! What the policy simulator answers for a session of a principal (SimulatePrincipalPolicy).

use super::member::{MemberSession, odd};
use super::record::recorded;
use crate::policies;
use crate::remediation::{CallError, SimulatedDecision};
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum as Type, EvaluationResult, PolicyEvaluationDecisionType as Decision,
    Statement,
};
use futures::FutureExt;

/// Maximum number of pages that one question's answer is read from.
const MOST_PAGES: usize = 50;

/// Condition keys that rescind's deny uses.
const OURS: [&str; 2] = ["aws:TokenIssueTime", "aws:userid"];

/// What the policy simulator answers for one action, taken together from the result and from those of each
/// resource below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    pub decision: SimulatedDecision,
    /// The policies whose statements decided, on any level.
    pub matched: Vec<String>,
    /// Whether the organization's policies (SCPs) allow it, where AWS reports that.
    pub by_organization: Option<bool>,
    /// Condition keys that a policy uses and the request did not give: a real call may be answered differently.
    pub unknown: Vec<String>,
}

/// Who calls, as policies see it.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// The role or the user, with its path.
    pub arn: &'a str,
    /// The unique id, and of a role `:` and the session's name.
    pub user_id: Option<&'a str>,
    /// Who entered as it, where that is known.
    pub source_identity: Option<&'a str>,
    /// When its token was issued, in whole seconds.
    pub since: jiff::Timestamp,
}

impl Simulation {
    /// A policy says Deny.
    #[must_use]
    pub fn is_explicit_deny(&self) -> bool {
        self.decision == SimulatedDecision::ExplicitDeny
    }

    /// The call would be made.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision == SimulatedDecision::Allowed
    }

    /// A statement of the inline policy with this name decided. AWS names it `role_ROLE_POLICY`.
    #[must_use]
    pub fn is_by(&self, policy_name: &str) -> bool {
        self.matched.iter().any(|id| {
            id.strip_suffix(policy_name).is_some_and(|before| before.is_empty() || before.ends_with('_'))
        })
    }

    /// A statement of the managed policy with this path and name decided. AWS names it by its name.
    #[must_use]
    pub fn is_by_managed(&self, path_and_name: &str) -> bool {
        let name = path_and_name.rsplit('/').next().unwrap_or(path_and_name);
        self.matched.iter().any(|id| id == name || id.ends_with(&format!("/{name}")))
    }

    /// Whether a condition key that our deny uses counts as missing, although the request gave it.
    #[must_use]
    pub fn misses_ours(&self) -> bool {
        self.unknown.iter().any(|key| OURS.iter().any(|ours| ours.eq_ignore_ascii_case(key)))
    }

    /// All that the results for an action say: they can be on several pages. None when there is no result, or one
    /// that is not known.
    fn read(results: &[&EvaluationResult]) -> Option<Self> {
        let levels: Vec<Level<'_>> = results.iter().flat_map(|result| levels(result)).collect();
        let decisions: Vec<_> = levels.iter().map(|level| known(level.decision)).collect::<Option<_>>()?;
        let first = *decisions.first()?;
        let all_say = decisions.iter().all(|decision| *decision == first);
        let mut unknown: Vec<String> = levels.iter().flat_map(|level| level.missing).cloned().collect();
        unknown.sort();
        unknown.dedup();
        let statements = levels.iter().flat_map(|level| level.matched);
        let by_organization: Vec<bool> = results
            .iter()
            .filter_map(|result| Some(result.organizations_decision_detail()?.allowed_by_organizations()))
            .collect();
        Some(Self {
            decision: if all_say { first } else { SimulatedDecision::Mixed },
            matched: statements.filter_map(|s| s.source_policy_id().map(str::to_owned)).collect(),
            by_organization: (!by_organization.is_empty()).then(|| by_organization.iter().all(|yes| *yes)),
            unknown,
        })
    }
}

/// One level of an answer.
struct Level<'a> {
    decision: &'a Decision,
    matched: &'a [Statement],
    missing: &'a [String],
}

fn known(decision: &Decision) -> Option<SimulatedDecision> {
    Some(match decision {
        Decision::Allowed => SimulatedDecision::Allowed,
        Decision::ImplicitDeny => SimulatedDecision::ImplicitDeny,
        Decision::ExplicitDeny => SimulatedDecision::ExplicitDeny,
        _ => return None,
    })
}

fn levels(result: &EvaluationResult) -> Vec<Level<'_>> {
    let below = result.resource_specific_results().iter().map(|below| Level {
        decision: below.eval_resource_decision(),
        matched: below.matched_statements(),
        missing: below.missing_context_values(),
    });
    let whole = Level {
        decision: result.eval_decision(),
        matched: result.matched_statements(),
        missing: result.missing_context_values(),
    };
    std::iter::once(whole).chain(below).collect()
}

impl MemberSession {
    /// SimulatePrincipalPolicy: what the caller would be answered for these actions on a resource (`*` where
    /// they have none), by its policies, its permissions boundary and the organization's policies; each action
    /// with its answer. A negated condition on a key that is missing from the context is true, so the context
    /// holds all that is known of the caller.
    ///
    /// # Errors
    /// As the calls'. An answer that leaves an action out is an error.
    pub async fn simulate(
        &self,
        caller: &Caller<'_>,
        actions: &[&str],
        resource_arn: Option<&str>,
    ) -> Result<Vec<(String, Simulation)>, CallError> {
        let (mut results, mut marker) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let request = self
                .iam
                .simulate_principal_policy()
                .policy_source_arn(caller.arn)
                .set_action_names(Some(actions.iter().map(ToString::to_string).collect()))
                .set_resource_arns(resource_arn.map(|arn| vec![arn.to_owned()]))
                .set_context_entries(Some(self.context(caller, resource_arn)))
                .set_marker(marker)
                .send()
                .boxed();
            let answer = recorded(&*self.sink, self.call("SimulatePrincipalPolicy"), request).await?;
            results.extend(answer.evaluation_results.unwrap_or_default());
            marker = answer.marker.filter(|marker| answer.is_truncated && !marker.is_empty());
            if marker.is_none() {
                return each_of(actions, &results);
            }
        }
        Err(odd("SimulatePrincipalPolicy", &format!("the answer has more than {MOST_PAGES} pages")))
    }

    /// What is known of a call of the caller's.
    fn context(&self, caller: &Caller<'_>, resource_arn: Option<&str>) -> Vec<ContextEntry> {
        let user = caller.arn.split_once(":user/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path));
        let quarantine = policies::quarantine_beside(caller.arn);
        let (account, organization) = (self.account.as_str(), self.organization.get().map(String::as_str));
        let is_here = resource_arn.is_some_and(|arn| arn.contains(account));
        let texts = [
            ("aws:PrincipalArn", Some(caller.arn)),
            ("aws:PrincipalAccount", Some(account)),
            ("aws:PrincipalOrgID", organization),
            ("aws:PrincipalType", Some(if user.is_some() { "User" } else { "AssumedRole" })),
            ("aws:userid", caller.user_id),
            ("aws:username", user),
            ("aws:SourceIdentity", caller.source_identity),
            ("aws:RequestedRegion", Some(self.region.as_str())),
            ("aws:ResourceAccount", Some(account).filter(|_| is_here)),
            ("aws:ResourceOrgID", organization.filter(|_| is_here)),
            // Only attaching and detaching have it, and the one policy that rescind attaches is this one.
            ("iam:PolicyARN", Some(quarantine.as_str())),
        ];
        let flags = [
            ("aws:SecureTransport", "true"),
            ("aws:ViaAWSService", "false"),
            ("aws:PrincipalIsAWSService", "false"),
        ];
        let times = [("aws:TokenIssueTime", caller.since), ("aws:CurrentTime", self.aws_now())];
        let texts = texts.into_iter().filter_map(|(key, value)| Some(entry(key, Type::String, value?)));
        let flags = flags.into_iter().map(|(key, value)| entry(key, Type::Boolean, value));
        let times = times
            .into_iter()
            .map(|(key, time)| entry(key, Type::Date, &time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
        texts.chain(flags).chain(times).collect()
    }
}

fn each_of(actions: &[&str], results: &[EvaluationResult]) -> Result<Vec<(String, Simulation)>, CallError> {
    let of = |action: &&str| {
        let is_about = |result: &&EvaluationResult| result.eval_action_name().eq_ignore_ascii_case(action);
        let about: Vec<&EvaluationResult> = results.iter().filter(is_about).collect();
        let no_result = || odd("SimulatePrincipalPolicy", "the answer has no result that is known");
        Simulation::read(&about).map(|answer| ((*action).to_owned(), answer)).ok_or_else(no_result)
    };
    actions.iter().map(of).collect()
}

fn entry(key: &str, of: Type, value: &str) -> ContextEntry {
    ContextEntry::builder().context_key_name(key).context_key_type(of).context_key_values(value).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_iam::types::ResourceSpecificResult;
    use aws_sdk_iam::types::builders::EvaluationResultBuilder;

    fn statement(id: &str) -> Statement {
        Statement::builder().source_policy_id(id).build()
    }

    fn begun(decision: Decision, matched: &[&str], missing: &[&str]) -> EvaluationResultBuilder {
        EvaluationResult::builder()
            .eval_action_name("s3:ListAllMyBuckets")
            .eval_decision(decision)
            .set_matched_statements(Some(matched.iter().map(|id| statement(id)).collect()))
            .set_missing_context_values(Some(missing.iter().map(ToString::to_string).collect()))
    }

    fn result(decision: Decision, matched: &[&str], missing: &[&str]) -> EvaluationResult {
        begun(decision, matched, missing).build().expect("whole")
    }

    /// A result that names no policy and lacks one key, and one for a resource below it.
    fn with_below(decision: Decision, id: &str, missing: &str) -> EvaluationResult {
        let below = ResourceSpecificResult::builder()
            .eval_resource_name("*")
            .eval_resource_decision(decision)
            .matched_statements(statement(id))
            .missing_context_values(missing)
            .build()
            .expect("whole");
        let whole = begun(Decision::ExplicitDeny, &[], &["aws:SourceVpc"]);
        whole.resource_specific_results(below).build().expect("whole")
    }

    fn read(results: &[EvaluationResult]) -> Simulation {
        each_of(&["s3:ListAllMyBuckets"], results).expect("an answer").swap_remove(0).1
    }

    #[test]
    fn what_stands_below_a_result_counts_as_what_stands_in_it() {
        let same = with_below(Decision::ExplicitDeny, "role_app_Ours", "aws:PrincipalTag/team");
        let answer = read(&[same]);
        assert!(answer.is_explicit_deny() && answer.is_by("Ours"));
        assert_eq!(answer.unknown, ["aws:PrincipalTag/team", "aws:SourceVpc"]);
        let other = read(&[with_below(Decision::Allowed, "role_app_Ours", "aws:SourceVpc")]);
        assert!(!other.is_explicit_deny() && !other.is_allowed());
        assert_eq!((other.decision, other.unknown.len()), (SimulatedDecision::Mixed, 1));
    }

    #[test]
    fn an_answer_on_two_pages_is_one() {
        let pages = [result(Decision::ExplicitDeny, &["a"], &[]), result(Decision::Allowed, &["b"], &[])];
        assert_eq!((read(&pages).decision, read(&pages).matched.len()), (SimulatedDecision::Mixed, 2));
        assert!(each_of(&["iam:DeleteRole"], &pages).is_err());
    }

    #[test]
    fn a_policy_is_known_by_its_whole_name() {
        for (id, is_ours) in
            [("role_app_Ours", true), ("Ours", true), ("role_app_NotOurs", false), ("Ours_x", false)]
        {
            assert_eq!(read(&[result(Decision::ExplicitDeny, &[id], &[])]).is_by("Ours"), is_ours, "{id}");
        }
    }

    #[test]
    fn what_our_deny_asks_about_must_be_known() {
        let misses = |key| read(&[result(Decision::ExplicitDeny, &[], &[key])]).misses_ours();
        assert!(misses("aws:tokenissuetime") && misses("aws:userid") && !misses("aws:SourceVpc"));
    }
}
