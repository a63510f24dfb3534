//! Killed at any step, the next starts end where a run without a kill does.

use super::intrusion::{ENFORCE, Intrusion, activities, are, is_whole_and_keeps_no_secret};
use crate::scene::Scene;
use std::collections::BTreeSet;

/// Kills the first run while `operation` is held for the `nth` time, and starts again.
fn killed_at(operation: &str, when: &str) {
    let scene = Scene::new();
    scene.watch();
    scene.configure(ENFORCE);
    let intrusion = Intrusion::new(&scene);
    scene.kill_at(operation, when);
    scene.run_once();
    scene.run_once();
    intrusion.is_over();
    are(&scene, &[["web", "revoked"], ["batch", "revoked"], ["vault", "revoked"]]);
    let all = activities(&scene);
    let events: BTreeSet<&str> = all.iter().filter_map(|one| one["event"].as_str()).collect();
    assert_eq!(events.len(), all.len(), "{all:?}");
    is_whole_and_keeps_no_secret(&scene);
}

#[test]
fn before_anything_is_read() {
    killed_at("LookupEvents", "before");
}

#[test]
fn after_the_first_page_was_answered() {
    killed_at("LookupEvents", "after");
}

#[test]
fn before_the_first_deny() {
    killed_at("PutRolePolicy", "before");
}

#[test]
fn after_the_first_deny() {
    killed_at("PutRolePolicy", "after");
}

/// In the account into which the thief went on: its deny is about to be written, or is.
#[test]
fn at_the_deny_of_what_was_opened() {
    for when in ["before", "after"] {
        let scene = Scene::new();
        scene.watch();
        scene.configure("mode = \"enforce\"\n");
        let intrusion = Intrusion::new(&scene);
        scene.run_once();
        intrusion.is_pending();
        scene.configure(ENFORCE);
        // From here on only what was opened is written to.
        scene.kill_at("PutRolePolicy", when);
        scene.run_once();
        scene.run_once();
        intrusion.is_over();
        are(&scene, &[["web", "revoked"], ["batch", "revoked"], ["vault", "revoked"]]);
        is_whole_and_keeps_no_secret(&scene);
    }
}
