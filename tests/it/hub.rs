//! The hub's own AWS: no credentials, no permission, no detector. One clear sentence each.

use crate::scene::{HOME, OTHER, SHOP, Scene, Setting};
use serde_json::json;

#[test]
fn no_credentials() {
    let scene = Scene::new();
    let mut command = scene.command(&["run", "--once", "--backlog"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    let output = command.output().expect("runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("No usable AWS credentials were found. Set AWS_PROFILE"), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn credentials_that_aws_does_not_know() {
    let scene = Scene::new();
    let mut command = scene.command(&["run", "--once", "--backlog"]);
    command.env("AWS_ACCESS_KEY_ID", "ASIAXXXXXXXXXXXXXXXX");
    let output = command.output().expect("runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("not valid or have expired"), "{err}");
}

#[test]
fn aws_cannot_be_reached() {
    let scene = Scene::new();
    let mut command = scene.command(&["run", "--once", "--backlog"]);
    // A port on which nobody listens: bound, and let go again.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    let output = command.output().expect("runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("check the network, the proxy and AWS_ENDPOINT_URL"), "{err}");
}

#[test]
fn what_the_hub_may_not_do_is_named() {
    for (operation, code, wanted) in [
        (
            "ListAccounts",
            5,
            "Allow organizations:ListAccounts to arn:aws:sts::111111111111:assumed-role/RescindHub/",
        ),
        ("DescribeOrganization", 5, "Allow organizations:DescribeOrganization to "),
        ("ListDetectors", 5, "Allow guardduty:ListDetectors to "),
        ("ListFindings", 5, "Allow guardduty:ListFindings to "),
        ("GetFindings", 5, "Allow guardduty:GetFindings to "),
    ] {
        let scene = Scene::new();
        let _ = scene.theft(SHOP, "web");
        let error = json!({"status": 403, "code": "AccessDeniedException", "message": "not authorized"});
        scene.post("faults", &json!({"name": "f", "match": {"operation": operation}, "when": "before", "action": {"error": error}, "times": 0}));
        scene.rescind(&["run", "--once", "--backlog"]).code(code).says(wanted);
        assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);
        assert!(!scene.entries_of("feed_failed").is_empty(), "{operation}: it is in the ledger");
    }
}

#[test]
fn a_region_without_a_detector_does_not_disturb_the_other() {
    let scene = Scene::with(Setting { detector_regions: vec![HOME], ..Setting::default() });
    let (thief, _) = scene.theft(SHOP, "web");
    scene
        .rescind(&["run", "--once", "--backlog"])
        .code(5)
        .says("GuardDuty has no detector in us-east-1")
        .says("Enable GuardDuty in us-east-1 in account 111111111111")
        .says("1 revoked, 1 failed read(s)");
    thief.is_denied();
    assert_eq!(scene.entries_of("feed_failed")[0]["region"], OTHER);
}

#[test]
fn an_organization_page_that_is_empty_and_goes_on() {
    let scene = Scene::new();
    scene.post("switches", &json!({"empty_first_accounts_page": true}));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().says("1 revoked.");
    thief.is_denied();
    assert_eq!(scene.entries_of("organization")[0]["data"]["accounts"], 6);
    assert_eq!(scene.entries_of("organization")[0]["data"]["active"], 5);
}
