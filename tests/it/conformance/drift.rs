//! What somebody changed since is not lost by a release, unless a person says so.

use super::subject::{Row, Subject};
use crate::scene::cutoff;

on_each_row!(
    a_changed_document_is_not_released,
    another_document_under_our_name_is_not_released,
    a_cutoff_that_was_moved_is_not_released,
    the_same_document_spaced_otherwise_is_no_drift,
    what_somebody_removed_already_is_released,
);

const THEIRS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}]}"#;

/// Refused with the difference; with --force it is done, and what was there before comes back.
fn is_drift(row: Row, change: impl Fn(&Subject) -> String) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    subject.put(&change(&subject));
    let there = subject.there();
    let writes = subject.scene.writes();
    let refused = subject.release(&[]).code(5).json().remove(0);
    assert_eq!(refused["drift"], true);
    // What was written, and what is there instead.
    assert!(refused["written"].is_string(), "{refused}");
    assert_eq!(refused["undo"]["found"].as_str().map(str::to_owned), there.0, "{refused}");
    assert_eq!((subject.scene.writes(), subject.there()), (writes, there), "{row:?}");
    for kind in ["release_asked", "undoing", "undone"] {
        assert!(subject.scene.entries_of(kind).is_empty(), "{row:?}: {kind}");
    }
    assert_eq!(subject.state(), "revoked", "{row:?}");
    subject.release(&["--force"]).code(0).says("released");
    assert_eq!(subject.state(), "released", "{row:?}");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.is_allowed();
    // What was lost stands in the ledger.
    let undoing = &subject.scene.entries_of("undoing")[0]["data"]["undo"];
    assert!(undoing["found"].is_string(), "{row:?}: {undoing}");
    subject.ledger_is_whole();
}

fn a_changed_document_is_not_released(row: Row) {
    is_drift(row, |subject| {
        let mut document = subject.document();
        let more = serde_json::json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
        document["Statement"].as_array_mut().expect("statements").push(more);
        document.to_string()
    });
}

fn another_document_under_our_name_is_not_released(row: Row) {
    is_drift(row, |_| THEIRS.to_owned());
}

fn a_cutoff_that_was_moved_is_not_released(row: Row) {
    is_drift(row, |subject| {
        let document = subject.document();
        document.to_string().replace(cutoff(&document), "2099-01-01T00:00:00Z")
    });
}

fn the_same_document_spaced_otherwise_is_no_drift(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    let text = serde_json::to_string_pretty(&subject.document()).expect("JSON");
    subject.put(&text);
    subject.recheck().code(0);
    assert_eq!(subject.policy(), Some(text), "{row:?}: it is in force, so it is left");
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
}

fn what_somebody_removed_already_is_released(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    subject.delete(crate::scene::POLICY);
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    subject.is_allowed();
}
