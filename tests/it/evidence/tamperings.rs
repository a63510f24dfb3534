//! Whatever is changed in the file is seen, by the file alone or by a checkpoint that was kept elsewhere.

use super::forge::{
    ANOTHER_INSTANCE, forge_archive, forge_key, forge_step, hash_again, sign_again, sign_with_another,
};
use super::{NO_TRIGGERS, ledger, sql, triggers};
use crate::scene::Scene;
use crate::screens::Transcript;
use rescind::ledger::note::Signer;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How a ledger is tampered with.
enum Tamper {
    Sql(&'static str),
    /// By somebody who has the key.
    Signed(fn(&Connection, &Signer)),
    Forged(fn(&Connection)),
}
use Tamper::{Forged, Signed, Sql};

/// What a tampering is found by.
enum By {
    /// The file alone.
    Itself,
    /// Only by a checkpoint that was kept elsewhere.
    KeptCheckpoint,
}
use By::{Itself, KeptCheckpoint};

const TRIGGERS_DROPPED: &str = "only the triggers dropped";

const CUT: &str =
    "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq > (SELECT max(seq) - 5 FROM entries);
     DELETE FROM checkpoints WHERE size > (SELECT max(seq) FROM entries);";

#[rustfmt::skip] // One statement a line.
const TAMPERINGS: &[(&str, Tamper, By)] = &[
    ("a bit in a body", Sql("UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'web', 'wed') AS BLOB) WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'finding')"), Itself),
    ("a body and its hash", Forged(|ledger| {
        sql(ledger, ANOTHER_INSTANCE);
        hash_again(ledger);
    }), Itself),
    ("a time", Sql("UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 9"), Itself),
    ("a kind", Sql("UPDATE entries SET kind = 'call' WHERE kind = 'finding'"), Itself),
    ("whom it is about", Sql("UPDATE entries SET remediation = NULL WHERE kind = 'intent'"), Itself),
    ("a leaf hash", Sql("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 9"), Itself),
    ("the first deleted", Sql("PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = 1"), Itself),
    ("a middle one deleted", Sql("PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = 9"), Itself),
    ("the last deleted", Sql("PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)"), Itself),
    ("all but the first deleted", Sql("PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq > 1"), Itself),
    ("two exchanged", Sql("CREATE TEMP TABLE t AS SELECT seq, body, leaf_hash FROM entries WHERE seq IN (3, 4);
        UPDATE entries SET body = (SELECT body FROM t WHERE t.seq = 7 - entries.seq), leaf_hash = (SELECT leaf_hash FROM t WHERE t.seq = 7 - entries.seq) WHERE seq IN (3, 4)"), Itself),
    ("one put in and the rest counted on", Sql("PRAGMA foreign_keys = off; UPDATE entries SET seq = seq + 1000000 WHERE seq >= 9; UPDATE entries SET seq = seq - 999999 WHERE seq > 1000000;
        INSERT INTO entries SELECT 9, time, kind, remediation, finding, account, region, principal, body, leaf_hash FROM entries WHERE seq = 8"), Itself),
    ("a number beyond all", Sql("INSERT INTO entries SELECT 9223372036854775807, time, kind, remediation, finding, account, region, principal, body, leaf_hash FROM entries WHERE seq = 8"), Itself),
    ("a checkpoint forged", Sql("UPDATE checkpoints SET note = replace(note, char(10) || size || char(10), char(10) || (size - 1) || char(10))"), Itself),
    // Who looks for the latest one finds another.
    ("a checkpoint under another number", Sql("UPDATE checkpoints SET size = size + 1000 WHERE size = (SELECT min(size) FROM checkpoints)"), Itself),
    ("a text taken out as if it were archived", Sql("UPDATE entries SET kind = 'archived', body = CAST('{\"archived\":999}' AS BLOB), remediation = NULL, finding = NULL, account = NULL, region = NULL, principal = NULL WHERE kind = 'intent'"), Itself),
    ("a step that cannot be", Forged(forge_step), Itself),
    ("archived, as an entry at the end says", Forged(|ledger| {
        forge_archive(ledger, None);
    }), Itself),
    ("all checkpoints taken away", Sql("DELETE FROM checkpoints"), Itself),
    ("a key of somebody else named, and signed with", Signed(|ledger, signer| {
        forge_key(ledger);
        sign_again(ledger, signer);
        sign_with_another(ledger);
    }), Itself),
    ("a trigger made harmless", Sql("CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries WHEN 0 BEGIN SELECT 1; END"), Itself),
    ("a trigger that swallows intents", Sql("CREATE TRIGGER quiet BEFORE INSERT ON entries WHEN NEW.kind = 'intent' BEGIN SELECT RAISE(IGNORE); END"), Itself),
    ("an index of another order", Sql("DROP INDEX entries_by_remediation; CREATE INDEX entries_by_remediation ON entries (remediation, seq, body)"), Itself),
    ("a view in the place of the entries", Sql("PRAGMA foreign_keys = off; PRAGMA legacy_alter_table = on; ALTER TABLE entries RENAME TO real; CREATE VIEW entries AS SELECT * FROM real"), Itself),
    (TRIGGERS_DROPPED, Sql(""), Itself),
    ("the end cut off with its checkpoints", Sql(CUT), KeptCheckpoint),
    ("the end cut off, and signed again with the key", Signed(|ledger, signer| {
        sql(ledger, CUT);
        sign_again(ledger, signer);
    }), KeptCheckpoint),
    ("a body changed, and all signed again with the key", Signed(|ledger, signer| {
        sql(ledger, ANOTHER_INSTANCE);
        hash_again(ledger);
        sign_again(ledger, signer);
    }), KeptCheckpoint),
];

#[test]
fn whatever_is_changed_is_seen() {
    let (scene, kept, key) = ledger();
    let kept = kept.to_str().expect("UTF-8");
    let signer = Signer::load(&scene.path("ledger.key")).expect("the key");
    let mut screens = Transcript::new(&scene);
    for (number, (what, tamper, by)) in TAMPERINGS.iter().enumerate() {
        let name = format!("{number}.db");
        std::fs::copy(scene.path("ledger.db"), scene.path(&name)).expect("copied");
        let connection = Connection::open(scene.path(&name)).expect("a ledger");
        let before = triggers(&connection);
        sql(&connection, NO_TRIGGERS);
        match tamper {
            Sql(text) => sql(&connection, text),
            Forged(forge) => forge(&connection),
            Signed(forge) => forge(&connection, &signer),
        }
        // The traces are wiped away, as far as it goes.
        for trigger in before.iter().filter(|_| *what != TRIGGERS_DROPPED) {
            let _ = connection.execute_batch(trigger);
        }
        drop(connection);
        let alone = ["ledger", "verify", "--ledger", &name, "--public-key", &key, "-o", "jsonl"];
        let ran = scene.rescind(&alone);
        let by_itself = matches!(by, Itself);
        assert_eq!(ran.code, if by_itself { 6 } else { 0 }, "{what}:\n{}\n{}", ran.out, ran.err);
        // What only a checkpoint from elsewhere shows is named as not verified.
        let not_verified = ran.json_document()["not_verified"].to_string();
        assert!(by_itself || not_verified.contains("--checkpoint"), "{what}: {not_verified}");
        let compared = scene.rescind(&[&alone[..], &["--checkpoint", kept]].concat()).code(6).json_document();
        assert_ne!(compared["problems"], json!([]), "{what}");
        screens.note(what, &in_kinds(&compared["problems"], &scene));
    }
    screens.is("tamperings");
}

/// Each kind of problem once: numbers are another at each run.
fn in_kinds(problems: &Value, scene: &Scene) -> String {
    let directory = scene.directory.path().display().to_string();
    let text = |problem: &Value| {
        let text = problem["problem"].as_str().expect("a text").replace(&directory, "[scene]");
        text.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("#")
    };
    let kinds: BTreeSet<String> = problems.as_array().expect("a list").iter().map(text).collect();
    Vec::from_iter(kinds).join("\n")
}
