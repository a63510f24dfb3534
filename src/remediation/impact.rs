//! The impact of a revocation: what runs with the role, who can get new sessions of it, and how long the old ones
//! would have lived.

use crate::ident::{AccountId, Region};
use crate::plural::counted;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Actions with which a role that can change itself also removes the deny.
const TAKES_AWAY: [&str; 3] = ["iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:AttachRolePolicy"];

const UNDO_UNKNOWN: &str = "it is not known whether a new session of the role can remove the deny itself";

const MAKE_UNKNOWN: &str =
    "it is not known whether the role can make roles, users or access keys that the deny does not reach";

/// What a revocation means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// The role; without its path when it could not be read.
    pub role_arn: String,
    /// Who may assume it, in words. Empty when it could not be read.
    pub trust: Vec<String>,
    /// How long a session may last that somebody asks for now. None when it could not be read.
    pub max_session_seconds: Option<i64>,
    /// When the last revoked token expires, and the last console session that it opened, if the setting was
    /// never higher than now. The same as `surely_dead` when it could not be read.
    pub dead_by_now_setting: Timestamp,
    /// When both are over, whatever the setting was.
    pub surely_dead: Timestamp,
    /// The ARNs of the role's instance profiles. None when they could not be read.
    pub profiles: Option<Vec<String>>,
    /// The instances that have one of them, at most 500.
    pub instances: Vec<Instance>,
    /// The regions in which instances were looked for, and AWS answered.
    pub regions: Vec<Region>,
    /// The actions that a new session of the role may use on the role itself, and so take the deny
    /// away, at once or by steps. None when that could not be judged.
    pub can_undo: Option<Vec<String>>,
    /// The actions by which a session of the role makes credentials of others, which the deny does not reach. None
    /// when that could not be judged.
    pub can_make: Option<Vec<String>>,
    /// The principals in the trust policy by which a thief may get a new session, in words.
    pub second_doors: Vec<String>,
    /// What could not be read and why, in words.
    pub problems: Vec<String>,
    /// The role is held: sessions that are issued later are denied as well, until it is released.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_held: bool,
}

/// An instance that is not terminated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// The id of the instance: `i-…`.
    pub id: String,
    /// The value of its tag `Name`.
    pub name: Option<String>,
    /// `pending`, `running`, `shutting-down`, `stopping` or `stopped`.
    pub state: String,
    /// The account that owns it.
    pub account: AccountId,
    /// The region that it is in.
    pub region: Region,
    /// The id of the VPC that it is in.
    pub vpc: Option<String>,
    /// The Auto Scaling group that would replace it (tag `aws:autoscaling:groupName`).
    pub auto_scaling_group: Option<String>,
}

