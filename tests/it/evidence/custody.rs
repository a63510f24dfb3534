//! What is kept beside the ledger, and what it is worth: checkpoints, copies and the key.

use super::forge::{ANOTHER_INSTANCE, frontier, hash_again};
use super::{NO_TRIGGERS, behind_the_triggers, ledger, open, sql, verify};
use crate::scene::{BANK, SHOP, Scene};
use serde_json::json;

#[test]
fn an_untouched_ledger_is_in_order() {
    let (scene, kept, key) = ledger();
    // Without a key from elsewhere, the ledger's keys are its own word.
    let alone = scene.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(alone["own_word"], true);
    let found = verify(&scene, &kept, &key).code(0).json_document();
    assert_eq!(found["entries"], scene.entries().len());
    assert_eq!(found["kept_checkpoints"], 1);
    // As the checkpoint comes out of a mail.
    let mailed = scene.path("mailed");
    let note = std::fs::read_to_string(&kept).expect("there").replace('\n', "\r\n");
    std::fs::write(&mailed, note).expect("written");
    verify(&scene, &mailed, &key).code(0);
    // What is none is the caller's mistake.
    let other = scene.path("other");
    std::fs::write(&other, "hello\n").expect("written");
    verify(&scene, &other, &key).code(2).says("other");
}

#[test]
fn an_old_checkpoint_holds_for_what_was_added_and_an_old_copy_needs_a_new_one() {
    let (scene, kept, key) = ledger();
    let before = scene.entries().len();
    std::fs::copy(scene.path("ledger.db"), scene.path("old.db")).expect("copied");
    // What is not signed for yet is named.
    scene.rescind(&["plan"]);
    let found = verify(&scene, &kept, &key).code(0).json_document();
    assert_eq!((&found["signed"], &found["entries"]), (&json!(before), &json!(scene.entries().len())));
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    let found = verify(&scene, &kept, &key).code(0).json_document();
    assert_eq!(found["signed"], found["entries"]);
    scene.run_once();
    verify(&scene, &kept, &key).code(0);
    assert_eq!(scene.entries_of("signing_key").len(), 1);
    // By itself the copy is in order.
    let newer = scene.path("ledger.db.checkpoint");
    let old = ["ledger", "verify", "--ledger", "old.db", "--public-key", &key];
    scene.rescind(&old).code(0);
    scene.rescind(&[&old[..], &["--checkpoint", newer.to_str().expect("UTF-8")]].concat()).code(6);
}

/// Evidence is not touched by looking at it.
#[test]
fn looking_leaves_no_trace() {
    let (scene, _, _) = ledger();
    let evidence = scene.path("evidence #1?");
    std::fs::create_dir(&evidence).expect("a directory");
    std::fs::copy(scene.path("ledger.db"), evidence.join("ledger.db")).expect("copied");
    let changed =
        || std::fs::metadata(evidence.join("ledger.db")).expect("there").modified().expect("a time");
    let before = changed();
    scene.rescind(&["ledger", "verify", "--ledger", "evidence #1?/ledger.db"]).code(0);
    let names: Vec<_> =
        std::fs::read_dir(&evidence).expect("there").map(|f| f.expect("a file").file_name()).collect();
    assert_eq!(names, ["ledger.db"]);
    assert_eq!(changed(), before);
}

#[test]
fn the_first_bad_entry_is_named_also_through_a_link_and_in_the_log_that_is_beside_the_file() {
    let (scene, _, _) = ledger();
    std::fs::create_dir(scene.path("elsewhere")).expect("a directory");
    std::os::unix::fs::symlink(scene.path("ledger.db"), scene.path("elsewhere/link.db")).expect("linked");
    // As long as it is open, the change is in the write-ahead log only.
    let connection = open(&scene);
    sql(&connection, NO_TRIGGERS);
    sql(&connection, "UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq IN (7, 12)");
    for file in ["ledger.db", "elsewhere/link.db"] {
        let ran = scene.rescind(&["ledger", "verify", "--ledger", file, "-o", "jsonl"]).code(6);
        assert_eq!(ran.json_document()["first_bad_entry"], 7, "{file}");
    }
    drop(connection);
}

