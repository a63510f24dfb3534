//! The ledger as evidence: whatever is changed in it is seen, by whoever has the checkpoint and the key.

mod cosigned;
mod custody;
mod forge;
mod forgery;
mod tamperings;

use crate::scene::{Ran, SHOP, Scene};
use rusqlite::Connection;
use serde_json::json;
use std::path::{Path, PathBuf};

/// A ledger with a remediation in it, the path of its latest checkpoint, and its public key.
fn ledger() -> (Scene, PathBuf, String) {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    scene.run_once();
    let key = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    let kept = scene.path("kept.checkpoint");
    std::fs::copy(scene.path("ledger.db.checkpoint"), &kept).expect("published");
    (scene, kept, key)
}

/// Verifies the ledger with what was kept elsewhere.
fn verify(scene: &Scene, kept: &Path, key: &str) -> Ran {
    let kept = kept.to_str().expect("UTF-8");
    scene.rescind(&["ledger", "verify", "--checkpoint", kept, "--public-key", key, "-o", "jsonl"])
}

/// The file, open for somebody who knows how to get around the triggers.
fn open(scene: &Scene) -> Connection {
    Connection::open(scene.path("ledger.db")).expect("a ledger")
}

pub const NO_TRIGGERS: &str =
    "DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete; DROP TRIGGER entries_in_order;";

pub fn sql(connection: &Connection, sql: &str) {
    connection.execute_batch(sql).expect(sql);
}

fn triggers(connection: &Connection) -> Vec<String> {
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").expect("triggers");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("triggers")
}

/// Does something behind the triggers, which are there again afterwards.
fn behind_the_triggers<T>(scene: &Scene, forge: impl FnOnce(&Connection) -> T) -> T {
    let connection = open(scene);
    let before = triggers(&connection);
    sql(&connection, NO_TRIGGERS);
    let forged = forge(&connection);
    for trigger in before {
        sql(&connection, &trigger);
    }
    forged
}
