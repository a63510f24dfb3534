//! IAM's room for inline policies: what does not fit is refused; of one session's deny a person may make one
//! of all sessions, or the rule does.

use super::acts::SIGNED;
use super::subject::{NAME, Row, Subject};
use crate::scene::{POLICY, SHOP, cutoff};
use crate::thief::Thief;
use serde_json::{Value, json};

/// A little less than a document of ours for all sessions takes, one for one session, and one more session
/// in it.
const WHOLE: usize = 160;
const ONE: usize = 200;
const ONE_MORE: usize = 100;

/// Fills the inline policies so that just this much is left.
fn leave(subject: &Subject, room: usize) {
    let quota = if subject.row.is_user() { 2_048 } else { 10_240 };
    let mut there = 0;
    for name in ["permissions", POLICY] {
        let text = if subject.row.is_user() {
            subject.operator.user_policy(NAME, name)
        } else {
            subject.operator.role_policy(NAME, name)
        };
        there += text.map_or(0, |text| text.chars().filter(|c| !c.is_whitespace()).count());
    }
    let big = |padding: usize| {
        let resource = format!("arn:aws:s3:::{}", "x".repeat(padding));
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}]}).to_string()
    };
    subject.put_as("big", &big(quota - there - room - big(0).len()));
}

fn denied(thief: &Thief) -> bool {
    thief.list_users() == Err("AccessDenied".to_owned())
}

/// Refused with its name; when there is room, the next start does it.
#[test]
fn what_does_not_fit_is_refused_and_done_when_there_is_room() {
    for row in [Row::RoleSessions, Row::UserKey, Row::UserSession] {
        let subject = Subject::new(row);
        let before = subject.there();
        leave(&subject, WHOLE / 2);
        subject.scene.poll().code(5).has_code("quota_exceeded").counts(json!({"not_revoked": 1}));
        let refused = subject.scene.entries_of("refused")[0]["data"].clone();
        assert_eq!(
            (&refused["code"], &refused["disposition"]),
            (&json!("quota_exceeded"), &json!("blocked")),
            "{row:?}"
        );
        assert_eq!((subject.state().as_str(), subject.policy()), ("blocked", None), "{row:?}");
        // What could be done is done: a key is off.
        let is_off = subject.stolen[0].list_users().is_err();
        assert_eq!(is_off, row == Row::UserKey, "{row:?}");
        subject.others_go_on();
        subject.scene.poll().code(5);

        subject.delete("big");
        subject.scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
        subject.is_denied();
        subject.ledger_is_whole();
        // Of a key it is not forgotten that it was active.
        subject.release(&[]).code(0).says("released");
        assert_eq!(subject.there(), before, "{row:?}");
        subject.is_allowed();
    }
}

/// One session is revoked, and there is no room for a second one.
fn without_room(rule: &str) -> (Subject, Thief) {
    let subject = Subject::new(Row::OneSession);
    subject.configure("", rule);
    subject.revoke();
    leave(&subject, ONE_MORE);
    let (second, _) = subject.stolen_later();
    assert_eq!(second.list_users(), Ok(()));
    (subject, second)
}

fn bystander(subject: &Subject) -> &Thief {
    let (who, other) = subject.bystanders.last().expect("somebody");
    assert_eq!(*who, "another session of the same role");
    other
}

#[test]
fn one_session_without_room_is_held_and_approved_all_are_revoked() {
    let (subject, second) = without_room("");
    let there = subject.there();
    subject.scene.poll().code(5).counts(json!({"held": 1, "seen_before": 1}));
    assert_eq!(subject.there(), there);
    assert_eq!((second.list_users(), bystander(&subject).list_users()), (Ok(()), Ok(())));
    let reheld = subject.scene.entries_of("reheld")[0].clone();
    assert_eq!(reheld["data"]["code"], "no_room");
    let id = reheld["remediation"].as_str().expect("an id");
    // Who approves sees what it means: all sessions, not the one.
    let shown = subject.scene.shown(id);
    assert_eq!(
        (&shown["remediation"]["held_code"], &shown["proposal"]["session"]),
        (&json!("no_room"), &Value::Null)
    );
    subject.scene.rescind(&[&["approve", id][..], &SIGNED[..]].concat()).code(0);
    subject.scene.run_once().counts(json!({"revoked": 1}));
    assert!(denied(&second) && denied(&subject.stolen[0]));
    assert!(denied(bystander(&subject)), "all sessions of the role are revoked");
    let change = subject.scene.entries_of("intent").pop().expect("one")["data"]["change"].clone();
    assert_eq!(change["session"], Value::Null);
    subject.ledger_is_whole();
    // And back: the first one's session stays denied.
    subject.release_of(id, &[]).code(0).says("released");
    assert_eq!(subject.there(), there);
    assert_eq!((second.list_users(), bystander(&subject).list_users()), (Ok(()), Ok(())));
    subject.is_denied();
}