#[test]
fn a_ledger_written_anew_with_another_key_is_not_ours() {
    let (scene, kept, key) = ledger();
    let kept = kept.to_str().expect("UTF-8");
    for file in ["ledger.db", "ledger.key", "ledger.db.checkpoint"] {
        std::fs::remove_file(scene.path(file)).expect("removed");
    }
    scene.poll_new();
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "verify", "--public-key", &key]).code(6);
    scene.rescind(&["ledger", "verify", "--checkpoint", kept]).code(6);
}

/// The state of the tree that is kept for speed is not believed: what is signed is what was signed for.
#[test]
fn the_service_does_not_sign_what_somebody_changed() {
    let (scene, kept, key) = ledger();
    behind_the_triggers(&scene, |ledger| {
        sql(ledger, ANOTHER_INSTANCE);
        hash_again(ledger);
        // The tree of the forged entries, as if it had been signed.
        let set = "UPDATE checkpoints SET frontier = ?1 WHERE size = (SELECT max(size) FROM checkpoints)";
        ledger.execute(set, [frontier(ledger).save()]).expect("updated");
    });
    scene.rescind(&["plan"]);
    scene.rescind(&["ledger", "checkpoint"]).code(6);
    // Nor while it works; and it works.
    let (thief, _) = scene.theft(SHOP, "mail");
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1, "seen_before": 1}));
    thief.is_denied();
    assert_eq!(scene.entries_of("alert")[0]["data"]["code"], "ledger_tampered");
    verify(&scene, &kept, &key).code(6);
}

/// Two hosts can have a key each, and one of them signs for the other's.
#[test]
fn a_key_that_was_rotated_signs_nothing_any_more() {
    let scene = Scene::new();
    scene.run_once();
    let first = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    scene.rescind(&["ledger", "rotate-key"]).code(0);
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let signed = || -> i64 {
        open(&scene).query_row("SELECT max(size) FROM checkpoints", [], |row| row.get(0)).expect("a size")
    };
    let before = signed();
    // Whoever had taken the old key uses it. Containment goes on.
    let retired = format!("ledger.key.{}.retired", first.split('+').nth(1).expect("an id"));
    std::fs::copy(scene.path("ledger.key"), scene.path("current")).expect("copied");
    std::fs::copy(scene.path(&retired), scene.path("ledger.key")).expect("copied");
    let (thief, _) = scene.theft(BANK, "api");
    scene.rescind(&["run", "--once"]);
    thief.is_denied();
    scene.rescind(&["ledger", "checkpoint"]).code(4).says("may not sign");
    assert_eq!(signed(), before);
    assert!(
        scene.entries_of("alert").iter().any(|alert| alert["data"]["code"] == "signing_key_not_endorsed")
    );
    std::fs::copy(scene.path("current"), scene.path("ledger.key")).expect("copied");
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    // By the old key alone all is signed: it has signed for the new one.
    let found = scene.rescind(&["ledger", "verify", "--public-key", &first, "-o", "jsonl"]).code(0);
    let found = found.json_document();
    assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])));
}

#[test]
fn the_key_is_secret() {
    let (scene, _, _) = ledger();
    let text = std::fs::read_to_string(scene.path("ledger.key")).expect("a key");
    let secret = text.trim().splitn(5, '+').nth(4).expect("a secret").to_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(scene.path("ledger.key")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let database = std::fs::read(scene.path("ledger.db")).expect("there");
    assert!(!database.windows(secret.len()).any(|window| window == secret.as_bytes()));
    std::fs::write(scene.path("ledger.key"), text.replace("PRIVATE", "PUBLIC")).expect("written");
    let ran = scene.poll_new().code(4).says("ledger.key");
    assert!(!ran.err.contains(&secret) && !ran.out.contains(&secret));
}
