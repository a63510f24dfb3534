//! Looking whether a change is in force: read back, then asked of the policy simulator.

use super::{Change, Proof, Rung, Verified};
use crate::aws::{CallError, ErrorKind, MemberSession, Simulation};
use std::time::Duration;

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

/// What one look saw.
pub(super) enum Look {
    /// Another look would not tell more.
    Sure(Verified),
    /// It may only be too early.
    NotYet(Verified),
}

impl Look {
    /// The SDK has retried what can be retried; only an unanswered call is worth another look.
    pub fn unanswered(verified: Verified, error: &CallError) -> Self {
        if error.is_transient() { Self::NotYet(verified) } else { Self::Sure(verified) }
    }
}

/// Looks until it is sure, a few times.
pub(super) async fn patiently<F: Future<Output = Look>>(mut look: impl FnMut() -> F) -> Verified {
    let mut pauses = PAUSES.into_iter();
    loop {
        match (look().await, pauses.next()) {
            (Look::Sure(verified), _) | (Look::NotYet(verified), None) => return verified,
            (Look::NotYet(_), Some(pause)) => tokio::time::sleep(pause).await,
        }
    }
}

/// Asks the simulator about an old and a new token; and when only one session is denied, about another
/// session's old one.
pub(super) async fn simulate(session: &MemberSession, change: &Change) -> Look {
    let (before, after) = (change.cutoff.plus(-1).to_string(), change.cutoff.plus(1).to_string());
    let one = change.session.as_deref();
    // A session's name is at most 64 characters long, so this is nobody's.
    let other = format!("{}:rescind-asks-about-somebody-else", change.id);
    let answers = futures::try_join!(
        session.simulate(&change.arn, ASKED, &before, one),
        session.simulate(&change.arn, ASKED, &after, one),
        async {
            match one {
                Some(_) => session.simulate(&change.arn, ASKED, &before, Some(&other)).await.map(Some),
                None => Ok(None),
            }
        }
    );
    match answers {
        Ok((old, new, other)) => judge(&old, &new, other.as_ref(), &change.policy_name),
        Err(error) => {
            let note = if error.kind == ErrorKind::Denied {
                "not simulated: the remediation role lacks iam:SimulatePrincipalPolicy".to_owned()
            } else {
                format!("not simulated: {error}")
            };
            Look::unanswered(Verified::Proved(Proof::new(Rung::Present, Some(note)).into()), &error)
        }
    }
}

fn judge(old: &Simulation, new: &Simulation, other: Option<&Simulation>, policy_name: &str) -> Look {
    let ours = |s: &Simulation| s.matched.iter().any(|policy| policy.ends_with(policy_name));
    let by_us = |s: &Simulation| s.is_explicit_deny() && (ours(s) || s.matched.is_empty());
    let (rung, note) = if !old.is_explicit_deny() {
        (Rung::Present, Some("the simulator does not deny the old token"))
    } else if by_us(new) {
        (Rung::Present, Some("the simulator denies a new token as well"))
    } else if other.is_some_and(by_us) {
        (Rung::Present, Some("the simulator denies the role's other sessions as well"))
    } else {
        let other = "a new token is denied too, by another policy";
        (Rung::Simulated, new.is_explicit_deny().then_some(other))
    };
    let proof = Proof {
        old_token: Some(old.decision.clone()),
        new_token: Some(new.decision.clone()),
        other_session: other.map(|other| other.decision.clone()),
        ..Proof::new(rung, note.map(str::to_owned))
    };
    if rung == Rung::Simulated {
        Look::Sure(Verified::Proved(proof.into()))
    } else {
        Look::NotYet(Verified::Proved(proof.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::POLICY_NAME;

    #[test]
    fn simulated_needs_old_denied_and_what_is_not_meant_not_denied_by_us() {
        let says = |decision: &str, matched: &[&str]| Simulation {
            decision: decision.to_owned(),
            matched: matched.iter().map(ToString::to_string).collect(),
            by_organization: None,
            unknown: Vec::new(),
        };
        let ours = "role_app_RescindRevokeOlderSessions";
        let rung = |old: &Simulation, new: &Simulation, other: Option<&Simulation>| match judge(
            old,
            new,
            other,
            POLICY_NAME,
        ) {
            Look::Sure(Verified::Proved(proof)) | Look::NotYet(Verified::Proved(proof)) => proof.rung,
            _ => panic!("all answers were given"),
        };
        let (denied, allowed) = (says("explicitDeny", &[ours]), says("allowed", &["x"]));
        assert_eq!(rung(&denied, &allowed, None), Rung::Simulated);
        assert_eq!(rung(&denied, &says("implicitDeny", &[]), None), Rung::Simulated);
        assert_eq!(rung(&denied, &says("explicitDeny", &["other"]), None), Rung::Simulated);
        assert_eq!(rung(&denied, &says("explicitDeny", &[ours]), None), Rung::Present);
        assert_eq!(rung(&denied, &says("explicitDeny", &[]), None), Rung::Present);
        assert_eq!(rung(&says("allowed", &[]), &allowed, None), Rung::Present);
        assert_eq!(rung(&says("implicitDeny", &[]), &allowed, None), Rung::Present);
        assert_eq!(rung(&denied, &allowed, Some(&allowed)), Rung::Simulated);
        assert_eq!(rung(&denied, &allowed, Some(&denied)), Rung::Present);
    }
}
