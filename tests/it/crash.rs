//! Killed at any step, the next start ends in one correct record.

use crate::scene::{OTHER, SHOP, Scene};
use serde_json::{Value, json};

/// Kills the service while `operation` is held, then runs it again.
fn killed_at(operation: &str, when: &str) -> Scene {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.kill_at(operation, when);

    scene.run_once();
    thief.is_denied();
    let remediations = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    assert_eq!(remediations.len(), 1);
    assert_eq!(remediations[0]["state"], "revoked");
    scene
}

fn applied_cutoffs(scene: &Scene) -> Vec<Value> {
    let put = scene.calls_of("PutRolePolicy");
    put.into_iter()
        .filter(|call| call["status"] == 200)
        .map(|call| call["params"]["PolicyDocument"].clone())
        .collect()
}

#[test]
fn after_the_decision_before_the_intent() {
    let scene = killed_at("AssumeRole", "before");
    assert_eq!(scene.steps(), ["decision", "intent", "accepted", "proof"]);
}

#[test]
fn after_the_intent_before_the_change() {
    let scene = killed_at("PutRolePolicy", "before");
    assert_eq!(scene.steps(), ["decision", "intent", "not_applied", "intent", "accepted", "proof"]);
    assert_eq!(applied_cutoffs(&scene).len(), 1);
}

#[test]
fn after_the_change_before_the_outcome() {
    let scene = killed_at("PutRolePolicy", "after");
    assert_eq!(scene.steps(), ["decision", "intent", "accepted", "proof"]);
    assert_eq!(scene.entries_of("accepted")[0]["data"]["found_in_place"], true);
    // Found in place, so not done again.
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1);
}

#[test]
fn after_the_outcome_before_the_proof() {
    let scene = killed_at("SimulatePrincipalPolicy", "before");
    assert_eq!(scene.steps(), ["decision", "intent", "accepted", "proof"]);
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 1);
}

#[test]
fn killed_again_during_its_recovery() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    for (operation, when) in [
        ("PutRolePolicy", "before"),
        ("GetRolePolicy", "before"),
        ("PutRolePolicy", "after"),
        ("SimulatePrincipalPolicy", "after"),
    ] {
        scene.kill_at(operation, when);
    }
    scene.run_once();
    thief.is_denied();
    assert_eq!(scene.steps(), ["decision", "intent", "not_applied", "intent", "accepted", "proof"]);
}

#[test]
fn a_finding_that_was_recorded_and_not_decided_is_decided_at_the_next_start() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    // The first run ends between the two: its ledger is cut back to where it had the finding.
    scene.configure("");
    scene.run_once();
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    ledger
        .execute_batch(
            "DROP TRIGGER entries_no_delete;
             DELETE FROM checkpoints;
             UPDATE occurrences SET decided = NULL, verdict = NULL;
             DELETE FROM entries WHERE seq >= (SELECT seq FROM entries WHERE kind = 'decision');",
        )
        .expect("cut back");
    // That would show that it was cut back.
    std::fs::remove_file(scene.path("ledger.db.checkpoint")).expect("there");
    scene.configure("mode = \"enforce\"\n");
    scene.run_once();
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    thief.is_denied();
}

/// The remediation that a crash left open has chosen its cutoff. A key that was issued after that
/// cutoff is not covered by it, whatever becomes of it.
#[test]
fn a_later_theft_is_not_hidden_by_one_that_was_interrupted() {
    let scene = Scene::new();
    let (first, finding) = scene.theft(SHOP, "web");
    scene.kill_at("SimulatePrincipalPolicy", "before");
    first.is_denied();

    scene.advance_clock(60);
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let second = scene.thief(&session);
    second.is_allowed();
    scene.report(SHOP, "web", &session, json!({"id": finding}));
    // And the account cannot be entered at first.
    let error = json!({"status": 403, "code": "AccessDenied", "message": "not now"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "AssumeRole"}, "when": "before", "action": {"error": error}, "times": 2}));
    scene.poll().code(5);
    scene.poll();
    second.is_denied();
    first.is_denied();
    scene.run_once();
}

/// A twin that is recorded and not decided when the process dies does not keep the remediation that it
/// was queued behind from being taken up.
#[test]
fn an_undecided_twin_does_not_hide_one_that_was_interrupted() {
    let scene = Scene::new();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({}));
    let old = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(30)).to_string();
    scene.report(SHOP, "web", &session, json!({"region": OTHER, "updated_at": old}));
    // The twin comes when the remediation is under way: then it has to wait for it.
    scene.post("faults", &json!({"name": "GetFindings", "match": {"operation": "GetFindings", "region": OTHER}, "when": "before", "action": {"hang": true}}));
    scene.hold("PutRolePolicy", "before");
    let mut process = scene.spawn(&["run", "--once", "--backlog"]);
    scene.held("PutRolePolicy");
    scene.held("GetFindings");
    scene.release("GetFindings");
    let recorded = (0..2000).any(|_| scene.entries_of("finding").len() == 2);
    assert!(recorded, "the twin was not recorded");
    assert_eq!(scene.entries_of("decision").len(), 1);
    process.kill().expect("killed");
    process.wait().expect("dead");
    scene.release("PutRolePolicy");

    scene.run_once().counts(json!({"revoked": 1, "skipped": 1}));
    scene.thief(&session).is_denied();
}

