//! A release restores exactly what was there, and nothing is revoked again but for what comes anew.

use super::subject::{Row, Subject};
use crate::scene::{OTHER, SHOP};
use serde_json::{Value, json};

on_each_row!(
    what_was_there_comes_back_letter_by_letter,
    what_somebody_else_had_written_stays_gone,
    what_was_released_is_not_revoked_again_and_what_is_new_is,
    two_remediations_are_released_in_both_orders,
    what_is_beneath_two_remediations_comes_back,
    a_running_service_carries_a_release_out,
);

const OLD: &str = "2024-05-01T10:00:00Z";

/// Documents of ours from before, spaced as nobody here would.
fn earlier(subject: &Subject) -> Vec<Option<String>> {
    let whole = include_str!("../../../policies/revoke-role-sessions.json").replace("${CUTOFF}", OLD);
    let one = include_str!("../../../policies/revoke-one-session.json")
        .replace("${CUTOFF}", OLD)
        .replace("${USER_ID}", "AROAEXAMPLE000000001:i-somebody");
    let mut all = vec![None, Some(spaced(&whole))];
    if !subject.row.is_user() {
        all.push(Some(spaced(&one)));
    }
    all
}

fn spaced(document: &str) -> String {
    document
        .trim_end()
        .replace(',', " ,\n\t")
        .replace(':', ": ")
        .replace("aws: ", "aws:")
        .replace("T10: 00: 00Z", "T10:00:00Z")
}

fn what_was_there_comes_back_letter_by_letter(row: Row) {
    let subject = Subject::new(row);
    for (number, document) in earlier(&subject).into_iter().enumerate() {
        let subject = Subject::new(row);
        if let Some(document) = &document {
            subject.put(document);
        }
        let before = subject.there();
        assert_eq!(before.0, document, "{row:?}, document {number}");
        subject.revoke();
        assert_ne!(subject.there(), before, "{row:?}, document {number}");
        let ran = subject.release(&[]).code(0).says("released");
        assert_eq!(ran.json()[0]["drift"], false, "{}", ran.out);
        assert_eq!(subject.there(), before, "{row:?}, document {number}");
        subject.is_allowed();
        subject.ledger_is_whole();
        let asked = &subject.scene.entries_of("release_asked")[0]["data"];
        assert_eq!((&asked["by"], &asked["reason"]), (&json!("Ada"), &json!("ticket 4711")), "{asked}");
    }
}

/// What was under our name and only somebody else can have written is shown, and stays gone.
fn what_somebody_else_had_written_stays_gone(row: Row) {
    let template = include_str!("../../../policies/revoke-role-sessions.json").trim_end();
    let planted = template.replace("${CUTOFF}", "2099-01-01T00:00:00Z");
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for theirs in [planted.as_str(), allow] {
        let subject = Subject::new(row);
        subject.put(theirs);
        subject.scene.poll().code(5).has_code("foreign_policy");
        assert_eq!(subject.scene.entries_of("intent")[0]["data"]["change"]["before"], theirs);
        assert!(subject.stolen.iter().all(|thief| thief.list_users().is_err()), "{row:?}");
        // Who comes after the cutoff goes on, whatever was planted.
        subject.fresh_is_allowed();
        let undo = subject.release(&[]).code(0).json().remove(0)["undo"].clone();
        assert_eq!((&undo["foreign"], &undo["leave"]), (&json!(theirs), &json!(null)), "{undo}");
        assert_eq!(subject.policy(), None, "{row:?}");
        subject.ledger_is_whole();
    }
}

fn what_was_released_is_not_revoked_again_and_what_is_new_is(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    // AWS gives the time of the release in whole seconds; what was seen in that very second is new.
    subject.scene.advance_clock(2);
    subject.release(&[]).code(0);
    let writes = subject.scene.writes();
    // Once.
    subject.release(&[]).code(0);
    assert_eq!(subject.scene.entries_of("undone").len(), 1);
    subject.scene.run_once().counts(json!({"seen_before": 1}));
    subject.report(&subject.named, json!({"region": OTHER, "updated_at": subject.seen}));
    subject.scene.run_once().has_code("released").counts(json!({"seen_before": 1, "skipped": 1}));
    subject.nothing_is_in_force();
    assert_eq!((subject.scene.writes(), subject.there()), (writes, before));
    subject.is_allowed();
    // The same finding goes on, with a key that nobody has judged.
    let (thief, _) = subject.stolen_later();
    assert_eq!(thief.list_users(), Ok(()));
    subject.scene.run_once().counts(json!({"revoked": 1}));
    assert_eq!(thief.list_users(), Err("AccessDenied".to_owned()), "{row:?}");
}

