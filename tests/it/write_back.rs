//! What is written back to GuardDuty and Security Hub, and what never is.

use crate::scene::{HOME, OTHER, SECURITY, SHOP, Scene, Setting, policy};
use serde_json::{Value, json};

const BOTH: &str =
    "mode = \"enforce\"\nwrite_back = { guardduty = \"archive\", security_hub = \"resolve\" }\n";

fn scene(keys: &str) -> Scene {
    let mut hub_policy = policy("hub-role-permissions.json");
    for name in ["hub-role-archive.json", "hub-role-security-hub.json"] {
        let more = policy(name)["Statement"].as_array().expect("a list").clone();
        hub_policy["Statement"].as_array_mut().expect("a list").extend(more);
    }
    let scene = Scene::with(Setting { hub_policy, ..Setting::default() });
    scene.post("security-hub", &json!({"account": SECURITY, "region": HOME}));
    scene.configure(keys);
    scene
}

/// What Security Hub was given, by finding.
fn updates(scene: &Scene) -> Vec<Value> {
    let answer = scene.get(&format!("security-hub?account={SECURITY}&region={HOME}"));
    answer["updates"].as_object().expect("an object").values().cloned().collect()
}

/// Where each thing was written, by the ledger.
fn written(scene: &Scene) -> Vec<String> {
    let to = |entry: &Value| entry["data"]["to"].as_str().expect("a place").to_owned();
    scene.entries_of("written_back").iter().map(to).collect()
}

fn is_archived(scene: &Scene) -> bool {
    !scene.calls_of("ArchiveFindings").is_empty()
}

fn state(scene: &Scene) -> Value {
    scene.rescind(&["-o", "jsonl", "list"]).json()[0]["state"].clone()
}

#[test]
fn a_finding_whose_remediation_is_revoked_and_closed_is_written_back_once() {
    let scene = scene(BOTH);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(written(&scene), ["security_hub", "guardduty"]);
    assert_eq!(scene.entries_of("writing_back").len(), 2);
    assert!(scene.entries_of("written_back").iter().all(|entry| entry["finding"] == json!(finding)));
    let updates = updates(&scene);
    let id = scene.rescind(&["-o", "jsonl", "list"]).json()[0]["remediation"].clone();
    let note = updates[0]["Note"]["Text"].as_str().expect("a note");
    assert_eq!((updates.len(), &updates[0]["Workflow"]["Status"]), (1, &json!("RESOLVED")));
    assert!(note.contains(id.as_str().expect("an id")) && note.contains("revoked"), "{note}");
    scene.run_once();
    scene.run_once();
    assert_eq!(
        (scene.calls_of("ArchiveFindings").len(), scene.calls_of("BatchUpdateFindings").len()),
        (1, 1)
    );
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
}

#[test]
fn by_default_nothing_is_written_back() {
    let scene = scene("mode = \"enforce\"\n");
    scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    assert!(!is_archived(&scene) && updates(&scene).is_empty());
}

#[test]
fn what_is_held_rejected_or_not_confirmed_by_the_simulator_is_left_alone() {
    let held = scene(&BOTH.replace("enforce", "approve"));
    held.theft(SHOP, "web");
    held.poll().code(5);
    assert_eq!(state(&held), "held");
    let id = held.rescind(&["-o", "jsonl", "list"]).json()[0]["remediation"].clone();
    held.rescind(&["reject", id.as_str().expect("an id"), "--by", "Ada", "--reason", "ours"]).code(0);
    held.poll();
    assert_eq!(state(&held), "rejected");
    assert!(!is_archived(&held) && updates(&held).is_empty() && written(&held).is_empty());
}

#[test]
fn what_was_archived_by_rescind_and_goes_on_is_decided_again() {
    let scene = scene(BOTH);
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.run_once().counts(json!({"revoked": 1}));
    assert!(is_archived(&scene));
    // GuardDuty writes new activity with a new key into the same finding, and leaves it archived.
    scene.advance_clock(600);
    let again = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&again);
    thief.is_allowed();
    scene.report(SHOP, "web", &again, json!({"overrides": {"id": finding, "service": {"archived": true}}}));
    scene.poll();
    thief.is_denied();
    assert!(scene.codes("decision").iter().all(|code| code != "archived"), "{:?}", scene.codes("decision"));
}

