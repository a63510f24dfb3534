//! What CloudTrail has is found, however late, slowly or incompletely it answers.

use super::intrusion::{ENFORCE, Intrusion, activities, are, is_whole_and_keeps_no_secret};
use crate::scene::{HOME, OTHER, SHOP, Scene, Setting};
use crate::watching::Watching;
use serde_json::{Value, json};

/// A scene with these settings of the emulator's CloudTrail.
fn scene(trail: &Value) -> Scene {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("{ENFORCE}recheck_interval = \"1s\"\n"));
    scene.post("cloudtrail", trail);
    scene
}

#[test]
fn records_that_come_late_and_out_of_order_are_found() {
    let scene = scene(&json!({"delay_seconds": 300, "jitter_seconds": 600, "seed": 7}));
    let intrusion = Intrusion::new(&scene);
    let service = Watching::start(&scene, &[]);
    scene.wait(|| !scene.entries_of("proof").is_empty());
    intrusion.is_pending();
    assert!(activities(&scene).is_empty());
    scene.advance_clock(900);
    scene.wait(|| scene.entries_of("accepted").len() == 3);
    intrusion.is_over();
    assert_eq!(service.stop(), 0);
    is_whole_and_keeps_no_secret(&scene);
}

#[test]
fn a_trail_that_throttles_is_read_to_its_end() {
    let scene = scene(&json!({"per_second": 1}));
    let intrusion = Intrusion::new(&scene);
    scene.run_once();
    intrusion.is_over();
}

#[test]
fn a_region_that_cannot_be_read_is_said_and_read_when_it_can() {
    let scene = scene(&json!({"dark_regions": [HOME]}));
    let intrusion = Intrusion::new(&scene);
    let service = Watching::start(&scene, &[]);
    scene.wait(|| scene.codes("alert").contains(&"pursuit_unreadable".to_owned()));
    intrusion.is_pending();
    let unread = scene.entries_of("trace")[0]["data"]["unread"][0].clone();
    assert_eq!(unread["region"], HOME);
    assert!(
        unread["what_to_do"].as_str().is_some_and(|text| text.contains("cloudtrail:LookupEvents")),
        "{unread}"
    );
    scene.post("cloudtrail", &json!({"dark_regions": []}));
    scene.wait(|| scene.entries_of("accepted").len() == 3);
    intrusion.is_over();
    assert_eq!(service.stop(), 0);
    // It is said once, and that it can be read again.
    assert_eq!(scene.codes("alert"), ["pursuit_unreadable"]);
    are(&scene, &[["web", "revoked"], ["batch", "revoked"], ["vault", "revoked"]]);
}

/// Nobody can have made a call in a region that the account has not enabled.
#[test]
fn a_region_that_is_not_enabled_is_no_blind_spot() {
    let setting = Setting { disabled_regions: vec!["me-south-1"], ..Setting::default() };
    let scene = Scene::with(setting);
    scene.watch();
    scene.configure(&format!("{ENFORCE}regions = [\"{HOME}\", \"{OTHER}\", \"me-south-1\"]\n"));
    let intrusion = Intrusion::new(&scene);
    for _ in 0..3 {
        scene.poll();
    }
    intrusion.is_over();
    assert!(!scene.codes("alert").contains(&"pursuit_unreadable".to_owned()));
}

#[test]
fn what_only_looks_is_counted_once_it_can_be_counted_for_good() {
    let scene = scene(&json!({}));
    let stolen = scene_with_calls(&scene, 130);
    scene.report(SHOP, "web", &stolen, json!({}));
    scene.run_once();
    scene.advance_clock(3600);
    scene.run_once();
    scene.run_once();
    let mut counts = std::collections::BTreeMap::new();
    for entry in scene.entries_of("trace") {
        for read in entry["data"]["read"].as_array().expect("a list") {
            for (call, count) in read["calls"].as_object().expect("counts") {
                *counts.entry(call.clone()).or_insert(0) += count["worked"].as_u64().unwrap_or_default();
            }
        }
    }
    assert_eq!(counts.get("ec2:DescribeInstances"), Some(&130), "{counts:?}");
}

/// A stolen session that has made so many calls, which only look.
fn scene_with_calls(scene: &Scene, count: u32) -> Value {
    scene.role(SHOP, "web");
    let stolen = super::intrusion::stolen(scene, "203.0.113.77");
    let record =
        json!({"access_key_id": stolen["access_key_id"], "event": "ec2:DescribeInstances", "repeat": count});
    scene.post("cloudtrail/records", &json!({"account": SHOP, "region": HOME, "records": [record]}));
    stolen
}
