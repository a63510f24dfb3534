//! What is said of a quarantine, and of the time for which a deny was in force: in each format, and by a service.

use super::lines;
use super::valid::{is_asff, is_ocsf};
use crate::scene::{SHOP, Scene};
use crate::service::{address, ask};
use crate::watching::Watching;
use serde_json::{Value, json};
use std::collections::HashMap;

const KEYS: &str =
    "mode = \"enforce\"\npoll_interval = \"5s\"\nquarantine = \"1h\"\nlisten = \"127.0.0.1:0\"\n";

fn report(scene: &Scene, format: &str) -> String {
    scene.rescind(&["report", "-o", format, "--no-record"]).code(0).out
}

/// What each format says of the only remediation: whether it is quarantined, and since and until when it was.
fn is_said(scene: &Scene, quarantined: bool) {
    let table = report(scene, "csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes()).into_deserialize();
    let row: HashMap<String, String> = rows.next().expect("a row").expect("a row");
    assert_eq!(row["quarantined"], quarantined.to_string());
    assert!(!row["quarantine_attached_at"].is_empty(), "{row:?}");
    assert_eq!(row["quarantine_lifted_at"].is_empty(), quarantined, "{row:?}");
    assert_eq!((row["gaps"].as_str(), row["seconds_in_force"].is_empty()), ("0", false), "{row:?}");

    let ocsf = report(scene, "ocsf");
    is_ocsf(&ocsf);
    let unmapped = &lines(&ocsf)[0]["unmapped"];
    assert_eq!(unmapped["quarantine"]["is_open"], quarantined, "{unmapped}");
    assert_eq!(unmapped["quarantine"]["attached_at"], row["quarantine_attached_at"], "{unmapped}");
    assert_eq!(unmapped["quarantine"]["lifted_at"].is_string(), !quarantined, "{unmapped}");

    let asff = report(scene, "asff");
    is_asff(&asff);
    let finding: Value = serde_json::from_str(&asff).expect("JSON");
    let fields = &finding[0]["ProductFields"];
    assert_eq!(fields["rescind/quarantined"], quarantined.to_string(), "{fields}");
    assert_eq!(fields["rescind/quarantine_attached_at"], row["quarantine_attached_at"], "{fields}");
    assert_eq!(fields["rescind/quarantine_lifted_at"].is_string(), !quarantined, "{fields}");
    assert_eq!(fields["rescind/gaps"], "0");
}

#[test]
fn each_format_and_the_metrics_say_since_when_and_until_when() {
    let scene = Scene::new();
    scene.configure(KEYS);
    scene.watch();
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    let is_measured = |line: &str| ask(&format!("{url}/metrics")).1.lines().any(|one| one == line);
    let _ = scene.theft(SHOP, "web");
    scene.wait(|| !scene.entries_of("proof").is_empty());
    scene.wait(|| is_measured("rescind_quarantines_open 1"));
    // They are set one by one.
    scene.wait(|| !is_measured("rescind_quarantine_oldest_seconds 0"));
    scene.wait(|| !is_measured("rescind_deny_in_force_seconds 0"));
    assert!(is_measured("rescind_deny_gaps 0") && is_measured("rescind_denies_contested 0"));
    is_said(&scene, true);
    let status = scene.rescind(&["status", "-o", "jsonl"]).json_document();
    assert_eq!((&status["quarantined"], status["quarantined_since"].is_string()), (&json!(1), true));
    let id = scene.rescind(&["list", "-o", "jsonl"]).json()[0]["remediation"].clone();
    scene
        .rescind(&["release", "--yes", id.as_str().expect("an id"), "--by", "Ann", "--reason", "over"])
        .code(0);
    is_said(&scene, false);
    scene.wait(|| is_measured("rescind_quarantines_open 0"));
    // Nothing is denied any more that could be in force.
    scene.wait(|| is_measured("rescind_deny_in_force_seconds 0"));
    scene.wait(|| is_measured("rescind_quarantine_oldest_seconds 0"));
    assert_eq!(service.stop(), 0);
}
