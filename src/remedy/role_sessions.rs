//! `role_sessions`: revokes every session of a role that was issued before a cutoff.
//!
//! It writes one inline policy that denies everything to tokens issued before the cutoff
//! (`aws:TokenIssueTime`; IAM User Guide, "Revoking IAM role temporary security credentials").

use super::{Change, Cutoff, Found, POLICY_NAME, Proof, Refusal, Remedy, Rung, Target, Verified, document};
use crate::aws::{CallError, ErrorKind, MemberSession, Simulation};
use std::time::Duration;

/// The remedy. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoleSessions;

const SESSION_POLICY: &str = include_str!("../../policies/session-role-sessions.json");

/// The action that the simulator is asked about. The deny is on all actions; this one is
/// harmless and not bound to a resource.
const ASKED: &str = "s3:ListAllMyBuckets";

/// Pauses between looks: IAM is eventually consistent, and what was written a moment ago may
/// not be there yet for a reader.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl Remedy for RoleSessions {
    fn name(&self) -> &'static str {
        "role_sessions"
    }

    fn session_policy(&self, target: &Target) -> String {
        SESSION_POLICY
            .trim_end()
            .replace("${PARTITION}", target.partition.as_str())
            .replace("${ACCOUNT}", target.account.as_str())
            .replace("${ROLE}", target.role.as_str())
    }

    async fn inspect(&self, session: &MemberSession, target: &Target) -> Result<Found, Refusal> {
        let (role, document) =
            futures::join!(session.role(&target.role), session.role_policy(&target.role, POLICY_NAME));
        let role = role.map_err(Refusal::from_call)?;
        if let Some(expected) = &target.role_id
            && *expected != role.id
        {
            return Err(Refusal::RoleRecreated { expected: expected.clone(), found: role.id });
        }
        if role.path.starts_with("/aws-service-role/") || role.path.starts_with("/aws-reserved/") {
            return Err(Refusal::Unmodifiable(format!("its path is {}", role.path)));
        }
        let document = document.map_err(Refusal::from_call)?;
        Ok(Found { role, document })
    }

    fn plan(&self, target: &Target, found: &Found, aws_now: jiff::Timestamp) -> Change {
        // What somebody else wrote under our name says nothing about sessions that we revoked.
        let ours = found.document.as_deref().filter(|text| document::is_ours(text));
        let there = ours.and_then(document::cutoff_in);
        let cutoff = Cutoff::at(aws_now).not_before(there);
        let note = match &found.document {
            Some(text) if !document::is_ours(text) => Some(
                "somebody else changed the policy under our name; it is replaced, and its text is kept here"
                    .to_owned(),
            ),
            _ if there.is_some_and(|there| there > Cutoff::at(aws_now)) => Some(
                "the cutoff that was there is later than now, and a cutoff is never moved back".to_owned(),
            ),
            _ => None,
        };
        Change {
            role: target.role.clone(),
            role_arn: found.role.arn.clone(),
            role_id: found.role.id.clone(),
            policy_name: POLICY_NAME.to_owned(),
            before: found.document.clone(),
            after: document::revoke_document(cutoff),
            cutoff,
            note,
        }
    }

    async fn apply(&self, session: &MemberSession, change: &Change) -> Result<(), Refusal> {
        session
            .put_role_policy(&change.role, &change.policy_name, &change.after)
            .await
            .map_err(Refusal::from_call)
    }

    async fn verify(&self, session: &MemberSession, change: &Change) -> Verified {
        let mut pauses = PAUSES.into_iter();
        loop {
            let look = look(session, change).await;
            match (look, pauses.next()) {
                (Look::Sure(verified), _) | (Look::NotYet(verified), None) => return verified,
                (Look::NotYet(_), Some(pause)) => tokio::time::sleep(pause).await,
            }
        }
    }
}

enum Look {
    /// Another look would not tell more.
    Sure(Verified),
    /// It may only be too early.
    NotYet(Verified),
}

async fn look(session: &MemberSession, change: &Change) -> Look {
    match session.role_policy(&change.role, &change.policy_name).await {
        Ok(Some(text)) if document::in_force(&text, &change.after) => {}
        Ok(Some(_)) => {
            let found = "another document is there than the one that was written";
            return Look::NotYet(Verified::Missing(found.to_owned()));
        }
        Ok(None) => return Look::NotYet(Verified::Missing("the policy is not there".to_owned())),
        Err(error) => {
            return unanswered(Verified::Unread(format!("could not read it back: {error}")), &error);
        }
    }
    let (before, after) = (change.cutoff.plus(-1).to_string(), change.cutoff.plus(1).to_string());
    let answers = futures::try_join!(
        session.simulate(&change.role_arn, ASKED, &before),
        session.simulate(&change.role_arn, ASKED, &after),
    );
    match answers {
        Ok((old, new)) => judge(&old, &new, &change.policy_name),
        Err(error) => {
            let note = if error.kind == ErrorKind::Denied {
                "not simulated: the remediation role lacks iam:SimulatePrincipalPolicy".to_owned()
            } else {
                format!("not simulated: {error}")
            };
            let proof = Proof { rung: Rung::Present, old_token: None, new_token: None, note: Some(note) };
            unanswered(Verified::Proved(proof), &error)
        }
    }
}

