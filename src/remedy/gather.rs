//! Gathers the impact of a revocation, after the deny is in force. It changes nothing.

use super::abilities::{Abilities, why};
use super::second_door::{Home, second_doors};
use crate::aws::{Listed, MemberSession, RoleFacts};
use crate::ident::{Region, RoleName};
use crate::org::Snapshot;
use crate::remediation::{CallError, Cutoff, ErrorKind, Impact, Instance};
use futures::{StreamExt, stream};

/// Maximum number of instances that are recorded. A ledger entry is not an inventory.
const MOST_INSTANCES: usize = 500;

/// Maximum number of regions asked concurrently.
const AT_ONCE: usize = 8;

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
    accounts: Option<&Snapshot>,
) -> Impact {
    let (facts, profiles) = futures::join!(session.role(role), session.profiles_of_role(role));
    let mut impact = Impact::of(session.role_arn(role), cutoff, facts.as_ref().ok());
    if let Ok(RoleFacts { arn, trust: Some(trust), .. }) = &facts {
        let (account, organization) = (session.account(), session.organization_id());
        impact.second_doors = second_doors(trust, Home { role_arn: arn, account, organization, accounts });
    }
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
    let (found, may) = futures::join!(
        async { if profiles.is_empty() { Found::default() } else { find(session, profiles, regions).await } },
        async {
            match &facts {
                Ok(facts) => Abilities::simulated(session, facts, cutoff).await,
                // Why the role was not read was said.
                Err(_) => Abilities::default(),
            }
        }
    );
    impact.instances = found.instances;
    impact.regions = found.regions;
    impact.problems.extend(found.problems);
    (impact.can_undo, impact.can_make) = (may.undo, may.make);
    impact.problems.extend(may.problems);
    impact
}

async fn find(session: &MemberSession, profiles: &[String], regions: &[Region]) -> Found {
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

/// Puts the regions' answers together. Regions that failed alike are one problem.
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

    #[test]
    fn it_can_be_spawned() {
        fn send<T: Send>(_: &T) {}
        let _ = |session: &MemberSession, role: &RoleName, cutoff: Cutoff, regions: &[Region]| {
            send(&gather_impact(session, role, cutoff, regions, None));
        };
    }
}