/// The process dies when AWS has archived it, and before that is recorded.
#[test]
fn what_was_archived_by_a_call_whose_answer_was_lost_is_decided_again() {
    let scene = scene(BOTH);
    scene.watch();
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.kill_at("ArchiveFindings", "after");
    assert_eq!(written(&scene), ["security_hub"]);
    // What is known to be so by now is recorded, and not called again.
    scene.poll();
    assert_eq!(written(&scene), ["security_hub", "guardduty"]);
    assert_eq!(scene.calls_of("ArchiveFindings").len(), 1);
    scene.advance_clock(600);
    let again = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&again);
    scene.report(SHOP, "web", &again, json!({"overrides": {"id": finding, "service": {"archived": true}}}));
    scene.poll();
    thief.is_denied();
}

#[test]
fn what_others_archived_stays_skipped() {
    let scene = scene(BOTH);
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    scene.report(SHOP, "web", &session, json!({"overrides": {"service": {"archived": true}}}));
    scene.poll();
    scene.thief(&session).is_allowed();
    assert!(!is_archived(&scene));
}

#[test]
fn a_permission_that_is_missing_is_raised_once_and_what_waits_is_written_later() {
    let scene = Scene::new();
    scene.post("security-hub", &json!({"account": SECURITY, "region": HOME}));
    scene.configure(BOTH);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().code(5).counts(json!({"revoked": 1, "alerts": 1})).has_code("not_written_back");
    thief.is_denied();
    scene.poll();
    let alerts = scene.codes("alert");
    assert_eq!(alerts.iter().filter(|code| *code == "not_written_back").count(), 1, "{alerts:?}");
    assert!(written(&scene).is_empty());
}

#[test]
fn a_call_that_fails_is_made_again() {
    let scene = scene(BOTH);
    scene.fault(
        "update",
        json!({"service": "securityhub", "operation": "BatchUpdateFindings"}),
        "before",
        json!({"partial": 1}),
        1,
    );
    scene.theft(SHOP, "web");
    scene.run_once();
    assert_eq!(written(&scene), ["guardduty"]);
    scene.run_once();
    assert_eq!(written(&scene), ["guardduty", "security_hub"]);
}

#[test]
fn doctor_shows_a_permission_that_is_missing() {
    let scene = Scene::new();
    for region in [HOME, OTHER] {
        scene.post("security-hub", &json!({"account": SECURITY, "region": region}));
    }
    scene.configure(BOTH);
    scene.rescind(&["doctor", "-o", "jsonl"]).has_code("write_back_not_allowed");
    let archived = scene.calls_of("ArchiveFindings");
    assert!(!archived.is_empty());
    let scene = self::scene(BOTH);
    scene.post("security-hub", &json!({"account": SECURITY, "region": OTHER}));
    let ran = scene.rescind(&["doctor", "-o", "jsonl"]);
    assert!(!ran.out.contains("write_back_not_allowed"), "{}", ran.out);
    let scene = Scene::new();
    let ran = scene.rescind(&["doctor", "-o", "jsonl"]);
    assert!(!ran.out.contains("write_back_not_allowed"), "{}", ran.out);
    assert!(scene.calls_of("ArchiveFindings").is_empty() && scene.calls_of("BatchUpdateFindings").is_empty());
}

/// The thief made a user: that door is open until a person has closed it.
#[test]
fn while_a_door_is_open_nothing_is_written_back() {
    let scene = scene(&format!("{BOTH}cloudtrail = true\n"));
    scene.role(SHOP, "web");
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    thief.create_user("backdoor");
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll();
    thief.is_denied();
    assert_eq!(state(&scene), "revoked");
    let incidents = scene.rescind(&["incident", "list", "-o", "jsonl"]).json();
    assert_ne!(incidents[0]["state"], "closed", "{incidents:?}");
    assert!(!is_archived(&scene) && updates(&scene).is_empty());
    let id = incidents[0]["incident"].as_str().expect("an id").to_owned();
    let shown = scene.rescind(&["incident", "show", &id, "-o", "jsonl"]).code(0).json_document();
    let doors: Vec<&str> =
        shown["doors"].as_array().expect("a list").iter().filter_map(|door| door["door"].as_str()).collect();
    assert!(!doors.is_empty(), "{shown}");
    scene
        .rescind(&[&["incident", "done", &id][..], &doors, &["--by", "Ada", "--reason", "deleted"]].concat())
        .code(0);
    scene.advance_clock(31 * 60);
    scene.poll();
    assert_eq!(written(&scene), ["security_hub", "guardduty"]);
}

#[test]
fn what_cloudtrail_may_still_show_is_waited_for() {
    let scene = scene(&format!("{BOTH}cloudtrail = true\n"));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert!(written(&scene).is_empty() && !is_archived(&scene));
    scene.advance_clock(31 * 60);
    scene.run_once();
    assert_eq!(written(&scene), ["security_hub", "guardduty"]);
}
