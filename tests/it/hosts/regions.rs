//! A table of several regions, and hosts in two of them.

use super::host::{Host, LEADS, configure_log, scene_of_regions};
use crate::scene::{HOME, OTHER, SHOP, Scene};
use serde_json::{Value, json};

/// The regions in which a host has called DynamoDB.
fn regions_of(scene: &Scene, host: &Host) -> Vec<String> {
    let calls = scene.calls().into_iter();
    let its = calls.filter(|call| call["service"] == "dynamodb" && call["access_key_id"] == host.key());
    let mut regions: Vec<String> =
        its.map(|call| call["region"].as_str().expect("a region").to_owned()).collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

fn codes(host: &Host) -> Vec<Value> {
    let found = host.rescind(&["doctor", "-o", "jsonl"]).json_document();
    found["problems"].as_array().expect("problems").iter().map(|one| one["code"].clone()).collect()
}

#[test]
fn each_host_uses_the_table_of_its_own_region_and_another_region_takes_over() {
    let scene = scene_of_regions("STRONG");
    configure_log(&scene, &format!(", replicas = [\"{OTHER}\"]"), "");
    let (mut first, mut second) = (Host::in_region(&scene, HOME), Host::in_region(&scene, OTHER));
    first.lead();
    first.until(crate::log::REGION_READ);
    second.run();
    scene.wait(|| second.follows());
    let in_home = json!({"service": "dynamodb", "region": HOME});
    scene.fault("region", in_home, "before", json!({"disconnect": true}), 0);
    second.until(LEADS);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
    assert_eq!(regions_of(&scene, &first), [HOME]);
    assert_eq!(regions_of(&scene, &second), [OTHER]);
}

#[test]
fn a_host_in_neither_region_uses_the_first() {
    let scene = scene_of_regions("STRONG");
    configure_log(&scene, &format!(", replicas = [\"{OTHER}\"]"), "");
    let host = Host::in_region(&scene, "eu-west-2");
    host.rescind(&["run", "--once"]).code(0);
    assert_eq!(regions_of(&scene, &host), [HOME]);
}

#[test]
fn a_table_whose_regions_agree_only_later_is_not_used() {
    let scene = scene_of_regions("EVENTUAL");
    configure_log(&scene, &format!(", replicas = [\"{OTHER}\"]"), "");
    let host = Host::in_region(&scene, OTHER);
    host.rescind(&["run", "--once"]).code(4);
    assert!(scene.get("tables?name=rescind-log")["items"].as_array().is_some_and(Vec::is_empty));
}

#[test]
fn doctor_knows_a_replica_that_is_not_there() {
    let scene = scene_of_regions("STRONG");
    configure_log(&scene, "", "");
    let host = Host::in_region(&scene, HOME);
    host.rescind(&["run", "--once"]).code(0);
    for (replicas, is_missed) in [(json!([OTHER]), false), (json!([OTHER, "eu-west-2"]), true)] {
        configure_log(&scene, &format!(", replicas = {replicas}"), "");
        std::fs::copy(scene.path("rescind.toml"), host.path("rescind.toml")).expect("copied");
        let found = codes(&host);
        assert_eq!(found.iter().any(|one| one == "log_replica_missing"), is_missed, "{found:?}");
    }
}