/// The very credentials that were released are used again later.
#[test]
fn a_released_key_that_is_used_again_is_revoked_again() {
    for row in [Row::RoleSessions, Row::OneSession, Row::UserKey, Row::UserSession] {
        let subject = Subject::new(row);
        subject.revoke();
        subject.release(&[]).code(0);
        subject.is_allowed();
        subject.scene.advance_clock(60);
        let now = subject.scene.get("clock")["now"].clone();
        subject.report(&subject.named, json!({"id": subject.finding, "updated_at": now}));
        subject.scene.run_once().counts(json!({"revoked": 1}));
        subject.is_denied();
    }
}

/// A first and a second theft, each revoked; the second one's thief and remediation.
fn twice(subject: &Subject) -> (crate::thief::Thief, String) {
    subject.revoke();
    let (second, finding) = subject.stolen_later();
    assert_eq!(second.list_users(), Ok(()), "{:?}: it is issued after the cutoff", subject.row);
    // That a key leaked after the cutoff that should have ended it is an alert.
    let (code, alerts) = if subject.row == Row::OneSession { (0, 0) } else { (5, 1) };
    subject.scene.poll().code(code).counts(json!({"alerts": alerts, "revoked": 1, "seen_before": 1}));
    subject.is_denied();
    (second, subject.remediation(&finding))
}

fn denied(thief: &crate::thief::Thief) -> bool {
    thief.list_users() == Err("AccessDenied".to_owned())
}

fn two_remediations_are_released_in_both_orders(row: Row) {
    for first_goes_first in [true, false] {
        let subject = Subject::new(row);
        let before = subject.there();
        let (second, later) = twice(&subject);
        assert!(denied(&second), "{row:?}");
        let what = format!("{row:?}, the first one is released first: {first_goes_first}");
        if first_goes_first {
            subject.release(&[]).code(0).says("released");
            assert!(denied(&second), "{what}");
            // Of a role or user the later cutoff covers the first theft as well, but not a key.
            let first: Vec<bool> = subject.stolen.iter().map(denied).collect();
            let expected: &[bool] = match row {
                Row::RoleSessions | Row::UserSession => &[true],
                Row::OneSession => &[false],
                Row::UserKey => &[false, true],
            };
            assert_eq!(first, expected, "{what}");
            subject.release_of(&later, &[]).code(0).says("released");
        } else {
            subject.release_of(&later, &[]).code(0).says("released");
            subject.is_denied();
            assert_eq!(second.list_users(), Ok(()), "{what}");
            subject.release(&[]).code(0).says("released");
        }
        subject.is_allowed();
        assert_eq!(second.list_users(), Ok(()), "{what}");
        assert_eq!(subject.there(), before, "{what}");
        subject.ledger_is_whole();
    }
}

/// In whatever order they go, the last one leaves what was there, letter by letter.
fn what_is_beneath_two_remediations_comes_back(row: Row) {
    let whole = include_str!("../../../policies/revoke-role-sessions.json").replace("${CUTOFF}", OLD);
    for first_goes_first in [true, false] {
        let subject = Subject::new(row);
        subject.put(&spaced(&whole));
        let before = subject.there();
        let (_, later) = twice(&subject);
        let mut ids = [subject.id(), later];
        if !first_goes_first {
            ids.reverse();
        }
        for id in ids {
            assert_ne!(subject.there(), before, "{row:?}");
            subject.release_of(&id, &[]).code(0).says("released");
        }
        assert_eq!(subject.there(), before, "{row:?}, the first one is released first: {first_goes_first}");
    }
}

fn a_running_service_carries_a_release_out(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    subject.configure("poll_interval = \"1h\"\n", "");
    let service = crate::watching::Watching::start(&subject.scene, &[]);
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.is_allowed();
    assert_eq!(service.stop(), 0, "{row:?}");
    // The command itself has changed nothing: the service did, under its own sessions.
    let sessions: Vec<Value> = subject
        .scene
        .calls_of("AssumeRole")
        .iter()
        .map(|call| call["params"]["RoleSessionName"].clone())
        .collect();
    let undone =
        sessions.iter().filter(|name| name.as_str().is_some_and(|name| name.starts_with("rescind-undo-")));
    assert_eq!(undone.count(), 1, "{row:?}, {SHOP}: {sessions:?}");
}
