//! A deny that somebody takes away or alters is put back, with the cutoff that it had unless it is
//! contested, and an alert is raised.

use super::subject::{NAME, Row, Subject, delete};
use crate::log;
use crate::scene::{POLICY, SHOP, cutoff};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

on_each_row!(
    what_is_deleted_is_put_back,
    what_is_added_to_is_put_back,
    what_is_moved_back_is_put_back,
    what_is_moved_into_the_future_is_put_back,
    what_was_put_back_is_released_to_what_was_there_before,
    a_crash_while_it_is_put_back_is_recovered_from,
    a_running_service_puts_it_back,
    a_release_is_not_a_removal,
    cloudtrail_shows_who_it_was,
    each_of_several_is_put_back,
    what_cannot_be_put_back_is_not_called_in_force,
);

/// What somebody does to a deny.
type Change = fn(&Subject);

/// Found, raised and put back, with the cutoff that it had; and then there is nothing more to do.
fn is_put_back(subject: &Subject, there: &super::subject::There) {
    let row = subject.row;
    let at = cutoff(&subject_document(there)).to_owned();
    subject.recheck().code(5).has_code("deny_removed");
    subject.is_denied();
    assert_eq!(subject.there(), *there, "{row:?}");
    assert_eq!(cutoff(&subject.document()), at, "{row:?}");
    assert_eq!(subject.state(), "revoked", "{row:?}");
    assert_eq!(subject.scene.entries_of("drift").len(), 1, "{row:?}");
    let alerts = subject.scene.entries_of("alert");
    assert_eq!(
        alerts.iter().filter(|alert| alert["data"]["code"] == "deny_removed").count(),
        1,
        "{alerts:?}"
    );
    let writes = subject.scene.writes();
    subject.recheck().code(0);
    assert_eq!(subject.scene.writes(), writes, "{row:?}");
    subject.ledger_is_whole();
    subject.fresh_is_allowed();
}

fn subject_document(there: &super::subject::There) -> Value {
    serde_json::from_str(there.0.as_deref().expect("a policy")).expect("JSON")
}

fn with_an_allow(subject: &Subject) -> String {
    let mut document = subject.document();
    let more = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    document["Statement"].as_array_mut().expect("statements").push(more);
    document.to_string()
}

fn moved_back(subject: &Subject) -> String {
    let document = subject.document();
    document.to_string().replace(cutoff(&document), "2024-05-01T10:00:00Z")
}

/// The session is in again; a key only when it was activated.
fn is_in_again(subject: &Subject) {
    let last = subject.stolen.last().expect("something");
    assert_eq!(last.list_users(), Ok(()), "{:?}", subject.row);
}

fn what_is_deleted_is_put_back(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let there = subject.there();
    subject.delete(POLICY);
    is_in_again(&subject);
    is_put_back(&subject, &there);
    assert_eq!(subject.scene.entries_of("drift")[0]["data"]["found"], Value::Null, "{row:?}");
}

fn what_is_added_to_is_put_back(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let (there, altered) = (subject.there(), with_an_allow(&subject));
    subject.put(&altered);
    is_put_back(&subject, &there);
    assert_eq!(subject.scene.entries_of("drift")[0]["data"]["found"], altered, "{row:?}");
}

fn what_is_moved_back_is_put_back(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let there = subject.there();
    subject.put(&moved_back(&subject));
    is_in_again(&subject);
    is_put_back(&subject, &there);
}

fn moved_on(subject: &Subject) -> String {
    let document = subject.document();
    document.to_string().replace(cutoff(&document), "2099-01-01T00:00:00Z")
}

/// It denies the thief, and everybody else for ever: that is not what was written.
fn what_is_moved_into_the_future_is_put_back(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    let there = subject.there();
    subject.put(&moved_on(&subject));
    subject.recheck().code(5).has_code("deny_removed").says("2099-01-01");
    subject.is_denied();
    assert_eq!(subject.there(), there, "{row:?}");
    subject.fresh_is_allowed();
    // Nor does the next finding take it over, or a release bring it back.
    subject.put(&moved_on(&subject));
    let (second, finding) = subject.stolen_later();
    // Whether the theft recurs is another question than whether the document is foreign: only the second is here.
    subject.scene.poll().has_code("foreign_policy").counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(second.list_users(), Err("AccessDenied".to_owned()), "{row:?}");
    subject.fresh_is_allowed();
    subject.put(&moved_on(&subject));
    subject.release_of(&subject.remediation(&finding), &["--force"]).code(0).says("released");
    subject.put(&moved_on(&subject));
    subject.release(&["--force"]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.ledger_is_whole();
}

#[test]
fn a_key_that_is_activated_is_deactivated_again() {
    let subject = Subject::new(Row::UserKey);
    let before = subject.there();
    subject.revoke();
    let there = subject.there();
    subject.set_key(true);
    assert_eq!(subject.stolen[0].list_users(), Ok(()));
    is_put_back(&subject, &there);
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before);
    subject.is_allowed();
}

