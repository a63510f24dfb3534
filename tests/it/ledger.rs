//! The ledger: append-only, canonical, without secrets, one actor at a time.

use crate::scene::{SHOP, Scene};
use sha2::{Digest, Sha256};

fn acted() -> Scene {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene
}

pub fn is_refused_by_a_trigger(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER)
}

#[test]
fn entries_cannot_be_changed_or_deleted() {
    let scene = acted();
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    for sql in [
        "UPDATE entries SET kind = 'x' WHERE seq = 1",
        "DELETE FROM entries WHERE seq = 1",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries (seq, time, kind, body, leaf_hash) SELECT 1, time, kind, body, leaf_hash FROM entries WHERE seq = 2",
    ] {
        let error = ledger.execute(sql, []).expect_err(sql);
        assert!(is_refused_by_a_trigger(&error), "{sql}: {error}");
    }
}

#[test]
fn every_body_is_canonical_and_its_hash_is_right() {
    let scene = acted();
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    let mut statement =
        ledger.prepare("SELECT seq, time, kind, body, leaf_hash FROM entries ORDER BY seq").expect("entries");
    let mut rows = statement.query([]).expect("rows");
    let mut count = 0;
    while let Some(row) = rows.next().expect("a row") {
        count += 1;
        let (seq, time, kind): (i64, String, String) =
            (row.get(0).expect("seq"), row.get(1).expect("time"), row.get(2).expect("kind"));
        let (body, hash): (Vec<u8>, Vec<u8>) = (row.get(3).expect("body"), row.get(4).expect("hash"));
        let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(serde_json_canonicalizer::to_vec(&value).expect("canonical"), body, "entry {seq}");
        assert_eq!((seq, &value["seq"], &value["kind"]), (count, &count.into(), &kind.into()));
        let written: jiff::Timestamp = value["time"].as_str().expect("a time").parse().expect("a time");
        assert_eq!(written, time.parse().expect("a time"));
        let leaf = Sha256::new_with_prefix([0]).chain_update(&body).finalize();
        assert_eq!(leaf.as_slice(), hash, "entry {seq}");
    }
    assert!(count > 10);
}

#[test]
fn no_secret_is_written_anywhere() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    let ran = scene.rescind(&["--log", "trace", "run", "--once", "--backlog"]).code(0);
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    let id = id.as_str().expect("an id");
    let json = scene.rescind(&["--log", "trace", "-o", "jsonl", "show", id]).code(0);
    let mut written = format!("{}{}{}{}", ran.out, ran.err, json.out, json.err).into_bytes();
    for file in ["ledger.db", "ledger.db-wal", "ledger.db.lock"] {
        written.extend(std::fs::read(scene.path(file)).unwrap_or_default());
    }
    let written = String::from_utf8_lossy(&written);
    let secret = |key: &str| scene.hub[key].as_str().expect("text").to_owned();
    for secret in [secret("secret_access_key"), secret("session_token"), crate::scene::EXTERNAL_ID.to_owned()]
    {
        assert!(!written.contains(&secret), "{secret} was written");
    }
    // Nor those of the member sessions: every token of the emulator starts with these.
    assert!(!written.contains("IQoJ"), "a session token was written");
    assert!(ran.err.contains("PutRolePolicy"), "the log is as detailed as it gets");
}

#[test]
fn one_actor_at_a_time() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.hold("PutRolePolicy", "before");
    let first = scene.spawn(&["run", "--once", "--backlog"]);
    scene.held("PutRolePolicy");
    scene.poll().code(4).says(&first.id().to_string());
    // Also by another name of the same file.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("ledger.db", scene.path("alias.db")).expect("linked");
        let config = std::fs::read_to_string(scene.path("rescind.toml")).expect("a configuration");
        std::fs::write(scene.path("alias.toml"), format!("ledger = \"alias.db\"\n{config}"))
            .expect("written");
        scene
            .rescind(&["-c", "alias.toml", "run", "--once", "--backlog"])
            .code(4)
            .says(&first.id().to_string());
    }
    // Reading is always possible.
    scene.rescind(&["list"]).code(0).says("revoking");
    scene.release("PutRolePolicy");
    Scene::finish(first).code(0);
    thief.is_denied();
    // The lock does not outlive its holder.
    scene.run_once();
}

#[test]
fn what_is_not_a_ledger_is_refused_and_left_as_it_is() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    std::fs::write(scene.path("ledger.db"), "this is a text, long enough not to be taken for an empty file")
        .expect("written");
    scene.poll().code(4).says("ledger.db");
    scene.rescind(&["list"]).code(4).says("ledger.db");

    std::fs::remove_file(scene.path("ledger.db")).expect("removed");
    let other = rusqlite::Connection::open(scene.path("ledger.db")).expect("a database");
    other.execute_batch("CREATE TABLE theirs (x)").expect("made");
    drop(other);
    scene.poll().code(4).says("ledger.db");
    assert_eq!(scene.calls_of("PutRolePolicy").len(), 0);
}

#[test]
fn a_directory_is_no_ledger() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("ledger.db")).expect("made");
    let ran = scene.poll().code(4).says("directory");
    assert!(!ran.err.contains("hard link"), "{}", ran.err);
}

#[test]
fn a_ledger_of_a_newer_version_is_refused() {
    let scene = acted();
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    ledger.pragma_update(None, "user_version", 99).expect("set");
    drop(ledger);
    for args in [["run", "--once", "--backlog"].as_slice(), &["list"]] {
        scene.rescind(args).code(4).says("99");
    }
}

#[test]
fn a_copy_of_the_one_file_is_the_whole_ledger() {
    let scene = acted();
    let copy = scene.path("copy.db");
    // Before anything else opens the ledger, and with that tidies it up.
    std::fs::copy(scene.path("ledger.db"), &copy).expect("copied");
    let ledger = rusqlite::Connection::open(copy).expect("a ledger");
    let copied: i64 =
        ledger.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).expect("counted");
    assert_eq!(copied, i64::try_from(scene.entries().len()).expect("few"));
}

#[test]
fn without_a_ledger_nothing_is_done() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    std::fs::create_dir(scene.path("ledger.db")).expect("in the way");
    scene.poll().code(4).says("ledger.db");
    thief.is_allowed();
    assert_eq!(scene.calls().len(), 1, "only the thief's own call");
    scene.rescind(&["list"]).code(4);
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let scene = acted();
    let mode = std::fs::metadata(scene.path("ledger.db")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
