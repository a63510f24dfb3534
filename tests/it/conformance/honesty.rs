//! What AWS accepts and does not do, or says and is not so, is not reported as done.

use super::subject::{Row, Subject};
use serde_json::{Value, json};

on_each_row!(
    a_policy_that_is_not_written_is_not_called_revoked,
    what_the_simulator_does_not_deny_is_only_present,
    a_simulator_that_denies_everything_proves_nothing,
    a_reader_that_is_late_is_not_believed,
    a_policy_that_is_not_deleted_is_not_called_released,
);

/// It says that it is not revoked, and a person is needed; it is done when AWS does it.
fn is_not_kept(subject: &Subject, switch: &str) {
    let before = subject.there();
    subject.set(switch, json!(true));
    let ran = subject.scene.poll().code(5).has_code("deny_not_kept").has_code("contested");
    assert_eq!(ran.summary()["not_revoked"], 1, "{:?}", subject.row);
    assert!(subject.scene.entries_of("proof").is_empty(), "{:?}", subject.row);
    assert_eq!(subject.state(), "contested", "{:?}", subject.row);
    let listed = subject.scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    assert_eq!(listed[0]["seconds_to_deny"], Value::Null, "{:?}", subject.row);
    let is_in = subject.stolen.iter().any(|thief| thief.list_users().is_ok());
    assert!(is_in, "{:?}: then the test is about nothing", subject.row);
    subject.others_go_on();

    subject.set(switch, json!(false));
    subject.scene.poll().code(5).counts(json!({"alerts": 1, "not_revoked": 1, "seen_before": 1}));
    subject.is_denied();
    subject.ledger_is_whole();
    subject.release(&[]).code(0);
    assert_eq!(subject.there(), before, "{:?}", subject.row);
}

fn a_policy_that_is_not_written_is_not_called_revoked(row: Row) {
    is_not_kept(&Subject::new(row), &row.switch("put", "ignored"));
}

#[test]
fn a_key_that_stays_active_is_not_called_revoked() {
    is_not_kept(&Subject::new(Row::UserKey), "update_access_key_ignored");
}

/// The deny is there: the simulator's word is one rung less, not an error.
fn is_only_present(row: Row, lie: &str, code: i32, counted: Value) {
    let subject = Subject::new(row);
    subject.set("simulator_lies", json!(lie));
    subject.scene.poll().code(code).counts(counted);
    subject.is_denied();
    let state = if lie == "allow_all" { "unverified" } else { "revoked" };
    assert_eq!((subject.state(), subject.proof()), (state.to_owned(), json!("present")), "{row:?}");
    let proofs = subject.scene.entries_of("proof");
    assert_eq!((proofs.len(), &proofs[0]["data"]["rung"]), (1, &json!("present")), "{row:?}");
    // It says why it is not more.
    assert!(proofs[0]["data"]["note"].is_string(), "{row:?}: {proofs:?}");
    // A later look finds it so, and climbs.
    subject.set("simulator_lies", Value::Null);
    subject.recheck().code(0);
    assert_eq!((subject.state(), subject.proof()), ("revoked".to_owned(), json!("simulated")), "{row:?}");
}

fn what_the_simulator_does_not_deny_is_only_present(row: Row) {
    is_only_present(row, "allow_all", 5, json!({"alerts": 1, "not_confirmed": 1}));
}

fn a_simulator_that_denies_everything_proves_nothing(row: Row) {
    is_only_present(row, "deny_all", 0, json!({"revoked": 1}));
}

/// A reader that does not see what was written proves nothing: it is not called revoked.
fn a_reader_that_is_late_is_not_believed(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.set(&row.switch("get", "stale"), json!(true));
    let ran = subject.scene.poll().code(5).has_code("contested");
    assert_eq!((&ran.summary()["revoked"], &ran.summary()["not_revoked"]), (&json!(0), &json!(1)), "{row:?}");
    assert_eq!(subject.state(), "contested", "{row:?}");
    // It is denied, and that was not seen to stay.
    subject.is_denied();
    subject.set(&row.switch("get", "stale"), json!(false));
    subject.scene.poll().code(5);
    subject.is_denied();
    // It stays for long enough.
    subject.scene.advance_clock(130);
    subject.recheck().code(0);
    assert_eq!(subject.state(), "revoked", "{row:?}");
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.is_allowed();
}

/// It says that it is not released, and goes on when AWS does it.
fn is_not_released(subject: &Subject, switch: &str) {
    let before = subject.there();
    subject.revoke();
    subject.set(switch, json!(true));
    subject.release(&[]).code(5);
    assert_eq!(subject.state(), "releasing", "{:?}", subject.row);
    assert!(subject.scene.entries_of("undone").is_empty(), "{:?}", subject.row);
    assert_ne!(subject.there(), before, "{:?}", subject.row);
    // Nor by the next run.
    subject.scene.poll().code(5);
    assert_eq!(subject.state(), "releasing", "{:?}", subject.row);

    subject.set(switch, json!(false));
    subject.scene.run_once();
    assert_eq!(subject.state(), "released", "{:?}", subject.row);
    assert_eq!(subject.there(), before, "{:?}", subject.row);
    subject.is_allowed();
    subject.ledger_is_whole();
}

fn a_policy_that_is_not_deleted_is_not_called_released(row: Row) {
    is_not_released(&Subject::new(row), &row.switch("delete", "ignored"));
}

#[test]
fn a_key_that_stays_inactive_is_not_called_released() {
    is_not_released(&Subject::new(Row::UserKey), "update_access_key_ignored");
}
