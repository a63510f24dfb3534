//! A principal that is deleted, or made again under its name: the stolen credentials died with it, and
//! the new one is not touched.

use super::subject::{Row, Subject};
use serde_json::{Value, json};

on_each_row!(
    deleted_before_the_change,
    made_again_before_the_change,
    deleted_between_the_look_and_the_change,
    deleted_while_it_is_denied,
    made_again_while_it_is_denied,
    released_after_it_was_made_again,
);

fn code(row: Row, what: &str) -> String {
    format!("{}_{what}", if row.is_user() { "user" } else { "role" })
}

fn refused(subject: &Subject) -> Value {
    subject.scene.entries_of("refused").pop().expect("refused")["data"]["code"].clone()
}

/// Made again; gives its credentials.
fn made_again(subject: &Subject) -> crate::thief::Thief {
    subject.delete_principal();
    let (new, _) = subject.make();
    subject.scene.thief(&new)
}

/// Nothing of it changed, and it may do what it may.
fn is_untouched(subject: &Subject, new: &crate::thief::Thief) {
    let row = subject.row;
    let (policy, keys) = subject.there();
    assert_eq!(policy, None, "{row:?}");
    assert!(keys.iter().all(|(_, active)| *active), "{row:?}: {keys:?}");
    assert_eq!(new.list_users(), Ok(()), "{row:?}");
}

fn writes_of_rescind(subject: &Subject) -> usize {
    let calls = subject.scene.calls();
    let ours = |call: &&Value| call["principal"].as_str().is_some_and(|who| who.contains("Rescind"));
    calls.iter().filter(ours).filter(|call| call["write"] == true).count()
}

fn deleted_before_the_change(row: Row) {
    let subject = Subject::new(row);
    subject.delete_principal();
    subject.scene.poll().code(5).counts(json!({"not_revoked": 1}));
    assert_eq!(refused(&subject), code(row, "gone"), "{row:?}");
    assert_eq!((subject.state().as_str(), writes_of_rescind(&subject)), ("failed", 0), "{row:?}");
    // For good: it is not asked again.
    let entered = subject.scene.calls_of("AssumeRole").len();
    subject.scene.poll().code(5);
    assert_eq!(subject.scene.calls_of("AssumeRole").len(), entered, "{row:?}");
}

fn made_again_before_the_change(row: Row) {
    let subject = Subject::new(row);
    let new = made_again(&subject);
    subject.scene.rescind(&["plan"]).code(5);
    subject.scene.poll().code(5);
    assert_eq!(refused(&subject), code(row, "recreated"), "{row:?}");
    assert_eq!((subject.state().as_str(), writes_of_rescind(&subject)), ("failed", 0), "{row:?}");
    is_untouched(&subject, &new);
}

fn deleted_between_the_look_and_the_change(row: Row) {
    let subject = Subject::new(row);
    let operation = row.revokes_by()[0];
    subject.scene.hold(operation, "before");
    let process = subject.scene.spawn(&["run", "--once", "--backlog", "-o", "jsonl"]);
    subject.scene.held(operation);
    subject.delete_principal();
    subject.scene.release(operation);
    crate::scene::Scene::finish(process).code(5).counts(json!({"not_revoked": 1}));
    assert_eq!(refused(&subject), code(row, "gone"), "{row:?}");
    assert_eq!(subject.state(), "failed", "{row:?}");
    subject.ledger_is_whole();
}

fn deleted_while_it_is_denied(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let writes = writes_of_rescind(&subject);
    subject.delete_principal();
    subject.recheck().code(0);
    let expired = subject.scene.entries_of("expired");
    assert_eq!(expired.len(), 1, "{expired:?}");
    assert!(subject.scene.entries_of("drift").is_empty(), "{row:?}");
    assert_eq!((subject.state().as_str(), writes_of_rescind(&subject)), ("expired", writes), "{row:?}");
    // Nothing is left to look at, or to be taken back.
    subject.nothing_is_in_force();
    subject.release(&[]).code(0).says("released");
    assert_eq!(writes_of_rescind(&subject), writes, "{row:?}");
    subject.ledger_is_whole();
}

fn made_again_while_it_is_denied(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let writes = writes_of_rescind(&subject);
    let new = made_again(&subject);
    // With all that is done about what expired.
    subject.configure("sweep = \"on\"\n", "");
    subject.recheck().code(0);
    subject.recheck().code(0);
    let state = subject.state();
    assert!(["expired", "retired"].contains(&state.as_str()), "{row:?}: {state}");
    assert!(subject.scene.entries_of("drift").is_empty(), "{row:?}");
    subject.scene.run_once();
    assert_eq!(writes_of_rescind(&subject), writes, "{row:?}");
    is_untouched(&subject, &new);
    subject.ledger_is_whole();
}

fn released_after_it_was_made_again(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let writes = writes_of_rescind(&subject);
    let new = made_again(&subject);
    subject.release(&[]).code(0).says("released");
    assert_eq!((subject.state().as_str(), writes_of_rescind(&subject)), ("released", writes), "{row:?}");
    is_untouched(&subject, &new);
    // The new one is stolen from as well: that is another theft.
    let session = subject.session();
    let (finding, _) = subject.report(&session, serde_json::json!({}));
    subject.scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(subject.scene.thief(&session).list_users(), Err("AccessDenied".to_owned()), "{row:?}");
    assert_ne!(subject.remediation(&finding), subject.id(), "{row:?}");
}
