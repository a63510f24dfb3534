//! Gathers the impact of a revocation, after the deny is in force. It changes nothing.

#[cfg(any(feature = "ec2", test))]
use crate::aws::{Caller, Listed, MemberSession, Simulation};
use crate::ident::{Region, RoleName};
use crate::remediation::{CallError, Cutoff, ErrorKind, Impact, Instance, SimulatedDecision};
use crate::safe::short_line;

/// Maximum number of instances that are recorded. A ledger entry is not an inventory.
#[cfg(any(feature = "ec2", test))]
const MOST_INSTANCES: usize = 500;

/// Maximum number of regions asked concurrently.
#[cfg(feature = "ec2")]
const AT_ONCE: usize = 8;

/// Name of a session that does not exist.
pub(super) const SOMEBODY: &str = "rescind-asks-about-somebody-else";

/// Actions with which a role changes itself.
const SELF_CHANGES: [&str; 5] = [
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRole",
];

/// The instances that were found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    instances: Vec<Instance>,
    regions: Vec<Region>,
    problems: Vec<String>,
}

/// Reads what there is to read. What cannot be read becomes a problem.
pub(super) async fn gather_impact(
    session: &MemberSession,
    role: &RoleName,
    cutoff: Cutoff,
    regions: &[Region],
) -> Impact {
    let (facts, profiles) = futures::join!(session.role(role), session.profiles_of_role(role));
    let mut impact = Impact::of(session.role_arn(role), cutoff, facts.as_ref().ok());
    match &facts {
        Err(error) => impact.problems.push(format!("the role was not read: {}", why(error))),
        Ok(role) if role.trust.is_none() => {
            impact.problems.push("AWS did not return who may assume the role".to_owned());
        }
        Ok(_) => {}
    }
    match profiles {
        Ok(profiles) => {
            if profiles.cut_short {
                let count = profiles.items.len();
                impact.problems.push(format!(
                    "the role has more instance profiles than {count}: the rest was not searched"
                ));
            }
            impact.profiles = Some(profiles.items);
        }
        // There is no role: that was said.
        Err(error) if facts.is_err() && error.kind == ErrorKind::NotFound => {}
        Err(error) => {
            let why = why(&error);
            impact.problems.push(format!("the role's instance profiles were not read: {why}"));
        }
    }
    let profiles = impact.profiles.as_deref().unwrap_or_default();
    let (found, undo) = futures::join!(
        async { if profiles.is_empty() { Found::default() } else { find(session, profiles, regions).await } },
        async {
            let facts = facts.as_ref().ok()?;
            let user_id = format!("{}:{SOMEBODY}", facts.id);
            let since = cutoff.plus(1).time();
            let caller = Caller { arn: &facts.arn, user_id: Some(&user_id), source_identity: None, since };
            Some(session.simulate(&caller, &SELF_CHANGES, Some(&facts.arn)).await)
        }
    );
    impact.instances = found.instances;
    impact.regions = found.regions;
    impact.problems.extend(found.problems);
    match undo {
        Some(Ok(answers)) => {
            let (can_undo, unclear) = judged(answers);
            impact.can_undo = can_undo;
            impact.problems.extend(unclear);
        }
        Some(Err(error)) => {
            let why = why(&error);
            impact.problems.push(format!("whether the role can undo the deny: {why}"));
        }
        // Why the role was not read was said.
        None => {}
    }
    impact
}

/// What the role may do to itself, and what keeps that from being all. None when it is not known whether it
/// may do anything.
fn judged(answers: Vec<(String, Simulation)>) -> (Option<Vec<String>>, Option<String>) {
    let is_sure =
        |answer: &Simulation| answer.unknown.is_empty() && answer.decision != SimulatedDecision::Mixed;
    let (may, may_not): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.is_allowed());
    let unsure: Vec<_> = may_not.into_iter().filter(|(_, answer)| !is_sure(answer)).collect();
    let can_undo = (unsure.is_empty() || !may.is_empty())
        .then(|| may.into_iter().map(|(action, _)| action).collect::<Vec<_>>());
    let mut keys: Vec<String> = unsure.iter().flat_map(|(_, answer)| answer.unknown.clone()).collect();
    keys.sort();
    keys.dedup();
    let unclear = (!unsure.is_empty()).then(|| {
        let actions: Vec<String> = unsure.into_iter().map(|(action, _)| action).collect();
        let depends = if keys.is_empty() { "answers that differ".to_owned() } else { keys.join(", ") };
        format!("whether the role may use {} on itself: that depends on {depends}", actions.join(", "))
    });
    (can_undo, unclear)
}