impl Impact {
    /// How a thief can get round the deny, and that it is not known whether one can.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let doors = (!self.second_doors.is_empty())
            .then(|| format!("the trust policy may let a thief in again: {}", self.second_doors.join("; ")));
        [self.who_undoes(), self.what_is_made(), doors].into_iter().flatten().collect()
    }

    fn who_undoes(&self) -> Option<String> {
        let Some(can_undo) = &self.can_undo else { return Some(UNDO_UNKNOWN.to_owned()) };
        let actions = can_undo.join(", ");
        if can_undo.iter().any(|action| TAKES_AWAY.contains(&action.as_str())) {
            return Some(format!(
                "a new session of the role can take the deny away itself: it may {actions}"
            ));
        }
        (!can_undo.is_empty())
            .then(|| format!("a new session of the role can change the role itself: it may {actions}"))
    }

    fn what_is_made(&self) -> Option<String> {
        let Some(can_make) = &self.can_make else { return Some(MAKE_UNKNOWN.to_owned()) };
        (!can_make.is_empty()).then(|| {
            format!(
                "the role can make credentials that the deny does not reach: it may {}",
                can_make.join(", ")
            )
        })
    }

    /// The impact of a deny alone in words, line by line. `instance` is the one that the finding names. Where a remediation
    /// is known, [`Remediation::impact_lines`](super::Remediation::impact_lines) says what holds now.
    #[must_use]
    pub fn lines(&self, instance: Option<&str>) -> Vec<String> {
        self.lines_while(instance, Some(false))
    }

    /// The same where a quarantine is, or will be, attached beside the deny for a while; none where that is not known.
    #[must_use]
    pub fn lines_while(&self, instance: Option<&str>, is_quarantined: Option<bool>) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.warnings().into_iter().map(|warning| format!("WARNING: {warning}.")));
        lines.extend(self.what_runs(instance));
        if !self.trust.is_empty() {
            lines.push(format!("{} Who may assume it:", self.new_sessions(is_quarantined)));
            lines.extend(self.trust.iter().map(|who| format!("  {who}")));
        }
        lines.push(self.when_dead());
        lines.extend(self.unknown());
        lines
    }

    /// The same once the deny was released: what says how old tokens end, and who can remove the deny, is left out.
    #[must_use]
    pub fn lines_after_release(&self, instance: Option<&str>) -> Vec<String> {
        self.what_runs(instance).into_iter().chain(self.unknown()).collect()
    }

    /// What becomes of sessions that are issued from now on.
    fn new_sessions(&self, is_quarantined: Option<bool>) -> &'static str {
        match is_quarantined {
            _ if self.is_held => "New sessions of the role are denied as well, until it is released.",
            Some(true) => {
                "New sessions of the role are denied as well while the quarantine is attached; they work once it is lifted."
            }
            Some(false) => "New sessions of the role are not denied.",
            None => "New sessions of the role are denied only while a quarantine is attached.",
        }
    }

    fn unknown(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| format!("Not known: {problem}."))
    }

    fn what_runs(&self, instance: Option<&str>) -> Vec<String> {
        let Some(profiles) = &self.profiles else { return Vec::new() };
        if profiles.is_empty() {
            return vec!["No EC2 instance runs with the role: it has no instance profile.".to_owned()];
        }
        if self.regions.is_empty() {
            return Vec::new();
        }
        let read = counted(self.regions.len(), "region");
        let missing = instance.filter(|id| self.instances.iter().all(|one| one.id != *id)).map(|id| {
            format!("The finding names {id}, which was not found in the searched regions (terminated, or in another region).")
        });
        if self.instances.is_empty() {
            let none = format!("No EC2 instance uses the role ({read} searched).");
            return std::iter::once(none).chain(missing).collect();
        }
        let regions: BTreeSet<_> = self.instances.iter().map(|instance| &instance.region).collect();
        let accounts: BTreeSet<_> = self.instances.iter().map(|instance| &instance.account).collect();
        let whose = match accounts.first() {
            Some(account) if accounts.len() == 1 => format!("account {account}"),
            _ => counted(accounts.len(), "account"),
        };
        let mut lines = vec![format!(
            "{} with the role in {} of {whose} ({read} searched):",
            counted(self.instances.len(), "EC2 instance"),
            counted(regions.len(), "region"),
        )];
        lines.extend(self.instances.iter().map(|one| format!("  {}", in_words(one, accounts.len() > 1))));
        lines.extend(missing);
        lines
    }

    fn when_dead(&self) -> String {
        let latest = second(self.surely_dead);
        if self.max_session_seconds.is_some() && self.dead_by_now_setting < self.surely_dead {
            let earliest = second(self.dead_by_now_setting);
            format!(
                "Old tokens expire by {earliest} with the role's current settings, and by {latest} at the latest."
            )
        } else {
            format!("Old tokens expire by {latest} at the latest.")
        }
    }
}

