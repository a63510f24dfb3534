//! A plan is read-only, and to revoke twice is to revoke once.

use super::subject::{NAME, Row, Subject};
use crate::scene::{OTHER, POLICY, cutoff};
use serde_json::json;

on_each_row!(a_plan_is_read_only, the_thief_is_out_and_nobody_else, twice_is_once);

fn a_plan_is_read_only(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    let plan = subject.scene.rescind(&["plan", "-o", "jsonl"]).code(0).json();
    assert_eq!((plan.len(), &plan[0]["decision"]), (1, &json!("remediate")), "{plan:?}");
    let change = &plan[0]["change"];
    assert_eq!(change["policy_name"], POLICY);
    let arn = change["arn"].as_str().expect("an ARN");
    assert!(arn.starts_with("arn:aws:iam::222222222222:") && arn.ends_with(&format!("/{NAME}")), "{arn}");
    assert_eq!(change["session"].is_string(), row == Row::OneSession, "{change}");
    assert_eq!(change["key"]["was_active"] == true, row == Row::UserKey, "{change}");
    assert_eq!(subject.scene.writes(), 0, "{:?}", subject.scene.calls());
    assert_eq!(subject.there(), before);
    subject.is_allowed();
    // Also of what is in force already.
    subject.revoke();
    let (there, writes) = (subject.there(), subject.scene.writes());
    subject.scene.rescind(&["plan", "--impact"]).code(0);
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes));
}

fn the_thief_is_out_and_nobody_else(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    assert_eq!(subject.state(), "revoked");
    assert_eq!(subject.scene.steps(), ["decision", "intent", "accepted", "proof"]);
    let change = &subject.scene.entries_of("intent")[0]["data"]["change"];
    assert_eq!(change["session"].is_string(), row == Row::OneSession, "{change}");
    assert_eq!(change["key"]["was_active"] == true, row == Row::UserKey, "{change}");
    assert_eq!(change["cutoff"], cutoff(&subject.document()));
    let written: Vec<String> = subject
        .scene
        .calls()
        .iter()
        .filter(|call| call["write"] == true)
        .map(|call| call["operation"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(written, row.revokes_by());
    subject.fresh_is_allowed();
    subject.is_denied();
    subject.ledger_is_whole();
}

fn twice_is_once(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let (there, writes) = (subject.there(), subject.scene.writes());
    let (id, decisions) = (subject.id(), subject.scene.entries_of("decision").len());
    let again = subject.scene.run_once().counts(json!({"seen_before": 1})).json().remove(0);
    assert_eq!((&again["remediation"], &again["state"]), (&json!(id), &json!("revoked")), "{again}");
    assert_eq!(subject.scene.entries_of("decision").len(), decisions);
    // The same theft, as another region reports it.
    subject.report(&subject.named, json!({"region": OTHER, "updated_at": subject.seen}));
    subject.scene.run_once().has_code("already_revoked").says(&id);
    // And handed in by a person.
    let finding = subject.scene.rescind(&["show", "--finding", &id]).code(0).out;
    subject.scene.handle(finding.as_bytes()).code(0).counts(json!({"seen_before": 1}));
    subject.recheck().code(0);
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes));
    subject.is_denied();
}

/// No cutoff ends a long-term key: that sessions of the user are revoked does not take care of it, and
/// neither does another key's remediation.
#[test]
fn each_leaked_key_of_a_user_is_deactivated() {
    for row in [Row::UserSession, Row::UserKey] {
        let mut subject = Subject::new(row);
        let at = subject.bystanders.iter().position(|(who, _)| *who == "another key of the user");
        let (_, key) = subject.bystanders.remove(at.expect("one"));
        subject.revoke();
        assert_eq!(key.list_users(), Ok(()), "{row:?}");
        // Seen before the cutoff of the first one.
        let id = &subject.other_key;
        subject.report(&json!({"access_key_id": id}), json!({"updated_at": subject.seen}));
        subject.scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
        assert_eq!(key.list_users(), Err("InvalidClientTokenId".to_owned()), "{row:?}");
        subject.is_denied();
    }
}

/// Both at once: the second one does not count as being under way with the first one.
#[test]
fn two_leaked_keys_of_a_user_that_come_at_once_are_both_deactivated() {
    for row in [Row::UserSession, Row::UserKey] {
        let subject = Subject::new(row);
        subject.report(&json!({"access_key_id": subject.other_key}), json!({"region": OTHER}));
        // A key's remediation revokes the sessions as well, when it comes first.
        subject.scene.run_once();
        let keys = subject.there().1;
        let off = |id: &serde_json::Value| keys.iter().any(|(key, active)| id == key && !active);
        assert!(off(&subject.other_key), "{row:?}: {keys:?}");
        assert_eq!(off(&subject.named["access_key_id"]), row == Row::UserKey, "{row:?}: {keys:?}");
    }
}
