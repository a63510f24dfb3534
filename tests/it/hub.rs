//! The hub's own AWS: no permission, no detector. Without credentials: `screens::refused`.

use crate::scene::{HOME, OTHER, SHOP, Scene, Setting};
use serde_json::json;

#[test]
fn what_the_hub_may_not_do_is_named() {
    for (service, operation) in [
        ("organizations", "ListAccounts"),
        ("organizations", "DescribeOrganization"),
        ("guardduty", "ListDetectors"),
        ("guardduty", "ListFindings"),
        ("guardduty", "GetFindings"),
    ] {
        let scene = Scene::new();
        let _ = scene.theft(SHOP, "web");
        let error = json!({"status": 403, "code": "AccessDeniedException", "message": "not authorized"});
        scene.post("faults", &json!({"name": "f", "match": {"operation": operation}, "when": "before", "action": {"error": error}, "times": 0}));
        scene.poll().code(5);
        assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);
        // What to allow, and to whom, is in the ledger.
        let failed = scene.entries_of("feed_failed").remove(0);
        let to_do = failed["data"]["what_to_do"].as_str().expect("a text");
        assert!(to_do.contains(&format!("{service}:{operation} ")), "{to_do}");
        assert!(to_do.contains("arn:aws:sts::111111111111:assumed-role/RescindHub/"), "{to_do}");
    }
}

#[test]
fn a_region_without_a_detector_does_not_disturb_the_other() {
    let scene = Scene::with(Setting { detector_regions: vec![HOME], ..Setting::default() });
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().code(5).counts(json!({"revoked": 1, "failed_feeds": 1}));
    thief.is_denied();
    assert_eq!(scene.entries_of("feed_failed")[0]["region"], OTHER);
}

#[test]
fn an_organization_page_that_is_empty_and_goes_on() {
    let scene = Scene::new();
    scene.post("switches", &json!({"empty_first_accounts_page": true}));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(scene.entries_of("organization")[0]["data"]["accounts"], 6);
    assert_eq!(scene.entries_of("organization")[0]["data"]["active"], 5);
}
