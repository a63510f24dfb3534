//! How long the revoked sessions would have lived, by the role's own settings.

use super::who_may_assume;
use crate::aws::RoleFacts;
use crate::remediation::{Cutoff, Impact};
use jiff::SignedDuration;

/// Lifetime of an instance profile's credentials, whatever the role's setting: it does not limit sessions
/// that AWS services ask for (IAM User Guide, "Update the maximum session duration").
const INSTANCE_SESSION: SignedDuration = SignedDuration::from_hours(6);

/// The longest session that IAM allows. The setting may have been as high when a token was issued.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// The longest console session that role credentials can open (GetSigninToken), up to their own last second.
/// It outlives them, and CloudShell hands out keys from it.
const CONSOLE_SESSION: SignedDuration = SignedDuration::from_hours(12);

impl Impact {
    /// The role's own settings.
    pub(super) fn of(role_arn: String, cutoff: Cutoff, facts: Option<&RoleFacts>) -> Self {
        let setting = facts.map(|facts| facts.max_session);
        let longest = setting.map_or(LONGEST_SESSION, |setting| setting.max(LONGEST_SESSION));
        let by_setting = setting.map_or(longest, |setting| setting.max(INSTANCE_SESSION));
        let trust = facts.and_then(|facts| facts.trust.as_deref()).map(who_may_assume);
        Self {
            role_arn: facts.map_or(role_arn, |facts| facts.arn.clone()),
            trust: trust.unwrap_or_default(),
            max_session_seconds: setting.map(|setting| setting.as_secs()),
            dead_by_now_setting: cutoff.plus((by_setting + CONSOLE_SESSION).as_secs()).time(),
            surely_dead: cutoff.plus((longest + CONSOLE_SESSION).as_secs()).time(),
            profiles: None,
            instances: Vec::new(),
            regions: Vec::new(),
            can_undo: None,
            can_make: None,
            second_doors: Vec::new(),
            problems: Vec::new(),
            is_held: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutoff() -> Cutoff {
        Cutoff::round_up("2026-11-21T23:00:00Z".parse().expect("a time"))
    }

    fn facts(hours: i64) -> RoleFacts {
        RoleFacts {
            arn: "arn:aws:iam::111122223333:role/a/web".to_owned(),
            path: "/a/".to_owned(),
            id: "AROAEXAMPLEEXAMPLE".parse().expect("legal"),
            trust: Some(
                r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#
                    .to_owned(),
            ),
            max_session: SignedDuration::from_hours(hours),
            tags: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn old_tokens_die_by_the_longest_of_what_is_possible() {
        let dead = |facts: Option<&RoleFacts>| {
            let impact = Impact::of("arn".to_owned(), cutoff(), facts);
            (impact.dead_by_now_setting.to_string(), impact.surely_dead.to_string())
        };
        let times = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(dead(Some(&facts(1))), times("2026-11-22T17:00:00Z", "2026-11-22T23:00:00Z"));
        assert_eq!(dead(Some(&facts(8))), times("2026-11-22T19:00:00Z", "2026-11-22T23:00:00Z"));
        assert_eq!(dead(Some(&facts(12))), times("2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z"));
        assert_eq!(dead(None), times("2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z"));
        let impact = Impact::of("arn".to_owned(), cutoff(), Some(&facts(1)));
        assert!(
            impact.trust.len() == 1 && impact.trust[0].contains("ec2.amazonaws.com"),
            "{:?}",
            impact.trust
        );
        assert_eq!(impact.role_arn, "arn:aws:iam::111122223333:role/a/web");
    }
}
