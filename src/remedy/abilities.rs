//! What a session of a role may do to get round its deny, by the policy simulator.

use crate::aws::{Caller, MemberSession, RoleFacts, Simulation};
use crate::remediation::{CallError, Cutoff, ErrorKind, SimulatedDecision};
use crate::safe::short_line;

/// Name of a session, a role and a user that do not exist.
pub(super) const SOMEBODY: &str = "rescind-asks-about-somebody-else";

/// Actions with which a role changes itself.
const SELF_CHANGES: [&str; 7] = [
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePermissionsBoundary",
];

const CREATE_ROLE: &str = "iam:CreateRole";

/// Actions that together make a role that may do something.
const MAKES_ROLES: [&str; 3] = [CREATE_ROLE, "iam:AttachRolePolicy", "iam:PutRolePolicy"];

/// Actions each of which makes credentials of a user.
const MAKES_USERS: [&str; 2] = ["iam:CreateUser", "iam:CreateAccessKey"];

/// What a role may do, as far as the simulator knows. None where it does not know whether the role may do anything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    /// The actions that it may use on itself.
    pub undo: Option<Vec<String>>,
    /// The actions that make credentials of others.
    pub make: Option<Vec<String>>,
    /// What could not be judged, and why.
    pub problems: Vec<String>,
}

/// The answers about some actions, or why there are none.
type Answers = Result<Vec<(String, Simulation)>, CallError>;

impl Abilities {
    /// Asks the simulator about a session that begins after the cutoff.
    pub async fn simulated(session: &MemberSession, role: &RoleFacts, cutoff: Cutoff) -> Self {
        let user_id = format!("{}:{SOMEBODY}", role.id);
        let since = cutoff.plus(1).time();
        let caller = Caller { arn: &role.arn, user_id: Some(&user_id), source_identity: None, since };
        // A statement about all roles by their ARN does not match `*`.
        let home = role.arn.split_once(":role/").map_or("", |(home, _)| home);
        let (other, user) = (format!("{home}:role/{SOMEBODY}"), format!("{home}:user/{SOMEBODY}"));
        let (itself, roles, users) = futures::join!(
            session.simulate(&caller, &SELF_CHANGES, Some(&role.arn)),
            session.simulate(&caller, &MAKES_ROLES, Some(&other)),
            session.simulate(&caller, &MAKES_USERS, Some(&user))
        );
        Self::of(itself, roles, users)
    }

    fn of(itself: Answers, roles: Answers, users: Answers) -> Self {
        let itself = Judged::of(itself, "on itself");
        let (roles, users) = (Judged::of(roles, "on other roles"), Judged::of(users, "on users"));
        let right = roles.may.iter().find(|action| *action != CREATE_ROLE);
        let role = right.filter(|_| roles.may.iter().any(|action| action == CREATE_ROLE));
        let mut make: Vec<String> =
            role.map(|right| format!("{CREATE_ROLE} with {right}")).into_iter().collect();
        make.extend(users.may);
        let is_known = roles.problem.is_none() && users.problem.is_none();
        let mut problems: Vec<String> =
            [&itself.problem, &roles.problem, &users.problem].into_iter().flatten().cloned().collect();
        problems.dedup();
        Self {
            undo: (itself.problem.is_none() || !itself.may.is_empty()).then_some(itself.may),
            make: (is_known || !make.is_empty()).then_some(make),
            problems,
        }
    }
}

/// What a role may do for certain, and what keeps that from being all.
#[derive(Debug)]
struct Judged {
    may: Vec<String>,
    problem: Option<String>,
}

impl Judged {
    fn of(answers: Answers, on: &str) -> Self {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                let problem = format!("whether the role can undo or outlive the deny: {}", why(&error));
                return Self { may: Vec::new(), problem: Some(problem) };
            }
        };
        let is_sure =
            |answer: &Simulation| answer.unknown.is_empty() && answer.decision != SimulatedDecision::Mixed;
        let (may, may_not): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, answer)| answer.is_allowed());
        let unsure: Vec<_> = may_not.into_iter().filter(|(_, answer)| !is_sure(answer)).collect();
        let mut keys: Vec<String> = unsure.iter().flat_map(|(_, answer)| answer.unknown.clone()).collect();
        keys.sort();
        keys.dedup();
        let problem = (!unsure.is_empty()).then(|| {
            let actions: Vec<String> = unsure.into_iter().map(|(action, _)| action).collect();
            let depends = if keys.is_empty() { "answers that differ".to_owned() } else { keys.join(", ") };
            format!("whether the role may use {} {on}: that depends on {depends}", actions.join(", "))
        });
        Self { may: may.into_iter().map(|(action, _)| action).collect(), problem }
    }
}