#[test]
fn a_slow_account_does_not_keep_another_theft_from_being_seen() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    let _ = scene.theft(crate::scene::BANK, "web");
    // In every region: another one is asked when the first does not answer.
    let there = serde_json::json!({"operation": "AssumeRole", "account": crate::scene::BANK});
    scene.fault("AssumeRole", there, "before", serde_json::json!({"hang": true}), 0);
    let mut process = scene.spawn(&["run", "--backlog"]);
    scene.held("AssumeRole");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.hold("PutRolePolicy", "after");
    scene.held("PutRolePolicy");
    thief.is_denied();
    process.kill().expect("killed");
    process.wait().expect("dead");
}

#[test]
fn a_poll_that_hangs_can_be_left_and_its_call_is_recorded() {
    let scene = Scene::new();
    scene.hold("ListFindings", "before");
    let process = scene.spawn(&["run", "--once", "--backlog"]);
    scene.held("ListFindings");
    let sent = std::process::Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    Scene::finish(process).code(130);
    let calls = scene.entries_of("call");
    let left =
        calls.iter().find(|c| c["data"]["operation"] == "ListFindings" && c["data"]["status"].is_null());
    assert!(left.is_some(), "{calls:?}");
}

#[test]
fn a_plan_can_be_left_at_any_moment() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.hold("GetRole", "before");
    let process = scene.spawn(&["plan"]);
    scene.held("GetRole");
    let sent = std::process::Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    Scene::finish(process).code(130);
}

#[test]
fn an_answer_that_got_lost_is_not_taken_for_a_no() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    // The change takes effect, and the connection breaks before each answer.
    let fault = serde_json::json!({"name": "lost", "match": {"operation": "PutRolePolicy"}, "when": "after",
        "action": {"disconnect": true}, "times": 0});
    scene.post("faults", &fault);
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(scene.steps(), ["decision", "intent", "uncertain", "accepted", "proof"]);
}

#[test]
fn an_interrupt_finishes_what_is_in_flight() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.hold("PutRolePolicy", "before");
    let process = scene.spawn(&["--log", "warn", "run", "--backlog"]);
    scene.held("PutRolePolicy");
    let pid = process.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill runs");
    assert!(sent.success());
    // The signal is taken before the call is answered: the log says so.
    let mut process = process;
    let stderr = process.stderr.take().expect("piped");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut line).expect("a line");
    assert!(line.contains(crate::log::FINISHING), "{line}");
    scene.release("PutRolePolicy");
    Scene::finish(process).code(0);
    thief.is_denied();
    assert_eq!(scene.steps(), ["decision", "intent", "accepted", "proof"]);
    assert_eq!(scene.entries_of("stopped").len(), 1);
}

/// A remediation ends in vain, and what it took care of as well is to be decided about again.
#[test]
fn what_was_freed_by_a_remediation_that_ended_in_vain_is_decided_again() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    let error = json!({"status": 403, "code": "AccessDenied", "message": "not now"});
    scene.post("faults", &json!({"name": "f", "match": {"operation": "AssumeRole"}, "when": "before", "action": {"error": error}, "times": 0}));
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    let session = scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb");
    let second = scene.report(SHOP, "web", &session, json!({}));
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(scene.decision(&second)["code"], "under_way");
    scene.delete("faults/f");
    crate::thief::Thief::operator(&scene, SHOP).delete_role("web");
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(scene.decision(&second)["verdict"], "remediate");

    // The same, killed between the two: the ledger is cut back to where the first one had just ended.
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    let trigger = "SELECT sql FROM sqlite_master WHERE name = 'entries_no_delete'";
    let trigger: String = ledger.query_row(trigger, [], |row| row.get(0)).expect("a trigger");
    let ended =
        "SELECT min(seq) FROM entries WHERE kind = 'refused' AND CAST(body AS TEXT) LIKE '%role_gone%'";
    ledger
        .execute_batch(&format!(
            "PRAGMA foreign_keys = OFF; DROP TRIGGER entries_no_delete; DELETE FROM checkpoints;
             DELETE FROM entries WHERE seq > ({ended}); {trigger};"
        ))
        .expect("cut back");
    drop(ledger);
    std::fs::remove_file(scene.path("ledger.db.checkpoint")).expect("there");
    scene.rescind(&["ledger", "rebuild"]);
    assert_eq!(scene.decision(&second)["code"], "under_way");
    scene.rescind(&["run", "--once", "--backlog"]).code(5);
    assert_eq!(scene.decision(&second)["verdict"], "remediate");
}
