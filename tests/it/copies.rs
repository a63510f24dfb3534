//! Copies that lack what was in the write-ahead log, and other names of one file.

use crate::scene::{SHOP, Scene};
use serde_json::json;

/// A ledger whose process was killed: what it wrote last is in the write-ahead log only. The file alone
/// is copied, as who knows nothing of the log does it.
fn killed() -> Scene {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let _ = scene.theft(SHOP, "mail");
    scene.kill_at("PutRolePolicy", "before");
    std::fs::copy(scene.path("ledger.db"), scene.path("copy.db")).expect("copied");
    scene
}

#[test]
fn a_copy_without_its_log_is_not_called_whole() {
    let scene = killed();
    let ran = scene.rescind(&["ledger", "verify", "--ledger", "copy.db", "-o", "jsonl"]).code(0);
    let found = ran.json()[0].clone();
    assert!(found["entries"].as_u64().expect("a number") < scene.entries().len() as u64);
    assert_eq!(found["may_lack_log"], true);
    // A copy by `backup` is whole in itself.
    scene.rescind(&["ledger", "backup", "-O", "backup.db"]).code(0);
    let ran = scene.rescind(&["ledger", "verify", "--ledger", "backup.db"]).code(0);
    assert!(!ran.out.contains("-wal"), "{}", ran.out);
}

#[test]
fn a_checkpoint_beside_a_copy_shows_that_there_was_more() {
    let scene = killed();
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    std::fs::copy(scene.path("ledger.db.checkpoint"), scene.path("copy.db.checkpoint")).expect("copied");
    scene
        .rescind(&["ledger", "verify", "--ledger", "copy.db"])
        .code(6)
        .says("copy.db.checkpoint")
        .says("-wal");
    // The ledger itself has what was published.
    let found = scene.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(found["beside"].as_array().map(Vec::len), Some(1), "{found}");
}

#[test]
fn a_file_whose_whole_ledger_is_in_its_log_says_so() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.kill_at("PutRolePolicy", "before");
    std::fs::copy(scene.path("ledger.db"), scene.path("copy.db")).expect("copied");
    scene.rescind(&["ledger", "verify", "--ledger", "copy.db"]).code(4).says("-wal");
}

#[cfg(unix)]
#[test]
fn a_hard_link_does_not_get_around_the_lock() {
    let scene = killed();
    scene.hold("PutRolePolicy", "before");
    let first = scene.spawn(&["run", "--once", "--backlog"]);
    scene.held("PutRolePolicy");
    std::fs::hard_link(scene.path("ledger.db"), scene.path("alias.db")).expect("linked");
    let config = std::fs::read_to_string(scene.path("rescind.toml")).expect("a configuration");
    std::fs::write(scene.path("alias.toml"), format!("ledger = \"alias.db\"\n{config}")).expect("written");
    for args in [&["run", "--once", "--backlog"][..], &["plan"]] {
        scene.rescind(&[&["-c", "alias.toml"], args].concat()).code(4).says("alias.db");
    }
    scene.release("PutRolePolicy");
    Scene::finish(first).code(0);
    std::fs::remove_file(scene.path("alias.db")).expect("removed");
    scene.run_once();
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_hold_the_lock() {
    use std::os::unix::fs::PermissionsExt;
    let scene = killed();
    let mode = std::fs::metadata(scene.path("ledger.db.lock")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