#[test]
fn one_session_without_room_is_widened_at_once_if_the_rule_says_so() {
    let (subject, second) = without_room("widen = true\n");
    subject.scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(
        subject.scene.entries_of("intent").pop().expect("one")["data"]["change"]["session"],
        Value::Null
    );
    assert!(denied(&second) && denied(&subject.stolen[0]) && denied(bystander(&subject)));
    let change = subject.scene.entries_of("intent").pop().expect("one")["data"]["change"].clone();
    assert_eq!(change["session"], Value::Null);
    assert_eq!(subject.document()["Statement"].as_array().map(Vec::len), Some(1));
    // What was widened is put back as wide, with its cutoff.
    let there = subject.there();
    subject.delete(POLICY);
    subject.recheck().code(5).has_code("deny_removed");
    assert!(denied(&second) && denied(bystander(&subject)));
    assert_eq!(
        cutoff(&subject.document()),
        cutoff(&serde_json::from_str(there.0.as_deref().expect("one")).expect("JSON"))
    );
    subject.ledger_is_whole();
}

/// Not even the first session fits, but the shorter deny of all sessions does.
#[test]
fn a_first_session_without_room_is_widened_at_once_if_the_rule_says_so() {
    let subject = Subject::new(Row::OneSession);
    let before = subject.there();
    subject.configure("", "widen = true\n");
    leave(&subject, ONE);
    subject.scene.run_once().counts(json!({"revoked": 1}));
    assert!(denied(&subject.stolen[0]) && denied(bystander(&subject)));
    subject.scene.advance_clock(60);
    assert_eq!(subject.scene.thief(&subject.session()).list_users(), Ok(()));
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before);
    subject.is_allowed();
}

/// Neither fits: that is an alert, too.
#[test]
fn when_not_even_all_sessions_fit_it_is_refused() {
    let subject = Subject::new(Row::OneSession);
    subject.configure("", "widen = true\n");
    leave(&subject, WHOLE / 2);
    subject.scene.poll().code(5).counts(json!({"not_revoked": 1}));
    assert_eq!(subject.scene.entries_of("refused")[0]["data"]["code"], "quota_exceeded");
    subject.is_allowed();
    subject.delete("big");
    subject.scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    assert!(denied(&subject.stolen[0]));
}

#[test]
fn many_sessions_of_one_role_share_a_document() {
    let subject = Subject::new(Row::OneSession);
    let before = subject.there();
    let mut thieves = Vec::new();
    for number in 0..10 {
        let session = subject.scene.session(SHOP, NAME, &format!("i-{number:017x}"));
        subject.report(&session, json!({}));
        thieves.push(subject.scene.thief(&session));
    }
    subject.scene.run_once().counts(json!({"revoked": 11}));
    assert!(thieves.iter().all(denied));
    subject.is_denied();
    assert_eq!(subject.document()["Statement"].as_array().map(Vec::len), Some(11));
    subject.recheck().code(0);
    // In whatever order they go, each one's thief alone is in again.
    let mut ids: Vec<String> = subject
        .scene
        .entries_of("decision")
        .iter()
        .map(|entry| entry["remediation"].as_str().expect("an id").to_owned())
        .collect();
    ids.sort_unstable();
    for (gone, id) in ids.iter().enumerate() {
        let in_again =
            thieves.iter().chain(&subject.stolen).filter(|thief| thief.list_users().is_ok()).count();
        assert_eq!(in_again, gone);
        subject.release_of(id, &[]).code(0).says("released");
        subject.others_go_on();
    }
    assert_eq!(subject.there(), before);
    subject.ledger_is_whole();
}

/// The key is off, though the deny of the sessions did not fit: who judges that its use was legitimate
/// can have it back.
#[test]
fn a_key_that_is_off_can_be_given_back_though_the_deny_did_not_fit() {
    let subject = Subject::new(Row::UserKey);
    let before = subject.there();
    leave(&subject, WHOLE / 2);
    subject.scene.poll().code(5).has_code("quota_exceeded");
    assert_ne!(subject.there(), before);
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before);
    subject.is_allowed();
}