/// It was inactive when we came, so it stays so, whoever activated it in between.
#[test]
fn a_key_that_was_inactive_before_stays_so_after_a_release() {
    let subject = Subject::new(Row::UserKey);
    subject.set_key(false);
    let before = subject.there();
    subject.scene.run_once().counts(json!({"revoked": 1}));
    subject.is_denied();
    subject.set_key(true);
    subject.recheck().code(5).has_code("deny_removed");
    subject.is_denied();
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before);
}

const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// What somebody left there in between is not what was there before.
fn what_was_put_back_is_released_to_what_was_there_before(row: Row) {
    let changes: [(&str, Change); 5] = [
        ("deleted", |subject| subject.delete(POLICY)),
        ("an Allow of somebody's", |subject| subject.put(ALLOW)),
        ("an Allow was added", |subject| subject.put(&with_an_allow(subject))),
        ("the cutoff was moved back", |subject| subject.put(&moved_back(subject))),
        ("the cutoff was moved on", |subject| subject.put(&moved_on(subject))),
    ];
    for (what, change) in changes {
        let subject = Subject::new(row);
        let before = subject.there();
        subject.revoke();
        change(&subject);
        subject.recheck().code(5).has_code("deny_removed");
        subject.is_denied();
        subject.release(&[]).code(0).says("released");
        assert_eq!(subject.there(), before, "{row:?}: {what}");
        subject.is_allowed();
    }
}

fn a_crash_while_it_is_put_back_is_recovered_from(row: Row) {
    let put = row.revokes_by().last().expect("a write");
    for (operation, when) in [(put, "before"), (put, "after"), (&"SimulatePrincipalPolicy", "before")] {
        let subject = Subject::new(row);
        let before = subject.there();
        subject.revoke();
        let there = subject.there();
        subject.delete(POLICY);
        subject.kill(&["recheck"], operation, when);
        subject.scene.run_once();
        subject.is_denied();
        assert_eq!(subject.there(), there, "{row:?}: killed {when} {operation}");
        assert_eq!(subject.state(), "revoked", "{row:?}: killed {when} {operation}");
        subject.ledger_is_whole();
        subject.release(&[]).code(0).says("released");
        assert_eq!(subject.there(), before, "{row:?}: killed {when} {operation}");
    }
}

fn a_running_service_puts_it_back(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let there = subject.there();
    subject.configure("poll_interval = \"1h\"\nrecheck_interval = \"1s\"\n", "");
    let mut service = Watching::start(&subject.scene, &[]);
    subject.delete(POLICY);
    service.until(log::DENY_REMOVED);
    subject.scene.wait(|| subject.scene.entries_of("proof").len() == 2);
    subject.is_denied();
    assert_eq!(subject.there(), there, "{row:?}");
    assert_eq!(service.stop(), 0, "{row:?}");
    subject.ledger_is_whole();
}

fn a_release_is_not_a_removal(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    subject.release(&[]).code(0).says("released");
    let writes = subject.scene.writes();
    subject.configure("poll_interval = \"1h\"\nrecheck_interval = \"1s\"\n", "");
    subject.nothing_is_in_force();
    assert_eq!((subject.there(), subject.scene.writes()), (before, writes), "{row:?}");
    for kind in ["drift", "alert"] {
        assert!(subject.scene.entries_of(kind).is_empty(), "{row:?}: {kind}");
    }
}