/// The SDK has retried what can be retried; only an unanswered call is worth another look.
fn unanswered(verified: Verified, error: &CallError) -> Look {
    if error.is_transient() { Look::NotYet(verified) } else { Look::Sure(verified) }
}

fn judge(old: &Simulation, new: &Simulation, policy_name: &str) -> Look {
    let ours = |s: &Simulation| s.matched.iter().any(|policy| policy.ends_with(policy_name));
    let (rung, note) = if !old.is_explicit_deny() {
        (Rung::Present, Some("the simulator does not deny the old token".to_owned()))
    } else if new.is_explicit_deny() && (ours(new) || new.matched.is_empty()) {
        (Rung::Present, Some("the simulator denies a new token as well".to_owned()))
    } else {
        let other = "a new token is denied too, by another policy";
        (Rung::Simulated, new.is_explicit_deny().then(|| other.to_owned()))
    };
    let proof =
        Proof { rung, old_token: Some(old.decision.clone()), new_token: Some(new.decision.clone()), note };
    if rung == Rung::Simulated {
        Look::Sure(Verified::Proved(proof))
    } else {
        Look::NotYet(Verified::Proved(proof))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::RoleFacts;
    use crate::ident::Partition;

    fn target() -> Target {
        Target {
            partition: Partition::AwsUsGov,
            account: "111122223333".parse().expect("legal"),
            role: "x".repeat(64).parse().expect("legal"),
            role_id: None,
        }
    }

    fn found(document: Option<&str>) -> Found {
        let role = RoleFacts {
            arn: "arn:aws-us-gov:iam::111122223333:role/a/b".to_owned(),
            path: "/a/".to_owned(),
            id: "AROAEXAMPLEEXAMPLE".parse().expect("legal"),
            trust: None,
            max_session: RoleFacts::DEFAULT_SESSION,
        };
        Found { role, document: document.map(str::to_owned) }
    }

    fn time(text: &str) -> jiff::Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn the_session_policy_fits_and_names_one_role() {
        let policy = RoleSessions.session_policy(&target());
        assert!(policy.len() <= 2048, "{}", policy.len());
        let parsed: serde_json::Value = serde_json::from_str(&policy).expect("JSON");
        let name = "x".repeat(64);
        assert_eq!(
            parsed["Statement"][0]["Resource"],
            serde_json::json!([
                format!("arn:aws-us-gov:iam::111122223333:role/{name}"),
                format!("arn:aws-us-gov:iam::111122223333:role/*/{name}"),
            ])
        );
        assert!(!policy.contains("${"));
    }

    #[test]
    fn a_plan_never_moves_the_cutoff_back() {
        let now = time("2026-11-21T23:00:00Z");
        let later = document::revoke_document(Cutoff::at(time("2026-11-22T05:00:00Z")));
        let change = RoleSessions.plan(&target(), &found(Some(&later)), now);
        assert_eq!(change.cutoff.to_string(), "2026-11-22T05:00:30Z");
        assert_eq!(change.after, later);
        assert!(change.note.expect("a note").contains("never moved back"));

        let earlier = document::revoke_document(Cutoff::at(time("2026-11-21T05:00:00Z")));
        let change = RoleSessions.plan(&target(), &found(Some(&earlier)), now);
        assert_eq!(change.cutoff.to_string(), "2026-11-21T23:00:30Z");
        assert_eq!(change.before.as_deref(), Some(earlier.as_str()));
        assert_eq!(change.note, None);
    }

    #[test]
    fn a_document_that_somebody_else_wrote_is_kept_in_the_plan() {
        let theirs = r#"{"Version":"2012-10-17","Statement":[]}"#;
        let change = RoleSessions.plan(&target(), &found(Some(theirs)), time("2026-11-21T23:00:00Z"));
        assert_eq!(change.before.as_deref(), Some(theirs));
        assert!(change.note.expect("a note").contains("somebody else"));
    }

    #[test]
    fn simulated_needs_old_denied_and_new_not_denied_by_us() {
        let says = |decision: &str, matched: &[&str]| Simulation {
            decision: decision.to_owned(),
            matched: matched.iter().map(ToString::to_string).collect(),
        };
        let ours = "role_app_RescindRevokeOlderSessions";
        let rung = |old: &Simulation, new: &Simulation| match judge(old, new, POLICY_NAME) {
            Look::Sure(Verified::Proved(proof)) | Look::NotYet(Verified::Proved(proof)) => proof.rung,
            _ => panic!("both answers were given"),
        };
        let denied = says("explicitDeny", &[ours]);
        assert_eq!(rung(&denied, &says("allowed", &["x"])), Rung::Simulated);
        assert_eq!(rung(&denied, &says("implicitDeny", &[])), Rung::Simulated);
        assert_eq!(rung(&denied, &says("explicitDeny", &["other"])), Rung::Simulated);
        assert_eq!(rung(&denied, &says("explicitDeny", &[ours])), Rung::Present);
        assert_eq!(rung(&denied, &says("explicitDeny", &[])), Rung::Present);
        assert_eq!(rung(&says("allowed", &[]), &says("allowed", &[])), Rung::Present);
        assert_eq!(rung(&says("implicitDeny", &[]), &says("allowed", &[])), Rung::Present);
    }
}
