//! Checks whether a change is in force: reads it back, and then asks the policy simulator.

use super::abilities::SOMEBODY;
use crate::aws::{Caller, MemberSession, Simulation};
use crate::remediation::{CallError, Change, Cutoff, ErrorKind, Proof, Rung, SimulatedDecision, Verified};
use jiff::Timestamp;
use std::time::Duration;

/// The action that the simulator is asked about. The deny is on all actions; this one is
/// harmless and not bound to a resource.
const ASKED: &str = "s3:ListAllMyBuckets";

/// Delays between looks: IAM is eventually consistent, and a reader may not see a change that was just
/// written.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Number of looks in a row that find nothing before it is believed. A thief takes a deny away between the put and the
/// first look, and to put it once more does no harm.
const MISSING: usize = 4;

/// What one look saw.
pub(super) enum Look {
    /// Looking again would show nothing new.
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

/// Looks until it is sure, a few times. What was there at once and is proved no further was there then, and
/// not only at the last look.
pub(super) async fn patiently<F: Future<Output = Look>>(mut look: impl FnMut() -> F) -> Verified {
    let mut pauses = PAUSES.into_iter();
    let (mut present_since, mut missing) = (None, 0);
    loop {
        let (mut verified, is_sure) = match look().await {
            Look::Sure(verified) => (verified, true),
            Look::NotYet(verified) => (verified, false),
        };
        match &mut verified {
            Verified::Proved(proof) if proof.rung == Rung::Present => {
                present_since = present_since.or(proof.at);
                proof.at = present_since;
            }
            Verified::Missing(_) => present_since = None,
            Verified::Proved(_) | Verified::Unread(_) => {}
        }
        missing = if matches!(verified, Verified::Missing(_)) { missing + 1 } else { 0 };
        match pauses.next() {
            Some(pause) if !is_sure && missing < MISSING => tokio::time::sleep(pause).await,
            _ => return verified,
        }
    }
}

/// Asks the simulator about an old and a new session; and when only one session is denied, about another
/// old one. The document was read back at `present_at`.
pub(super) async fn simulate(session: &MemberSession, change: &Change, present_at: Timestamp) -> Look {
    let somebody = format!("{}:{SOMEBODY}", change.id);
    let somebody = if change.is_of_user() { change.id.as_str() } else { somebody.as_str() };
    let one = change.session.as_deref().unwrap_or(somebody);
    let ask = async |since: Cutoff, user_id| {
        let (since, user_id) = (since.time(), Some(user_id));
        let caller = Caller { arn: &change.arn, user_id, source_identity: None, since };
        session.simulate(&caller, &[ASKED], None).await.map(|mut answers| answers.swap_remove(0).1)
    };
    let (before, after) = (change.cutoff.plus(-1), change.cutoff.plus(1));
    let ask_other = async {
        match change.session {
            Some(_) => ask(before, somebody).await.map(Some),
            None => Ok(None),
        }
    };
    // All to their end, also when one fails: they are recorded with what came of them.
    match futures::join!(ask(before, one), ask(after, one), ask_other) {
        (Ok(old), Ok(new), Ok(other)) => {
            let (rung, note) = judge(&old, &new, other.as_ref(), &change.policy_name);
            let at = if rung == Rung::Present { present_at } else { session.aws_now() };
            let proof = Proof {
                old_token: Some(old.decision),
                new_token: Some(new.decision),
                other_session: other.map(|other| other.decision),
                ..Proof::new(rung, note, at)
            };
            let verified = Verified::Proved(proof.into());
            if rung == Rung::Simulated { Look::Sure(verified) } else { Look::NotYet(verified) }
        }
        (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
            let proof = Proof::new(Rung::Present, Some(not_simulated(&error)), present_at);
            Look::unanswered(Verified::Proved(proof.into()), &error)
        }
    }
}

/// Asks the simulator about a session that is issued later than any: the quarantine denies all of them.
pub(super) async fn simulate_everything(
    session: &MemberSession,
    change: &Change,
    present_at: Timestamp,
) -> Look {
    let somebody = format!("{}:{SOMEBODY}", change.id);
    let somebody = if change.is_of_user() { change.id.as_str() } else { somebody.as_str() };
    let since = change.cutoff.plus(1).time();
    let caller = Caller { arn: &change.arn, user_id: Some(somebody), source_identity: None, since };
    let answer = session.simulate(&caller, &[ASKED], None).await.map(|mut answers| answers.swap_remove(0).1);
    let (proof, error) = match answer {
        Ok(answer) if answer.is_explicit_deny() && answer.is_by_managed(&change.policy_name) => {
            let proof = Proof::new(Rung::Simulated, None, session.aws_now());
            (Proof { old_token: Some(answer.decision), ..proof }, None)
        }
        Ok(answer) => {
            let note =
                format!("the simulator does not deny everything by the quarantine: {}", answer.decision);
            (
                Proof {
                    old_token: Some(answer.decision),
                    ..Proof::new(Rung::Present, Some(note), present_at)
                },
                None,
            )
        }
        Err(error) => (Proof::new(Rung::Present, Some(not_simulated(&error)), present_at), Some(error)),
    };
    let is_simulated = proof.rung == Rung::Simulated;
    let verified = Verified::Proved(proof.into());
    match error {
        Some(error) => Look::unanswered(verified, &error),
        None if is_simulated => Look::Sure(verified),
        None => Look::NotYet(verified),
    }
}

fn not_simulated(error: &CallError) -> String {
    if error.kind == ErrorKind::Denied {
        format!("not simulated: AWS does not let the remediation role call {}", error.action())
    } else {
        format!("not simulated: {error}")
    }
}

/// How far the answers prove it: only a statement of ours counts, that decides about the old session and not
/// about others. An SCP that denies both, or a condition on a key that the request did not give, proves nothing.
fn judge(
    old: &Simulation,
    new: &Simulation,
    other: Option<&Simulation>,
    policy_name: &str,
) -> (Rung, Option<String>) {
    let all = || [Some(old), Some(new), other].into_iter().flatten();
    let is_ours = |answer: &Simulation| answer.is_by(policy_name);
    let present = |note: &str| (Rung::Present, Some(note.to_owned()));
    if all().any(Simulation::misses_ours) {
        return present("the simulator did not take into account when the session began");
    }
    if !old.is_explicit_deny() {
        return (
            Rung::Present,
            Some(if old.decision == SimulatedDecision::Mixed {
                "the simulator's answers about the old session differ".to_owned()
            } else {
                format!("the simulator does not deny the old session: {}", old.decision)
            }),
        );
    }
    if !is_ours(old) {
        return present(
            "the simulator denies the old session by another policy, which says nothing about this one",
        );
    }
    if is_ours(new) {
        return present("the simulator denies a new session as well, by this policy");
    }
    if other.is_some_and(is_ours) {
        return present("the simulator denies the role's other sessions as well, by this policy");
    }
    let mut missing: Vec<&str> = all().flat_map(|answer| answer.unknown.iter().map(String::as_str)).collect();
    missing.sort_unstable();
    missing.dedup();
    let denied = new.is_explicit_deny().then(|| "a new session is denied too, by another policy".to_owned());
    let missing =
        (!missing.is_empty()).then(|| format!("the simulator lacked a value for {}", missing.join(", ")));
    let notes: Vec<String> = denied.into_iter().chain(missing).collect();
    (Rung::Simulated, (!notes.is_empty()).then(|| notes.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::POLICY_NAME;
    use crate::remediation::SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, Mixed};

    fn says(decision: SimulatedDecision, matched: &[&str], unknown: &[&str]) -> Simulation {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let (matched, unknown) = (texts(matched), texts(unknown));
        Simulation { decision, matched, by_organization: None, unknown }
    }

    #[test]
    fn simulated_needs_our_statement_on_the_old_session_and_on_no_other() {
        let ours = "role_app_RescindRevokeOlderSessions";
        let rung = |old: &Simulation, new: &Simulation, other| judge(old, new, other, POLICY_NAME).0;
        let (denied, allowed) = (says(ExplicitDeny, &[ours], &[]), says(Allowed, &["x"], &[]));
        assert_eq!(rung(&denied, &allowed, None), Rung::Simulated);
        assert_eq!(rung(&denied, &says(ImplicitDeny, &[], &[]), None), Rung::Simulated);
        assert_eq!(rung(&denied, &denied, None), Rung::Present);
        assert_eq!(rung(&says(Allowed, &[], &[]), &allowed, None), Rung::Present);
        assert_eq!(rung(&says(ImplicitDeny, &[], &[]), &allowed, None), Rung::Present);
        assert_eq!(rung(&says(Mixed, &[ours], &[]), &allowed, None), Rung::Present);
        assert_eq!(rung(&denied, &allowed, Some(&allowed)), Rung::Simulated);
        assert_eq!(rung(&denied, &allowed, Some(&denied)), Rung::Present);
        // Another policy that denies both, named or not, proves nothing; beside ours it does no harm.
        let mut notes = std::collections::BTreeSet::new();
        for scp in [says(ExplicitDeny, &["p-scp"], &[]), says(ExplicitDeny, &[], &[])] {
            assert_eq!(rung(&scp, &scp, None), Rung::Present);
            assert_eq!(rung(&scp, &allowed, None), Rung::Present);
            let (rung, note) = judge(&says(ExplicitDeny, &["p-scp", ours], &[]), &scp, None, POLICY_NAME);
            assert_eq!(rung, Rung::Simulated);
            notes.insert(note.expect("a note"));
        }
        insta::assert_snapshot!(Vec::from_iter(notes).join("\n"), @"a new session is denied too, by another policy");
    }

    #[test]
    fn missing_context_keys_are_noted_and_ours_must_be_known() {
        let ours = "role_app_RescindRevokeOlderSessions";
        let allowed = says(Allowed, &["x"], &["aws:SourceVpc"]);
        let (rung, note) = judge(&says(ExplicitDeny, &[ours], &[]), &allowed, None, POLICY_NAME);
        assert_eq!(rung, Rung::Simulated);
        insta::assert_snapshot!(note.expect("a note"), @"the simulator lacked a value for aws:SourceVpc");
        let mut notes = std::collections::BTreeSet::new();
        for decision in [ExplicitDeny, Allowed, Mixed] {
            let blind = says(decision, &[ours], &["aws:TokenIssueTime"]);
            let (rung, note) = judge(&blind, &allowed, None, POLICY_NAME);
            assert_eq!(rung, Rung::Present);
            notes.insert(note.expect("a note"));
        }
        insta::assert_snapshot!(Vec::from_iter(notes).join("\n"), @"the simulator did not take into account when the session began");
    }

    #[tokio::test]
    async fn what_is_not_there_at_once_is_waited_for_and_not_for_long() {
        let last = async |looks: Vec<Look>| {
            let mut looks = looks.into_iter();
            patiently(|| std::future::ready(looks.next().expect("no more looks than these"))).await
        };
        let missing = || Verified::Missing("nothing".to_owned());
        let not_yet = || Look::NotYet(missing());
        // Whoever took it away: it is put back soon.
        assert_eq!(last(vec![not_yet(), not_yet(), not_yet(), not_yet()]).await, missing());
        // A reader that lags behind sees it late.
        let late = || Verified::Proved(Proof::new(Rung::Simulated, None, Timestamp::UNIX_EPOCH).into());
        assert_eq!(last(vec![not_yet(), not_yet(), Look::Sure(late())]).await, late());
    }

    #[tokio::test]
    async fn what_was_present_at_once_is_dated_then() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let proof = |rung, second| Verified::Proved(Proof::new(rung, None, at(second)).into());
        let dated = async |looks: Vec<Look>| {
            let mut looks = looks.into_iter();
            let mut next = || std::future::ready(looks.next().expect("no more looks than these"));
            let Verified::Proved(proof) = patiently(&mut next).await else { panic!("proved") };
            (proof.rung, proof.at.expect("dated").as_second())
        };
        let (first, last) = (Look::NotYet(proof(Rung::Present, 1)), Look::Sure(proof(Rung::Present, 9)));
        assert_eq!(dated(vec![first, last]).await, (Rung::Present, 1));
        // What went on to the next rung, or was gone in between, has the time of its own look.
        let (first, last) = (Look::NotYet(proof(Rung::Present, 1)), Look::Sure(proof(Rung::Simulated, 9)));
        assert_eq!(dated(vec![first, last]).await, (Rung::Simulated, 9));
        let gone = Look::NotYet(Verified::Missing("nothing".to_owned()));
        let (first, last) = (Look::NotYet(proof(Rung::Present, 1)), Look::Sure(proof(Rung::Present, 9)));
        assert_eq!(dated(vec![first, gone, last]).await, (Rung::Present, 9));
    }
}
