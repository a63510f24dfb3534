//! What is known of the organization, and what is done while it cannot be read.

use crate::scene::{MANAGEMENT, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::{Value, json};

const OPERATIONS: [&str; 5] = [
    "DescribeOrganization",
    "ListAccounts",
    "ListDelegatedAdministrators",
    "ListParents",
    "ListTagsForResource",
];

/// Organizations refuses everything.
fn organizations_fails(scene: &Scene) {
    for operation in OPERATIONS {
        scene.post(
            "faults",
            &json!({"name": operation, "match": {"operation": operation}, "when": "before", "times": 0,
            "action": {"error": {"status": 400, "code": "AccessDeniedException", "message": "no"}}}),
        );
    }
}

#[test]
fn it_is_kept_across_starts_and_read_once_an_hour() {
    let scene = Scene::new();
    scene.watch();
    let (_, finding) = scene.theft(SHOP, "web");
    let read = scene.calls_of("ListAccounts").len();
    scene.poll_new().code(0).counts(json!({"revoked": 1}));
    assert_eq!(scene.calls_of("ListAccounts").len(), read);
    let entry = &scene.entries_of("organization")[0];
    assert_eq!(entry["data"]["delegated_administrators"], json!([SECURITY]));
    let read_at: jiff::Timestamp =
        scene.decision(&finding)["organization_read_at"].as_str().expect("a time").parse().expect("a time");
    let entry_time: jiff::Timestamp = entry["time"].as_str().expect("a time").parse().expect("a time");
    assert!(read_at.duration_since(entry_time).as_secs().abs() < 2, "{read_at} {entry_time}");
}

#[test]
fn when_it_cannot_be_read_again_what_was_read_counts() {
    let scene = Scene::new();
    scene.watch();
    let (known, _) = scene.theft(SHOP, "one");
    scene.poll_new().code(0);
    known.is_denied();
    organizations_fails(&scene);
    let (thief, finding) = scene.theft(SHOP, "two");
    scene.poll_new().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
    let decision = scene.decision(&finding);
    assert!(
        decision["organization_read_at"].is_string() && decision["placement_read_at"].is_string(),
        "{decision}"
    );
}

#[test]
fn when_it_was_never_read_what_needs_it_waits() {
    let scene = Scene::new();
    organizations_fails(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.poll().code(5).says("organizations:");
    assert!(scene.entries_of("decision").is_empty());
    scene.rescind(&["list", "--decisions"]).code(0).says("undecided");
    thief.is_allowed();
    for operation in OPERATIONS {
        scene.release(operation);
    }
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    thief.is_denied();
}

#[test]
fn the_tag_of_an_account_says_what_may_be_done_there() {
    for (value, code) in [
        ("off", "tag_off"),
        ("Observe", "tag_observe"),
        ("approve", "tag_approve"),
        ("enforce", "stolen_role_session"),
        ("no!", "tag_unclear"),
    ] {
        let scene = Scene::new();
        Thief::operator(&scene, MANAGEMENT).tag_account(SHOP, "rescind:mode", value);
        let (thief, finding) = scene.theft(SHOP, "web");
        let (other, _) = scene.theft(SECURITY, "web");
        scene.poll();
        let decision: Value = scene.decision(&finding);
        assert_eq!(decision["code"], code, "{value}: {decision}");
        if code == "stolen_role_session" {
            thief.is_denied();
        } else {
            thief.is_allowed();
        }
        other.is_denied();
    }
}

#[test]
fn a_tag_that_cannot_be_read_holds_and_does_not_keep_from_observing() {
    let scene = Scene::new();
    scene.watch();
    organizations_fails(&scene);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.poll_new().code(5);
    assert_eq!(scene.decision(&finding)["code"], "placement_unknown");
    thief.is_allowed();
    scene.configure("mode = \"observe\"\n");
    let other = scene.report(SHOP, "web", &scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb"), json!({}));
    scene.poll_new();
    assert_eq!(scene.decision(&other)["code"], "mode_observe");
}

#[test]
fn throttling_is_waited_for() {
    let scene = Scene::new();
    let slow_down =
        json!({"error": {"status": 400, "code": "TooManyRequestsException", "message": "slow down"}});
    for operation in ["ListAccounts", "ListTagsForResource"] {
        scene.post("faults", &json!({"name": operation, "match": {"operation": operation}, "when": "before", "times": 2, "action": slow_down}));
    }
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    let calls = scene.entries_of("call");
    let attempts = |operation: &str| {
        let call = calls.iter().find(|call| call["data"]["operation"] == operation).expect("called");
        call["data"]["attempts"].clone()
    };
    assert_eq!((attempts("ListAccounts"), attempts("ListTagsForResource")), (json!(3), json!(3)));
}
