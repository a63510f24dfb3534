//! Copies, archives, and tables made again.

use crate::scene::{Ran, SHOP, Scene};
use crate::screens::Transcript;
#[cfg(target_os = "linux")]
use serde_json::json;

fn acted() -> Scene {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    scene
}

fn open(scene: &Scene) -> rusqlite::Connection {
    rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger")
}

#[test]
fn a_backup_is_made_while_the_service_runs() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.hold("PutRolePolicy", "before");
    let running = scene.spawn(&["run", "--once", "--backlog"]);
    scene.held("PutRolePolicy");
    let copied = scene.rescind(&["ledger", "backup", "-O", "copy.db", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(copied["problems"], 0, "{copied}");
    scene.release("PutRolePolicy");
    Scene::finish(running).code(0);
    thief.is_denied();
    // It has what was there at that moment, in one file, for its owner only.
    let copy = rusqlite::Connection::open(scene.path("copy.db")).expect("a copy");
    let intents: i64 = copy
        .query_row("SELECT count(*) FROM entries WHERE kind IN ('intent', 'accepted')", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(intents, 1);
    assert!(!scene.path("copy.db-wal").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(scene.path("copy.db")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing is written over, and what fails leaves nothing.
    scene.rescind(&["ledger", "backup", "-O", "copy.db"]).code(2).says("copy.db exists already");
    scene.rescind(&["ledger", "backup", "-O", "nowhere/copy.db"]).code(2).says("nowhere/copy.db");
    // Whoever has it needs nothing else to read it.
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    let id = id.as_str().expect("an id");
    for args in [&["list"][..], &["list", "--decisions"], &["show", id], &["explain", id]] {
        scene.rescind(&[args, &["--ledger", "copy.db", "--config", "none.toml"]].concat()).code(0);
        scene.rescind(&[args, &["--ledger", "none.db"]].concat()).code(2).says("none.db: no such file");
    }
    scene.rescind(&["ledger", "verify", "--ledger", "none.db"]).code(2).says("none.db: no such file");
    scene.rescind(&["ledger", "prove", "99999"]).code(2).says("99999");
    // With it rescind goes on.
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.checkpoint"] {
        let _ = std::fs::remove_file(scene.path(file));
    }
    std::fs::copy(scene.path("copy.db"), scene.path("ledger.db")).expect("restored");
    scene.run_once();
    assert_eq!(scene.entries_of("accepted")[0]["data"]["found_in_place"], true);
}

#[test]
fn the_tables_are_what_the_entries_say() {
    let scene = acted();
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    let ledger = open(&scene);
    ledger.execute_batch("UPDATE remediations SET state = 'failed'; DELETE FROM watched").expect("changed");
    drop(ledger);
    let checked = scene.rescind(&["ledger", "rebuild", "--check", "-o", "jsonl"]).code(6).json_document();
    let differ = json!([
        {"table": "remediations", "wrong": 1, "missing": 1}, {"table": "watched", "wrong": 0, "missing": 2},
    ]);
    assert_eq!((&checked["differences"], &checked["mended"]), (&differ, &json!(false)), "{checked}");
    // What is shown is folded from the entries, whatever the tables say.
    let state = || scene.rescind(&["list", "-o", "jsonl"]).json()[0]["state"].clone();
    assert_eq!(state(), "revoked");
    let mended = scene.rescind(&["ledger", "rebuild", "-o", "jsonl"]).code(6).json_document();
    assert_eq!(mended["mended"], true, "{mended}");
    scene.rescind(&["ledger", "rebuild"]).code(0);
    let left = std::fs::read_dir(scene.directory.path()).expect("a directory");
    assert!(
        !left
            .map(|file| file.expect("a file").file_name())
            .any(|name| name.to_string_lossy().contains("rebuild"))
    );
}

#[cfg(target_os = "linux")]
/// A ledger whose remediation ended long before all that counts, and another that is open.
fn archivable() -> (Scene, String) {
    let scene = acted();
    let id = scene.entries_of("proof")[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["release", "--yes", &id, "--by", "Ada", "--reason", "a drill"]).code(0);
    let _ = scene.theft(SHOP, "mail");
    let error = serde_json::json!({"status": 403, "code": "AccessDenied", "message": "not now"});
    scene.post("faults", &serde_json::json!({"name": "f", "match": {"operation": "PutRolePolicy"}, "when": "before", "action": {"error": error}, "times": 9}));
    scene.poll().code(5);
    let key = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    (scene, key)
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_closed_is_archived_and_every_proof_still_holds() {
    let (scene, key) = archivable();
    let done = scene.entries_of("undone")[0]["remediation"].as_str().expect("an id").to_owned();
    let intent = scene.entries_of("intent")[0]["seq"].to_string();
    scene.rescind(&["ledger", "prove", &intent, "-O", "before.json"]).code(0);
    std::fs::copy(scene.path("ledger.db.checkpoint"), scene.path("kept.checkpoint")).expect("kept");
    let before = (scene.entries().len(), scene.entries());

    // In two days.
    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).to_string();
    let ran = scene
        .command(&["ledger", "archive", "--before", &tomorrow, "-O", "closed.jsonl"])
        .env("LD_PRELOAD", crate::starve::preload(&scene))
        .env("RESCIND_CLOCK_AHEAD", "172800")
        .output()
        .expect("the binary runs");
    let mut screens = Transcript::new(&scene);
    screens.said(&["ledger", "archive", "--before", &tomorrow, "-O", "closed.jsonl"], Ran::new(&ran).code(0));
    screens.is("archive");
    assert_eq!(scene.entries_of("archive")[0]["data"]["remediations"].as_array().map(Vec::len), Some(1));

    // The archive holds by itself, and has what was in the ledger, byte for byte.
    scene.rescind(&["ledger", "check-proof", "closed.jsonl", "--public-key", &key]).code(0);
    let archive = std::fs::read_to_string(scene.path("closed.jsonl")).expect("there");
    let mut archived = 0;
    for line in archive.lines() {
        let proof: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let entry: serde_json::Value =
            serde_json::from_str(proof["entry"].as_str().expect("text")).expect("JSON");
        let index = usize::try_from(proof["index"].as_u64().expect("a number")).expect("small");
        if index < before.0 {
            assert_eq!(entry, before.1[index]);
        }
        archived += 1;
    }
    // The ledger holds with every old checkpoint and proof.
    let args = ["ledger", "verify", "--checkpoint", "kept.checkpoint", "--public-key", &key, "-o", "jsonl"];
    assert_eq!(scene.rescind(&args).code(0).json_document()["archived"], archived);
    scene.rescind(&["ledger", "check-proof", "before.json", "--public-key", &key]).code(0);
    scene.rescind(&["ledger", "prove", &intent]).code(4);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    scene.rescind(&["show", &done]).code(2).says("closed.jsonl");
    // What is open is still there, and is taken up.
    scene.rescind(&["list"]).says("mail");
    scene.delete("faults/f");
    scene.run_once().says("mail");
    // The next archive is verified by itself.
    scene.rescind(&["ledger", "verify", "--public-key", &key]).code(0);
    // Also for who knows only the key that came after the one that signed for the archive.
    scene.rescind(&["ledger", "rotate-key"]).code(0);
    let newest = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    scene.rescind(&["ledger", "verify", "--public-key", &newest]).code(0);
    // A proof in the archive that was changed does not hold.
    std::fs::write(scene.path("changed.jsonl"), archive.replacen("web", "wed", 1)).expect("written");
    scene.rescind(&["ledger", "check-proof", "changed.jsonl", "--public-key", &key]).code(6);
}

/// Its deny is looked at, and can be released: however long ago it was written.
#[cfg(target_os = "linux")]
#[test]
fn what_is_in_force_is_not_archived() {
    let scene = acted();
    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).to_string();
    let ran = scene
        .command(&["ledger", "archive", "--before", &tomorrow, "-O", "closed.jsonl"])
        .env("LD_PRELOAD", crate::starve::preload(&scene))
        .env("RESCIND_CLOCK_AHEAD", "172800")
        .output()
        .expect("the binary runs");
    Ran::new(&ran).code(0);
    assert_eq!(scene.entries_of("archive")[0]["data"]["remediations"], json!([]));
    let id = scene.entries_of("proof")[0]["remediation"].as_str().expect("an id").to_owned();
    scene.rescind(&["release", "--yes", &id, "--by", "Ada", "--reason", "a drill"]).code(0);
}

#[test]
fn what_may_come_again_is_not_archived() {
    let scene = acted();
    let now = jiff::Timestamp::now().to_string();
    scene.rescind(&["ledger", "archive", "--before", &now, "-O", "closed.jsonl"]).code(2).says("24h");
    let yesterday = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(25)).to_string();
    let args = ["ledger", "archive", "--before", &yesterday, "-O", "closed.jsonl", "-o", "jsonl"];
    assert_eq!(scene.rescind(&args).code(0).json_document()["entries"], 0);
    assert!(!scene.path("closed.jsonl").exists());
}

#[test]
fn an_entry_can_only_be_emptied_as_an_archive_says() {
    let scene = acted();
    let ledger = open(&scene);
    for sql in [
        "UPDATE entries SET kind = 'archived', body = CAST('{\"archived\":1}' AS BLOB), remediation = NULL, finding = NULL, account = NULL, region = NULL, principal = NULL WHERE seq = 2",
        "UPDATE entries SET kind = 'archived', body = x'' WHERE seq = 2",
    ] {
        let error = ledger.execute(sql, []).expect_err(sql);
        assert!(crate::ledger::is_refused_by_a_trigger(&error), "{sql}: {error}");
    }
}
