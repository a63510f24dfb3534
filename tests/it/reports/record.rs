//! What is in a report, and that making it is recorded.

use super::lines;
use super::valid::is_ocsf;
use crate::scene::{BANK, SHOP, Scene};
use serde_json::{Value, json};

#[test]
fn a_report_is_signed_for_recorded_and_whole() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let before = scene.count("true");
    let ran = scene.rescind(&["report", "-o", "json", "-O", "report.json"]).code(0);
    let written = &ran.json()[0];
    let bytes = std::fs::read(scene.path("report.json")).expect("a report");
    assert_eq!(written["sha256"], rescind::digest::sha256(&bytes));
    let report: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(report["checkpoint"]["entries"], report["entries"]);
    assert_eq!(report["entries"], before);
    let story = &report["remediations"][0];
    assert_eq!(story["proof"], "simulated");
    assert_eq!((&story["state"], &story["acted"]), (&json!("revoked"), &json!(true)));
    let calls = story["calls"]["requests"].as_array().expect("calls");
    assert!(calls.iter().any(|call| call["call"] == "iam:PutRolePolicy" && call["request_id"].is_string()));
    assert_eq!(report["summary"]["seconds_to_deny"]["count"], 1);
    assert_eq!(report["summary"]["remediation_rate"]["share"], 1.0);
    // That it was made is recorded, and signed for as well.
    let entries = scene.entries_of("report");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["seq"], written["recorded"]);
    assert_eq!(entries[0]["data"]["sha256"], written["sha256"]);
    assert_eq!(entries[0]["data"]["remediations"], 1);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(scene.path("report.json")).expect("a report").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing is recorded when that is not wanted, and nothing is left half written.
    scene.rescind(&["report", "-o", "csv", "--no-record"]).code(0).says("simulated");
    scene.rescind(&["report", "-o", "csv", "-O", "no/such/folder.csv"]).code(2);
    assert_eq!(scene.entries_of("report").len(), 1);
    let left = std::fs::read_dir(scene.directory.path()).expect("a directory");
    assert!(!left.filter_map(Result::ok).any(|file| file.file_name().to_string_lossy().contains(".new-")));
}

#[test]
fn what_cannot_be_selected_is_refused() {
    let scene = Scene::new();
    scene.rescind(&["report", "-o", "csv"]).code(4);
    scene.watch();
    for args in [
        &["--status", "done"][..],
        &["--ou", "ou-none"],
        &["--remediation", "r-none"],
        &["--from", "2026-02-02", "--to", "2026-02-01"],
        &["--from", "2026-02-02", "--to", "2026-02-02T00:00:00Z"],
        &["--from", "yesterday"],
        &["--appendix"],
    ] {
        scene.rescind(&[&["report", "-o", "csv"], args].concat()).code(2);
    }
    let refused = scene.rescind(&["report", "-o", "csv", "--from", "2026-02-02", "--to", "2026-02-01"]);
    assert!(refused.err.contains("--to 2026-02-01 is before --from 2026-02-02"), "{}", refused.err);
    assert!(scene.entries_of("report").is_empty());
}

#[test]
fn held_answered_released_and_skipped_are_reported() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    for (account, role) in [(SHOP, "web"), (SHOP, "api"), (BANK, "cards")] {
        let _ = scene.theft(account, role);
    }
    scene.poll().code(5);
    let report: Value = scene.rescind(&["report", "-o", "json", "--no-record"]).code(0).json_document();
    let summary = &report["summary"];
    assert_eq!(summary["held_by_reason"], json!({"mode_approve": 3}));
    assert_eq!(summary["needs_person"].as_array().map(Vec::len), Some(3));
    assert_eq!(summary["remediation_rate"]["share"], 0.0);
    let id = |role: &str| {
        let all = report["remediations"].as_array().expect("a list");
        let one = all.iter().find(|one| one["principal"] == role).expect("one");
        one["remediation"].as_str().expect("an id").to_owned()
    };
    let (web, api) = (id("web"), id("api"));
    scene.rescind(&["approve", &web, "--by", "Ann", "--reason", "sure"]).code(0);
    scene.rescind(&["reject", &api, "--by", "Bob", "--reason", "a test"]).code(0);
    scene.poll_new();
    scene.rescind(&["release", "--yes", &web, "--by", "Ann", "--reason", "over"]);
    let report: Value = scene.rescind(&["report", "-o", "json", "--no-record"]).code(0).json_document();
    let summary = &report["summary"];
    assert_eq!(summary["seconds_to_answer"]["count"], 2, "{summary}");
    assert_eq!((&summary["acted"], &summary["remediations"]), (&json!(1), &json!(3)), "{summary}");
    let all = report["remediations"].as_array().expect("a list");
    let web = all.iter().find(|one| one["remediation"] == web).expect("one");
    let ended = &web["held"][0]["ended"];
    assert_eq!((&ended["how"], &ended["answer"]["by"]), (&json!("approved"), &json!("Ann")));
}

#[test]
fn a_release_is_a_restore() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let id =
        scene.rescind(&["list", "-o", "jsonl"]).json()[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["release", "--yes", &id, "--by", "Ann", "--reason", "over"]).code(0);
    let text = scene.rescind(&["report", "-o", "ocsf", "--no-record"]).code(0).out;
    is_ocsf(&text);
    let activities: Vec<_> = lines(&text)
        .iter()
        .map(|event| (event["activity_id"].as_u64(), event["status_id"].as_u64()))
        .collect();
    assert_eq!(activities, [(Some(2), Some(1)), (Some(3), Some(1))]);
}
