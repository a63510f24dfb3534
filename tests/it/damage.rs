//! A ledger's file that is cut off, overwritten, held or unreadable: a clear word, and nothing is done.

use crate::evidence::{NO_TRIGGERS, sql};
use crate::made::{story, then, write};
use crate::scene::{SHOP, Scene};
use jiff::Timestamp;
use rescind::ledger::{Ledger, LedgerError};
use rescind::remediation::{AlertCode, Event};
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;

const PAGE: usize = 4096;

/// A ledger with a remediation, its bytes, a kept checkpoint and its key.
fn ledger() -> (Scene, Vec<u8>, String) {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let key = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    std::fs::copy(scene.path("ledger.db.checkpoint"), scene.path("kept")).expect("kept");
    let bytes = std::fs::read(scene.path("ledger.db")).expect("there");
    assert!(
        !scene.path("ledger.db-wal").exists()
            || std::fs::metadata(scene.path("ledger.db-wal")).expect("there").len() == 0
    );
    (scene, bytes, key)
}

/// All texts, by an independent reader; none when they cannot be read.
fn texts(path: &Path) -> Option<Vec<Vec<u8>>> {
    let connection = Connection::open(path).ok()?;
    let mut statement = connection.prepare("SELECT body FROM entries NOT INDEXED ORDER BY seq").ok()?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).ok()?;
    rows.collect::<Result<_, _>>().ok()
}

fn verify(key: &str) -> [&str; 8] {
    ["ledger", "verify", "--ledger", "broken.db", "--public-key", key, "--checkpoint", "kept"]
}

#[test]
fn a_tail_that_is_cut_off_at_any_page_is_seen() {
    let (scene, bytes, key) = ledger();
    let pages = bytes.len() / PAGE;
    for kept in (0..pages * 2).map(|half| half * PAGE / 2) {
        std::fs::write(scene.path("broken.db"), &bytes[..kept]).expect("written");
        let ran = scene.rescind(&verify(&key));
        assert!([4, 6].contains(&ran.code), "{kept} bytes: {}\n{}\n{}", ran.code, ran.out, ran.err);
        assert!(!ran.err.contains("panicked"), "{kept} bytes: {}", ran.err);
    }
}

#[test]
fn a_page_that_is_overwritten_is_seen_where_it_matters() {
    let (scene, bytes, key) = ledger();
    let whole = texts(&scene.path("ledger.db")).expect("readable");
    let mut seen = 0;
    for page in 1..bytes.len() / PAGE {
        let mut broken = bytes.clone();
        for (at, byte) in broken[page * PAGE..(page + 1) * PAGE].iter_mut().enumerate() {
            *byte = u8::try_from((at * 31 + page) % 251).expect("small");
        }
        std::fs::write(scene.path("broken.db"), &broken).expect("written");
        let ran = scene.rescind(&verify(&key));
        assert!(!ran.err.contains("panicked"), "page {page}: {}", ran.err);
        if ran.code == 0 {
            // An index or a table that can be made again: every text is as it was.
            assert_eq!(texts(&scene.path("broken.db")).as_ref(), Some(&whole), "page {page}");
        } else {
            assert!([4, 6].contains(&ran.code), "page {page}: {}\n{}\n{}", ran.code, ran.out, ran.err);
            seen += 1;
        }
        // Whatever it is, acting on it is safe: it works, or it says what is wrong and does nothing.
        if page % 4 == 0 {
            std::fs::write(scene.path("ledger.db"), &broken).expect("written");
            // What is broken is a copy from before the last round, and the checkpoint of that round would show it.
            let _ = std::fs::remove_file(scene.path("ledger.db.checkpoint"));
            scene.delete("calls");
            let ran = scene.poll();
            assert!([0, 4].contains(&ran.code), "page {page}: {}\n{}\n{}", ran.code, ran.out, ran.err);
            assert_eq!(scene.calls_of("PutRolePolicy").len(), 0, "page {page}");
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn a_ledger_that_another_process_holds_is_waited_for_and_then_named() {
    let (scene, _, _) = ledger();
    let (thief, _) = scene.theft(SHOP, "mail");
    let holder = Connection::open(scene.path("ledger.db")).expect("a ledger");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    scene.poll().code(4).says("ledger.db");
    thief.is_allowed();
    holder.execute_batch("COMMIT").expect("released");
    drop(holder);
    scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
    thief.is_denied();
}

/// What a later version of rescind may have written.
#[test]
fn a_code_that_this_version_does_not_know_is_an_error_of_its_entry() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.db");
    let text = || "anything".to_owned();
    let alert = Event::Alert { code: AlertCode::NotRevoked, text: text(), what_to_do: text() };
    write(&path, [then(story(), alert)]);
    let connection = Connection::open(&path).expect("a ledger");
    sql(&connection, NO_TRIGGERS);
    sql(
        &connection,
        r#"UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), '"not_revoked"', '"made_up"') AS BLOB)
           WHERE kind = 'alert'"#,
    );
    let reader = Ledger::open(&path).expect("a ledger").reader().expect("a reader");
    let error = reader.alerts_since(Timestamp::MIN).expect_err("unknown");
    assert!(matches!(error, LedgerError::BadEntry { .. }), "{error:?}");
    assert!(error.to_string().contains("\"made_up\""), "{error}");
}