fn in_words(instance: &Instance, with_account: bool) -> String {
    let name = instance.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
    let account = if with_account { format!(" of account {}", instance.account) } else { String::new() };
    let vpc = instance.vpc.as_ref().map(|vpc| format!(", {vpc}")).unwrap_or_default();
    let group = instance.auto_scaling_group.as_ref();
    let group = group.map(|group| format!(", Auto Scaling group {group:?}")).unwrap_or_default();
    let (id, state, region) = (&instance.id, &instance.state, &instance.region);
    format!("{id}{name} {state} in {region}{account}{vpc}{group}")
}

/// A time in UTC, to the second.
fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str, region: &str) -> Instance {
        Instance {
            id: id.to_owned(),
            name: Some("shop \"1\"".to_owned()),
            state: "running".to_owned(),
            account: "111122223333".parse().expect("legal"),
            region: region.parse().expect("legal"),
            vpc: Some("vpc-1".to_owned()),
            auto_scaling_group: None,
        }
    }

    fn impact() -> Impact {
        Impact {
            role_arn: "arn:aws:iam::111122223333:role/web".to_owned(),
            trust: vec!["the service ec2.amazonaws.com".to_owned()],
            max_session_seconds: Some(3600),
            dead_by_now_setting: "2026-11-22T17:00:00Z".parse().expect("a time"),
            surely_dead: "2026-11-22T23:00:00Z".parse().expect("a time"),
            profiles: Some(vec!["arn:aws:iam::111122223333:instance-profile/web".to_owned()]),
            instances: vec![instance("i-1", "eu-central-1"), instance("i-2", "eu-west-1")],
            regions: ["eu-central-1", "eu-west-1", "us-east-1"].map(|r| r.parse().expect("legal")).into(),
            can_undo: Some(Vec::new()),
            can_make: Some(Vec::new()),
            second_doors: Vec::new(),
            problems: Vec::new(),
            is_held: false,
        }
    }

    #[test]
    fn all_of_it_is_described() {
        let mut impact = impact();
        impact.instances[1].auto_scaling_group = Some("shop".to_owned());
        impact.instances[1].name = None;
        impact.problems = vec!["eu-north-1 is down".to_owned()];
        insta::assert_snapshot!(impact.lines(None).join("\n"), @r#"
        2 EC2 instances with the role in 2 regions of account 111122223333 (3 regions searched):
          i-1 "shop \"1\"" running in eu-central-1, vpc-1
          i-2 running in eu-west-1, vpc-1, Auto Scaling group "shop"
        New sessions of the role are not denied. Who may assume it:
          the service ec2.amazonaws.com
        Old tokens expire by 2026-11-22 17:00:00Z with the role's current settings, and by 2026-11-22 23:00:00Z at the latest.
        Not known: eu-north-1 is down.
        "#);
    }

    #[test]
    fn none_is_said_only_when_it_was_looked_for() {
        let about = |impact: &Impact| impact.lines(None).into_iter().find(|line| line.contains("EC2"));
        let mut none = Impact { instances: Vec::new(), ..impact() };
        insta::assert_snapshot!(about(&none).expect("a line"), @"No EC2 instance uses the role (3 regions searched).");
        let of = |named: &str| none.lines(Some(named)).into_iter().find(|line| line.contains(named));
        insta::assert_snapshot!(of("i-3").expect("a line"), @"The finding names i-3, which was not found in the searched regions (terminated, or in another region).");
        none.regions.clear();
        assert_eq!(about(&none), None);
        none.profiles = Some(Vec::new());
        insta::assert_snapshot!(about(&none).expect("a line"), @"No EC2 instance runs with the role: it has no instance profile.");
        none.profiles = None;
        assert_eq!(about(&none), None);
    }

    #[test]
    fn after_a_release_nothing_is_said_of_the_end_of_old_tokens() {
        insta::assert_snapshot!(impact().lines_after_release(Some("i-1")).join("\n"), @r#"
        2 EC2 instances with the role in 2 regions of account 111122223333 (3 regions searched):
          i-1 "shop \"1\"" running in eu-central-1, vpc-1
          i-2 "shop \"1\"" running in eu-west-1, vpc-1
        "#);
    }

    #[test]
    fn who_can_undo_it_is_said_first() {
        let first = |can_undo| Impact { can_undo, ..impact() }.lines(None).swap_remove(0);
        let may = |actions: &[&str]| Some(actions.iter().map(ToString::to_string).collect());
        let warnings = [
            first(may(&["iam:DeleteRolePolicy", "iam:DeleteRole"])),
            first(may(&["iam:DetachRolePolicy"])),
            first(may(&[])),
            first(None),
        ];
        insta::assert_snapshot!(warnings.join("\n"), @"
        WARNING: a new session of the role can take the deny away itself: it may iam:DeleteRolePolicy, iam:DeleteRole.
        WARNING: a new session of the role can change the role itself: it may iam:DetachRolePolicy.
        2 EC2 instances with the role in 2 regions of account 111122223333 (3 regions searched):
        WARNING: it is not known whether a new session of the role can remove the deny itself.
        ");
    }

    #[test]
    fn what_a_thief_makes_and_the_second_doors_are_warnings() {
        let text = |text: &str| text.to_owned();
        let two = Impact {
            can_make: Some(vec![text("iam:CreateRole with iam:PutRolePolicy"), text("iam:CreateUser")]),
            second_doors: vec![text("the role itself"), text("anybody in AWS (Principal *)")],
            ..impact()
        };
        let unknown = Impact { can_make: None, ..impact() };
        insta::assert_snapshot!([two.warnings(), unknown.warnings()].concat().join("\n"), @"
        the role can make credentials that the deny does not reach: it may iam:CreateRole with iam:PutRolePolicy, iam:CreateUser
        the trust policy may let a thief in again: the role itself; anybody in AWS (Principal *)
        it is not known whether the role can make roles, users or access keys that the deny does not reach
        ");
        assert_eq!(two.lines(None)[0], format!("WARNING: {}.", two.warnings()[0]));
        assert!(impact().warnings().is_empty());
        assert!(two.lines_after_release(None).iter().all(|line| !line.contains("WARNING")));
    }

    #[test]
    fn new_sessions_are_denied_as_long_as_something_denies_them() {
        let said = |is_held, is_quarantined| Impact { is_held, ..impact() }.new_sessions(is_quarantined);
        let all = [
            said(false, Some(false)),
            said(false, Some(true)),
            said(false, None),
            said(true, None),
            said(true, Some(true)),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        New sessions of the role are not denied.
        New sessions of the role are denied as well while the quarantine is attached; they work once it is lifted.
        New sessions of the role are denied only while a quarantine is attached.
        New sessions of the role are denied as well, until it is released.
        New sessions of the role are denied as well, until it is released.
        ");
    }

    #[test]
    fn two_accounts_are_listed_apart_and_an_unread_role_has_one_time() {
        let mut impact = impact();
        impact.instances[1].account = "444455556666".parse().expect("legal");
        impact.max_session_seconds = None;
        impact.dead_by_now_setting = impact.surely_dead;
        insta::assert_snapshot!(impact.lines(None).join("\n"), @r#"
        2 EC2 instances with the role in 2 regions of 2 accounts (3 regions searched):
          i-1 "shop \"1\"" running in eu-central-1 of account 111122223333, vpc-1
          i-2 "shop \"1\"" running in eu-west-1 of account 444455556666, vpc-1
        New sessions of the role are not denied. Who may assume it:
          the service ec2.amazonaws.com
        Old tokens expire by 2026-11-22 23:00:00Z at the latest.
        "#);
    }

    #[test]
    fn it_comes_back_from_json_as_it_was() {
        let text = serde_json::to_string(&impact()).expect("JSON");
        assert_eq!(serde_json::from_str::<Impact>(&text).expect("readable"), impact());
    }
}