/// Why a call failed, in few words. EC2's own words for a denial are some hundred of no meaning.
pub(super) fn why(error: &CallError) -> String {
    match error.kind {
        ErrorKind::Denied => format!("the remediation role may not call {}", error.action()),
        ErrorKind::NotFound => "there is no such role".to_owned(),
        _ => short_line(&error.to_string(), 200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, Mixed};

    fn answer(action: &str, decision: SimulatedDecision, unknown: &[&str]) -> (String, Simulation) {
        let unknown = unknown.iter().map(ToString::to_string).collect();
        (action.to_owned(), Simulation { decision, matched: Vec::new(), by_organization: None, unknown })
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_is_allowed_undoes() {
        let answers = vec![
            answer("iam:DeleteRolePolicy", ImplicitDeny, &[]),
            answer("iam:PutRolePolicy", Allowed, &[]),
            answer("iam:DeleteRole", ExplicitDeny, &[]),
        ];
        let may = Abilities::of(Ok(answers), Ok(Vec::new()), Ok(Vec::new()));
        assert_eq!((may.undo, may.problems.len()), (Some(texts(&["iam:PutRolePolicy"])), 0));
        let none = Abilities::of(
            Ok(vec![answer("iam:DeleteRole", ImplicitDeny, &[])]),
            Ok(Vec::new()),
            Ok(Vec::new()),
        );
        assert_eq!(none, Abilities { undo: Some(texts(&[])), make: Some(texts(&[])), problems: Vec::new() });
    }

    #[test]
    fn a_denial_that_depends_on_missing_context_is_not_certain() {
        let denied = vec![answer("iam:DeleteRolePolicy", ExplicitDeny, &["aws:PrincipalTag/team"])];
        let may = Abilities::of(Ok(denied), Ok(Vec::new()), Ok(Vec::new()));
        assert_eq!(may.undo, None);
        insta::assert_snapshot!(may.problems.join("\n"), @"whether the role may use iam:DeleteRolePolicy on itself: that depends on aws:PrincipalTag/team");
        // What it may do for certain is a warning all the same.
        let answers = vec![
            answer("iam:DeleteRolePolicy", Mixed, &[]),
            answer("iam:PutRolePolicy", Allowed, &["aws:SourceVpc"]),
        ];
        let may = Abilities::of(Ok(answers), Ok(Vec::new()), Ok(Vec::new()));
        assert_eq!((may.undo, may.problems.len()), (Some(texts(&["iam:PutRolePolicy"])), 1));
    }

    #[test]
    fn a_role_is_made_by_two_actions_and_a_user_by_one() {
        let roles = |create, attach, put| {
            Ok(vec![
                answer("iam:CreateRole", create, &[]),
                answer("iam:AttachRolePolicy", attach, &[]),
                answer("iam:PutRolePolicy", put, &[]),
            ])
        };
        let make = |roles| Abilities::of(Ok(Vec::new()), roles, Ok(Vec::new())).make;
        assert_eq!(
            make(roles(Allowed, Allowed, Allowed)),
            Some(texts(&["iam:CreateRole with iam:AttachRolePolicy"]))
        );
        assert_eq!(
            make(roles(Allowed, ImplicitDeny, Allowed)),
            Some(texts(&["iam:CreateRole with iam:PutRolePolicy"]))
        );
        assert_eq!(make(roles(Allowed, ImplicitDeny, ImplicitDeny)), Some(texts(&[])));
        assert_eq!(make(roles(ImplicitDeny, Allowed, Allowed)), Some(texts(&[])));
        assert_eq!(make(roles(Allowed, Mixed, ImplicitDeny)), None);
        let users = Ok(vec![
            answer("iam:CreateUser", ImplicitDeny, &["a:b"]),
            answer("iam:CreateAccessKey", Allowed, &[]),
        ]);
        let may = Abilities::of(Ok(Vec::new()), roles(ImplicitDeny, Allowed, Allowed), users);
        assert_eq!((may.make, may.problems.len()), (Some(texts(&["iam:CreateAccessKey"])), 1));
    }

    #[test]
    fn an_error_is_no_answer_and_is_said_once() {
        let failed = || {
            Err(CallError {
                service: "iam",
                operation: "SimulatePrincipalPolicy",
                kind: ErrorKind::Denied,
                code: None,
                message: String::new(),
            })
        };
        let may = Abilities::of(failed(), failed(), failed());
        assert_eq!((may.undo, may.make), (None, None));
        insta::assert_snapshot!(may.problems.join("\n"), @"whether the role can undo or outlive the deny: the remediation role may not call iam:SimulatePrincipalPolicy");
    }
}
