//! What `rescind ledger` says of a ledger that is whole, and of others.

use super::{Transcript, latest};
use crate::scene::{SHOP, Scene};
use rusqlite::Connection;

fn open(scene: &Scene) -> Connection {
    Connection::open(scene.path("ledger.db")).expect("a ledger")
}

#[test]
fn a_ledger_that_is_whole() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.run(&["ledger", "verify"]).code(4);
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let key = screens.run(&["ledger", "key"]).code(0).out.trim().to_owned();
    screens.run(&["ledger", "checkpoint"]).code(0);
    screens.run(&["ledger", "verify"]).code(0);
    screens.run(&["ledger", "verify", "--checkpoint", "ledger.db.checkpoint", "--public-key", &key]).code(0);
    screens.run(&["ledger", "prove", "3", "-O", "proof.json"]).code(0);
    screens.run(&["ledger", "check-proof", "proof.json", "--public-key", &key]).code(0);
    screens.run(&["ledger", "prove", "3", "-O", "proof.json"]).code(2);
    screens.run(&["ledger", "prove", "9999"]).code(2);
    screens.run(&["ledger", "backup", "-O", "copy.db"]).code(0);
    screens.run(&["ledger", "backup", "-O", "copy.db"]).code(2);
    screens.run(&["ledger", "rebuild", "--check"]).code(0);
    let now = jiff::Timestamp::now().to_string();
    screens.run(&["ledger", "archive", "--before", &now, "-O", "closed.jsonl"]).code(2);
    screens.run(&["ledger", "archive", "--before", "2026-01-01", "-O", "closed.jsonl"]).code(0);
    screens.run(&["ledger", "rotate-key"]).code(0);
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    screens.run(&["ledger", "check-proof", "proof.json", "--public-key", other]).code(6);
    screens.run(&["ledger", "check-proof", "rescind.toml", "--public-key", &key]).code(6);
    screens.run(&["ledger", "verify", "--checkpoint", "rescind.toml"]).code(2);
    screens.is("ledger");
}

#[test]
fn a_ledger_that_is_not_as_it_was_written() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    open(&scene)
        .execute_batch("UPDATE remediations SET state = 'failed'; DELETE FROM watched")
        .expect("changed");
    screens.run(&["ledger", "rebuild", "--check"]).code(6);
    screens.run(&["ledger", "rebuild"]).code(6);
    open(&scene)
        .execute_batch("DROP TRIGGER entries_no_update; UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq IN (7, 12)")
        .expect("changed");
    screens.run(&["ledger", "verify"]).code(6);
    screens.run(&["doctor"]).code(5);
    screens.is("ledger_tampered");
}

#[test]
fn a_file_that_is_no_ledger() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let at = scene.path("ledger.db");
    std::fs::write(&at, "this is a text, long enough not to be taken for an empty file").expect("written");
    screens.run(&["list"]).code(4);
    std::fs::remove_file(&at).expect("removed");
    open(&scene).execute_batch("CREATE TABLE theirs (x)").expect("made");
    screens.run(&["list"]).code(4);
    screens.run(&["run", "--once"]).code(4);
    std::fs::remove_file(&at).expect("removed");
    scene.run_once();
    let holder = open(&scene);
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    screens.run(&["run", "--once"]).code(4);
    holder.execute_batch("COMMIT").expect("released");
    holder.pragma_update(None, "user_version", 99).expect("set");
    screens.run(&["list"]).code(4);
    screens.is("no_ledger");
}

/// A second process, and a file under two names.
#[test]
fn a_ledger_that_somebody_acts_on() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(SHOP, "web");
    scene.hold("PutRolePolicy", "before");
    let first = scene.spawn(&["run", "--once", "--backlog"]);
    scene.held("PutRolePolicy");
    screens.run(&["run", "--once"]).code(4);
    std::fs::copy(scene.path("ledger.db"), scene.path("copy.db")).expect("copied");
    screens.run(&["ledger", "verify", "--ledger", "copy.db"]);
    std::fs::hard_link(scene.path("ledger.db"), scene.path("alias.db")).expect("linked");
    let text = std::fs::read_to_string(scene.path("rescind.toml")).expect("there");
    std::fs::write(scene.path("alias.toml"), format!("ledger = \"alias.db\"\n{text}")).expect("written");
    screens.run(&["-c", "alias.toml", "plan"]).code(4);
    scene.release("PutRolePolicy");
    Scene::finish(first).code(0);
    assert!(!latest(&scene).is_empty());
    screens.is("ledger_in_use");
}