/// Why a call failed, in few words. EC2's own words for a denial are some hundred of no meaning.
fn why(error: &CallError) -> String {
    match error.kind {
        ErrorKind::Denied => format!("the remediation role may not call {}", error.action()),
        ErrorKind::NotFound => "there is no such role".to_owned(),
        _ => short_line(&error.to_string(), 200),
    }
}

#[cfg(feature = "ec2")]
async fn find(session: &MemberSession, profiles: &[String], regions: &[Region]) -> Found {
    use futures::{StreamExt, stream};
    let answers = stream::iter(regions.iter().cloned())
        .map(async |region| {
            let answer = session.instances(&region, profiles).await;
            (region, answer)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    merge(answers)
}

#[cfg(not(feature = "ec2"))]
fn find(_: &MemberSession, _: &[String], _: &[Region]) -> std::future::Ready<Found> {
    let problem = "instances were not looked for: this build has no EC2".to_owned();
    std::future::ready(Found { problems: vec![problem], ..Found::default() })
}

/// Puts the regions' answers together. Regions that failed alike are one problem.
#[cfg(any(feature = "ec2", test))]
fn merge(answers: Vec<(Region, Result<Listed<Instance>, CallError>)>) -> Found {
    let mut found = Found::default();
    let mut failed: Vec<(String, Vec<String>)> = Vec::new();
    for (region, answer) in answers {
        match answer {
            Ok(listed) => {
                let count = listed.items.len();
                if listed.cut_short {
                    found
                        .problems
                        .push(format!("{region} has more instances than the {count} that were read"));
                }
                if listed.unreadable > 0 {
                    let count = listed.unreadable;
                    found.problems.push(format!("{region} has instances without an id: {count}"));
                }
                found.instances.extend(listed.items);
                found.regions.push(region);
            }
            Err(error) if is_disabled(&error) => {}
            Err(error) => {
                let why = why(&error);
                match failed.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, regions)) => regions.push(region.to_string()),
                    None => failed.push((why, vec![region.to_string()])),
                }
            }
        }
    }
    if found.regions.is_empty() && failed.is_empty() {
        let problem = "instances were not looked for: no region is known that is enabled for the account";
        found.problems.push(problem.to_owned());
    }
    for (why, regions) in failed {
        found.problems.push(format!("instances were not looked for in {}: {why}", regions.join(", ")));
    }
    if let Some(more) = found.instances.len().checked_sub(MOST_INSTANCES).filter(|more| *more > 0) {
        found.instances.truncate(MOST_INSTANCES);
        found.problems.push(format!("{more} more instances were found, which are not kept"));
    }
    found
}

