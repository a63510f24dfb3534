//! A plan is read-only, and to revoke twice is to revoke once.

use super::subject::{NAME, Row, Subject};
use crate::scene::{OTHER, POLICY, cutoff};
use serde_json::json;

on_each_row!(a_plan_is_read_only, the_thief_is_out_and_nobody_else, twice_is_once);

fn a_plan_is_read_only(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    let side_effect = match row {
        Row::RoleSessions => "Side effect of scope \"role\"",
        Row::OneSession => "Side effect of scope \"session\"",
        Row::UserKey => ": deactivated. A release activates it again.",
        Row::UserSession => "No access key is deactivated.",
    };
    let plan = subject.scene.rescind(&["plan"]).code(0).says("would revoke");
    plan.says(&format!("inline policy {POLICY} of arn:aws:iam::222222222222:"))
        .says(&format!("/{NAME}"))
        .says(side_effect)
        .says("1 finding(s). Nothing was changed.");
    assert_eq!(subject.scene.writes(), 0, "{:?}", subject.scene.calls());
    assert_eq!(subject.there(), before);
    subject.is_allowed();
    // Also of what is in force already.
    subject.revoke();
    let (there, writes) = (subject.there(), subject.scene.writes());
    subject.scene.rescind(&["plan", "--impact"]).code(0).says("Nothing was changed.");
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes));
}

fn the_thief_is_out_and_nobody_else(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    assert_eq!(subject.state(), "simulated");
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
    let id = subject.id();
    subject.scene.run_once().says("nothing more to do: r-").says("1 seen before.");
    // The same theft, as another region reports it.
    subject.report(&subject.named, json!({"region": OTHER, "updated_at": subject.seen}));
    subject.scene.run_once().says(&format!("already revoked by {id}"));
    // And handed in by a person.
    let finding = subject.scene.rescind(&["show", "--finding", &id]).code(0).out;
    subject.scene.rescind_with_input(&["handle", "-"], finding.as_bytes()).code(0).says("nothing more to do");
    subject.recheck().code(0);
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes));
    subject.is_denied();
}