/// The thief has another role, which may.
fn cloudtrail_shows_who_it_was(row: Row) {
    let subject = Subject::new(row);
    subject.scene.role(SHOP, "admin");
    let admin = subject.scene.thief(&subject.scene.session(SHOP, "admin", "i-0eeeeeeeeeeeeeeee"));
    subject.configure("cloudtrail = true\n", "");
    subject.revoke();
    delete(&admin, row, POLICY).expect("it may");
    is_in_again(&subject);
    subject.recheck().code(5).says("assumed-role/admin/i-0eeeeeeeeeeeeeeee");
    subject.is_denied();
    let mut alerts = subject.scene.entries_of("alert");
    alerts.retain(|alert| alert["data"]["code"] == "deny_removed_by");
    let by = alerts[0]["data"]["text"].clone();
    let operation = if row.is_user() { "DeleteUserPolicy" } else { "DeleteRolePolicy" };
    let thief = format!("arn:aws:sts::{SHOP}:assumed-role/admin/i-0eeeeeeeeeeeeeeee");
    assert!(by.as_str().is_some_and(|by| by.contains(operation) && by.contains(&thief)), "{row:?}: {by}");
}

#[test]
fn cloudtrail_shows_who_activated_a_key() {
    let subject = Subject::new(Row::UserKey);
    subject.scene.role(SHOP, "admin");
    let admin = subject.scene.thief(&subject.scene.session(SHOP, "admin", "i-0eeeeeeeeeeeeeeee"));
    subject.configure("cloudtrail = true\n", "");
    subject.revoke();
    let key = subject.named["access_key_id"].as_str().expect("a key");
    admin.set_access_key(NAME, key, true).expect("it may");
    subject.recheck().code(5).says("UpdateAccessKey").says("arn:aws:sts::222222222222:assumed-role/admin/");
    subject.is_denied();
}

/// Several remediations share one document: all of it comes back.
fn each_of_several_is_put_back(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    let (second, finding) = subject.stolen_later();
    subject.scene.poll().counts(json!({"revoked": 1, "seen_before": 1}));
    let there = subject.there();
    subject.delete(POLICY);
    subject.recheck().code(5);
    subject.is_denied();
    let is_denied = |thief: &Thief| thief.list_users() == Err("AccessDenied".to_owned());
    assert!(is_denied(&second), "{row:?}");
    assert_eq!(subject.there(), there, "{row:?}");
    subject.release(&[]).code(0).says("released");
    assert!(is_denied(&second), "{row:?}");
    subject.release_of(&subject.remediation(&finding), &[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.is_allowed();
}

/// The later remediation of a user's session covers the sessions of the first one, but not its key.
#[test]
fn a_key_is_deactivated_again_though_a_later_remediation_covers_the_sessions() {
    let subject = Subject::new(Row::UserKey);
    subject.revoke();
    let (_, _) = subject.stolen_later();
    subject.scene.poll().counts(json!({"alerts": 1, "revoked": 1, "seen_before": 1}));
    subject.set_key(true);
    assert_eq!(subject.stolen[0].list_users(), Ok(()));
    subject.recheck().code(5).has_code("deny_removed");
    subject.is_denied();
}

fn what_cannot_be_put_back_is_not_called_in_force(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    let there = subject.there();
    subject.delete(POLICY);
    subject.set(&row.switch("put", "ignored"), json!(true));
    subject.recheck().code(5).counts(json!({"alerts": 3, "not_revoked": 1}));
    is_in_again(&subject);
    assert_eq!(subject.state(), "contested", "{row:?}");
    subject.set(&row.switch("put", "ignored"), json!(false));
    subject.scene.poll().code(5).counts(json!({"alerts": 1, "not_revoked": 1, "seen_before": 1}));
    subject.is_denied();
    assert_eq!(subject.state(), "contested", "{row:?}");
    subject.scene.advance_clock(130);
    subject.recheck();
    assert_eq!(subject.state(), "revoked", "{row:?}");
    // With a later cutoff than it had: a token may have been issued while it was gone.
    let cutoff_of = |(document, _): &super::subject::There| {
        let document: Value = serde_json::from_str(document.as_deref().expect("a document")).expect("JSON");
        cutoff(&document).to_owned()
    };
    assert!(cutoff_of(&subject.there()) > cutoff_of(&there), "{row:?}");
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.ledger_is_whole();
}

/// A key that its owner deletes needs no deny, and cannot be given back.
#[test]
fn a_key_that_is_deleted_is_as_good_as_inactive() {
    let subject = Subject::new(Row::UserKey);
    subject.revoke();
    let key = subject.named["access_key_id"].as_str().expect("a key");
    subject.operator.delete_access_key(NAME, key);
    let there = subject.there();
    subject.recheck().code(0);
    assert_eq!(subject.there(), there);
    subject.release(&[]).code(0).says("released");
    let expected: Vec<_> = there.1.into_iter().filter(|(id, _)| id != key).collect();
    assert_eq!(subject.there(), (None, expected));
}
