//! The ledger as evidence: whatever is changed in it is seen.

use crate::scene::{SHOP, Scene};
use rusqlite::Connection;
use std::path::PathBuf;

/// A ledger with a remediation in it, its latest checkpoint, and its key.
fn ledger() -> (Scene, PathBuf, String) {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().says("1 revoked.");
    let key = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    let kept = scene.path("kept.checkpoint");
    std::fs::copy(scene.path("ledger.db.checkpoint"), &kept).expect("published");
    (scene, kept, key)
}

/// The file, open for somebody who knows how to get around the triggers.
fn open(scene: &Scene) -> Connection {
    Connection::open(scene.path("ledger.db")).expect("a ledger")
}

const NO_TRIGGERS: &str =
    "DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete; DROP TRIGGER entries_in_order;";

fn triggers(connection: &Connection) -> String {
    let sql = "SELECT group_concat(sql, ';') FROM sqlite_schema WHERE type = 'trigger'";
    connection.query_row(sql, [], |row| row.get(0)).expect("triggers")
}

/// Makes the findings' hashes fit their texts again.
fn hash_again(connection: &Connection) {
    use sha2::Digest;
    let mut statement =
        connection.prepare("SELECT seq, body FROM entries WHERE kind = 'finding'").expect("entries");
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    for row in rows.expect("rows") {
        let (seq, body) = row.expect("a row");
        let hash = sha2::Sha256::digest([&[0][..], &body].concat());
        connection
            .execute("UPDATE entries SET leaf_hash = ?2 WHERE seq = ?1", (seq, hash.to_vec()))
            .expect("updated");
    }
}

#[test]
fn an_untouched_ledger_is_in_order() {
    let (scene, kept, key) = ledger();
    let kept = kept.to_str().expect("UTF-8");
    scene
        .rescind(&["ledger", "verify"])
        .code(0)
        .says("Nothing was changed, as far as this can tell.")
        .says("The keys are the ledger's own word");
    let ran = scene
        .rescind(&["ledger", "verify", "--checkpoint", kept, "--public-key", &key, "-o", "json"])
        .code(0);
    let entries = scene.entries().len();
    assert_eq!(ran.json()[0]["entries"], entries);
    assert_eq!(ran.json()[0]["kept_checkpoints"], 1);
    // It grows, and the old checkpoint still holds.
    scene.run_once();
    scene.rescind(&["ledger", "verify", "--checkpoint", kept, "--public-key", &key]).code(0);
    assert!(scene.entries_of("signing_key").len() == 1);
}

#[test]
fn whatever_is_changed_is_seen() {
    let middle = "(SELECT max(seq) / 2 FROM entries)";
    for (what, sql, wanted) in [
        ("a body", "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'web', 'wed') AS BLOB) WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'finding')".to_owned(), "not the one that was hashed"),
        ("a body and its hash", "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'i-0123', 'i-0124') AS BLOB) WHERE kind = 'finding'".to_owned(), "the entries are not those of"),
        ("a time", format!("UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE seq = {middle}"), "its time is not the one in its text"),
        ("a kind", format!("UPDATE entries SET kind = 'call' WHERE seq = {middle} AND kind <> 'call' OR seq = (SELECT min(seq) FROM entries WHERE kind = 'finding')"), "its kind is not the one in its text"),
        ("a leaf hash", format!("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = {middle}"), "not the one that was hashed"),
        ("the first deleted", "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = 1".to_owned(), "entry 1 is missing"),
        ("a middle one deleted", format!("PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = {middle}"), "is missing"),
        ("the last deleted", "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)".to_owned(), "its end is cut off"),
        ("two exchanged", "UPDATE entries SET body = (SELECT body FROM entries WHERE seq = 3), leaf_hash = (SELECT leaf_hash FROM entries WHERE seq = 3) WHERE seq = 4".to_owned(), "its text is that of another entry"),
        ("one put in at the end and counted", "INSERT INTO entries SELECT max(seq) + 1, time, kind, remediation, finding, account, region, principal, body, leaf_hash FROM entries".to_owned(), "its text is that of another entry"),
        ("a checkpoint forged", "UPDATE checkpoints SET note = replace(note, char(10) || size || char(10), char(10) || (size - 1) || char(10))".to_owned(), "is not signed by a key of this ledger"),
        ("only the triggers dropped", String::new(), "the trigger entries_no_update is gone"),
    ] {
        let (scene, kept, key) = ledger();
        let connection = open(&scene);
        let before = triggers(&connection);
        connection.execute_batch(&format!("{NO_TRIGGERS} {sql}")).expect(what);
        if what == "a body and its hash" {
            hash_again(&connection);
        }
        if !sql.is_empty() {
            // The traces are wiped away.
            connection.execute_batch(&before).expect("triggers");
        }
        drop(connection);
        let kept = kept.to_str().expect("UTF-8");
        let args = ["ledger", "verify", "--checkpoint", kept, "--public-key", &key];
        let ran = scene.rescind(&args);
        assert_eq!(ran.code, 6, "{what}:\n{}\n{}", ran.out, ran.err);
        assert!(ran.out.contains(wanted), "{what}: wanted {wanted}\n{}", ran.out);
    }
}

#[test]
fn an_old_copy_and_a_cut_end_need_a_checkpoint_from_elsewhere() {
    let (scene, _, key) = ledger();
    std::fs::copy(scene.path("ledger.db"), scene.path("old.db")).expect("copied");
    scene.run_once();
    let newer = scene.path("ledger.db.checkpoint");
    let newer = newer.to_str().expect("UTF-8");
    let old = ["ledger", "verify", "--ledger", "old.db", "--public-key", &key];
    // By itself it is in order, and says what it cannot tell.
    scene.rescind(&old).code(0).says("an old copy");
    scene.rescind(&[&old[..], &["--checkpoint", newer]].concat()).code(6).says("its end is cut off");
}

#[test]
fn a_ledger_written_anew_with_another_key_is_not_ours() {
    let (scene, kept, key) = ledger();
    let kept = kept.to_str().expect("UTF-8");
    for file in ["ledger.db", "ledger.key", "ledger.db.checkpoint"] {
        std::fs::remove_file(scene.path(file)).expect("removed");
    }
    scene.rescind(&["run", "--once"]);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene
        .rescind(&["ledger", "verify", "--public-key", &key])
        .code(6)
        .says("is not signed by a key of this ledger");
    scene
        .rescind(&["ledger", "verify", "--checkpoint", kept])
        .code(6)
        .says("is not signed by a key of this ledger");
}

#[test]
fn the_key_is_secret() {
    let (scene, _, _) = ledger();
    let text = std::fs::read_to_string(scene.path("ledger.key")).expect("a key");
    let secret = text.trim().rsplit('+').next().expect("a secret").to_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(scene.path("ledger.key")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let database = std::fs::read(scene.path("ledger.db")).expect("there");
    assert!(!database.windows(secret.len()).any(|window| window == secret.as_bytes()));
    std::fs::write(scene.path("ledger.key"), text.replace("PRIVATE", "PUBLIC")).expect("written");
    let ran = scene.rescind(&["run", "--once"]).code(4).says("not a signing key of rescind");
    assert!(!ran.err.contains(&secret) && !ran.out.contains(&secret));
}