/// The region is not enabled for the account. EC2 has no code of its own for it: it does not know the
/// credentials there, which IAM has just taken.
#[cfg(any(feature = "ec2", test))]
fn is_disabled(error: &CallError) -> bool {
    error.kind == ErrorKind::RegionDisabled
        || matches!(error.code.as_deref(), Some("AuthFailure" | "OptInRequired"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(region: &str, count: usize) -> Listed<Instance> {
        let one = |n| Instance {
            id: format!("i-{n}"),
            name: None,
            state: "running".to_owned(),
            account: "111122223333".parse().expect("legal"),
            region: region.parse().expect("legal"),
            vpc: None,
            auto_scaling_group: None,
        };
        Listed { items: (0..count).map(one).collect(), cut_short: false, unreadable: 0 }
    }

    fn failure(kind: ErrorKind, code: &str, message: &str) -> CallError {
        CallError {
            service: "ec2",
            operation: "DescribeInstances",
            kind,
            code: Some(code.to_owned()),
            message: message.to_owned(),
        }
    }

    fn region(name: &str) -> Region {
        name.parse().expect("legal")
    }

    #[test]
    fn a_disabled_region_is_skipped_and_a_failed_one_is_a_problem() {
        let denied = || Err(failure(ErrorKind::Denied, "UnauthorizedOperation", &"x".repeat(500)));
        let disabled = || Err(failure(ErrorKind::BadCredentials, "AuthFailure", "not validated"));
        let found = merge(vec![
            (region("eu-central-1"), Ok(instances("eu-central-1", 2))),
            (region("eu-west-1"), denied()),
            (region("ap-east-1"), disabled()),
            (region("us-east-1"), denied()),
        ]);
        assert_eq!(found.instances.len(), 2);
        assert_eq!(found.regions, [region("eu-central-1")]);
        insta::assert_snapshot!(found.problems.join("\n"), @"instances were not looked for in eu-west-1, us-east-1: the remediation role may not call ec2:DescribeInstances");
        let found = merge(vec![(region("ap-east-1"), disabled())]);
        insta::assert_snapshot!(found.problems.join("\n"), @"instances were not looked for: no region is known that is enabled for the account");
    }

    #[test]
    fn more_than_can_be_kept_is_said() {
        let mut many = instances("eu-central-1", 400);
        many.cut_short = true;
        many.unreadable = 3;
        let found = merge(vec![
            (region("eu-central-1"), Ok(many)),
            (region("eu-west-1"), Ok(instances("eu-west-1", 107))),
        ]);
        assert_eq!(found.instances.len(), MOST_INSTANCES);
        insta::assert_snapshot!(found.problems.join("\n"), @"
        eu-central-1 has more instances than the 400 that were read
        eu-central-1 has instances without an id: 3
        7 more instances were found, which are not kept
        ");
    }

    fn answer(action: &str, decision: SimulatedDecision, unknown: &[&str]) -> (String, Simulation) {
        let unknown = unknown.iter().map(ToString::to_string).collect();
        (action.to_owned(), Simulation { decision, matched: Vec::new(), by_organization: None, unknown })
    }

    #[test]
    fn only_what_is_allowed_undoes() {
        let answers = vec![
            answer("iam:DeleteRolePolicy", SimulatedDecision::ImplicitDeny, &[]),
            answer("iam:PutRolePolicy", SimulatedDecision::Allowed, &[]),
            answer("iam:DeleteRole", SimulatedDecision::ExplicitDeny, &[]),
        ];
        assert_eq!(judged(answers), (Some(vec!["iam:PutRolePolicy".to_owned()]), None));
        assert_eq!(
            judged(vec![answer("iam:DeleteRole", SimulatedDecision::ImplicitDeny, &[])]),
            (Some(Vec::new()), None)
        );
    }

    #[test]
    fn a_denial_that_depends_on_missing_context_is_not_certain() {
        let (can_undo, unclear) = judged(vec![answer(
            "iam:DeleteRolePolicy",
            SimulatedDecision::ExplicitDeny,
            &["aws:PrincipalTag/team"],
        )]);
        assert_eq!(can_undo, None);
        let unclear = unclear.expect("said");
        assert!(
            unclear.contains("iam:DeleteRolePolicy") && unclear.contains("aws:PrincipalTag/team"),
            "{unclear}"
        );
        // What it may do for certain is a warning all the same.
        let (can_undo, unclear) = judged(vec![
            answer("iam:DeleteRolePolicy", SimulatedDecision::Mixed, &[]),
            answer("iam:PutRolePolicy", SimulatedDecision::Allowed, &["aws:SourceVpc"]),
        ]);
        assert_eq!((can_undo, unclear.is_some()), (Some(vec!["iam:PutRolePolicy".to_owned()]), true));
    }

    #[test]
    fn it_can_be_spawned() {
        fn send<T: Send>(_: &T) {}
        let _ = |session: &MemberSession, role: &RoleName, cutoff: Cutoff, regions: &[Region]| {
            send(&gather_impact(session, role, cutoff, regions));
        };
    }
}
