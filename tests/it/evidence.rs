//! The ledger as evidence: whatever is changed in it is seen.

#![allow(clippy::semicolon_if_nothing_returned)] // one statement each

use crate::scene::{SHOP, Scene};
use crate::screens::Transcript;
use rusqlite::Connection;
use serde_json::json;
use std::path::PathBuf;

/// A ledger with a remediation in it, its latest checkpoint, and its key.
pub fn ledger() -> (Scene, PathBuf, String) {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    scene.run_once();
    let key = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    let kept = scene.path("kept.checkpoint");
    std::fs::copy(scene.path("ledger.db.checkpoint"), &kept).expect("published");
    (scene, kept, key)
}

/// The file, open for somebody who knows how to get around the triggers.
pub fn open(scene: &Scene) -> Connection {
    Connection::open(scene.path("ledger.db")).expect("a ledger")
}

pub const NO_TRIGGERS: &str =
    "DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete; DROP TRIGGER entries_in_order;";

pub fn triggers(connection: &Connection) -> String {
    let sql = "SELECT group_concat(sql, ';;') FROM sqlite_schema WHERE type = 'trigger'";
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
    // Without a key from elsewhere, the ledger's keys are its own word.
    assert_eq!(scene.rescind(&["ledger", "verify", "-o", "json"]).code(0).json_document()["own_word"], true);
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

/// What a tampering is found by.
enum By {
    /// The file alone.
    Itself,
    /// Only by a checkpoint that was kept elsewhere.
    KeptCheckpoint,
}

type Tampering = (&'static str, fn(&Connection, &Scene), By);

pub fn sql(connection: &Connection, sql: &str) {
    connection.execute_batch(sql).expect(sql);
}

/// The tree is built and signed anew, by somebody who has the key.
fn sign_again(connection: &Connection, scene: &Scene) {
    use rescind::ledger::{note::Signer, tree};
    let signer = Signer::load(&scene.path("ledger.key")).expect("the key");
    let mut statement = connection.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
    let mut frontier = tree::Frontier::default();
    for body in statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows") {
        frontier.push(tree::leaf(&body.expect("a body")));
    }
    let note = signer.sign(frontier.size(), &frontier.root());
    sql(connection, "DELETE FROM checkpoints");
    connection
        .execute(
            "INSERT INTO checkpoints VALUES (?1, '2026-11-22T00:00:00.000Z', ?2, x'')",
            (i64::try_from(frontier.size()).expect("small"), note),
        )
        .expect("inserted");
}

/// An entry at the end, whose text, hash and columns fit together.
pub fn forge(connection: &Connection, kind: &str, data: &serde_json::Value) {
    use sha2::Digest;
    let (seq, remediation): (i64, String) = connection
        .query_row("SELECT (SELECT max(seq) + 1 FROM entries), id FROM remediations", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("a remediation");
    let time = "2026-11-22T00:00:00.123Z";
    let body =
        serde_json::json!({"seq": seq, "time": time, "kind": kind, "remediation": remediation, "data": data});
    let body = serde_json_canonicalizer::to_vec(&body).expect("canonical");
    let hash = sha2::Sha256::digest([&[0][..], &body].concat());
    connection
        .execute(
            "INSERT INTO entries (seq, time, kind, remediation, body, leaf_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (seq, time, kind, remediation, body, hash.to_vec()),
        )
        .expect("forged");
}

fn archive_unsigned(connection: &Connection, _: &Scene) {
    forge_archive(connection, None);
}

/// The texts of the remediation are gone, and an entry at the end tells of an archive, in every detail.
pub fn forge_archive(connection: &Connection, signer: Option<&rescind::ledger::note::Signer>) {
    use sha2::Digest;
    let mut statement = connection
        .prepare("SELECT seq, time FROM entries WHERE kind IN ('finding', 'intent', 'proof') ORDER BY seq")
        .expect("entries");
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    let gone: Vec<(i64, String)> = rows.expect("rows").collect::<Result<_, _>>().expect("rows");
    let left: Vec<String> = gone.iter().map(|(seq, time)| format!("{seq} {time}\n")).collect();
    let hash = rescind::digest::hex(&sha2::Sha256::digest(left.concat()));
    let mut data = serde_json::json!({"file": "x", "sha256": "", "before": "2026-11-22T00:00:00Z", "entries": gone.len(),
        "left_sha256": hash, "remediations": []});
    if let Some(signer) = signer {
        let next = "SELECT max(seq) + 1 FROM entries";
        let next: i64 = connection.query_row(next, [], |row| row.get(0)).expect("a number");
        let claim = rescind::digest::sha256(&serde_json_canonicalizer::to_vec(&data).expect("canonical"));
        data["signed"] = signer.claim(next.unsigned_abs(), &claim).into();
    }
    forge(connection, "archive", &data);
    connection
        .execute_batch("UPDATE entries SET remediation = NULL WHERE kind = 'archive'")
        .expect("updated");
    let archive: i64 =
        connection.query_row("SELECT max(seq) FROM entries", [], |row| row.get(0)).expect("a number");
    for (seq, _) in gone {
        let body = format!("{{\"archived\":{archive}}}").into_bytes();
        connection
            .execute("UPDATE entries SET kind = 'archived', body = ?2, remediation = NULL, finding = NULL, account = NULL, region = NULL, principal = NULL WHERE seq = ?1", (seq, body))
            .expect("emptied");
    }
}

fn another() -> rescind::ledger::note::Signer {
    // Of the same log, by name.
    rescind::ledger::note::Signer::generate("rescind/other").expect("random")
}

/// An entry that names the key of somebody else, which the honest service then signs for.
fn forge_key(connection: &Connection) {
    forge(connection, "signing_key", &serde_json::json!({"public_key": another().public().to_string()}));
}

fn sign_with_another(connection: &Connection, scene: &Scene) {
    sign_again(connection, scene);
    let note = another().sign(1_000_000, &[7; 32]);
    connection
        .execute("INSERT INTO checkpoints VALUES (1000000, '2026-11-22T00:00:00.000Z', ?1, x'')", [note])
        .expect("inserted");
}

const CUT: &str =
    "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq > (SELECT max(seq) - 5 FROM entries);
                   DELETE FROM checkpoints WHERE size > (SELECT max(seq) FROM entries);";

const TAMPERINGS: &[Tampering] = &[
    (
        "a bit in a body",
        |c, _| {
            sql(
                c,
                "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'web', 'wed') AS BLOB) WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'finding')",
            )
        },
        By::Itself,
    ),
    (
        "a body and its hash",
        |c, _| {
            sql(
                c,
                "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'i-0123', 'i-0124') AS BLOB) WHERE kind = 'finding'",
            );
            hash_again(c);
        },
        By::Itself,
    ),
    (
        "a time",
        |c, _| sql(c, "UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 9"),
        By::Itself,
    ),
    ("a kind", |c, _| sql(c, "UPDATE entries SET kind = 'call' WHERE kind = 'finding'"), By::Itself),
    (
        "whom it is about",
        |c, _| sql(c, "UPDATE entries SET remediation = NULL WHERE kind = 'intent'"),
        By::Itself,
    ),
    ("a leaf hash", |c, _| sql(c, "UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 9"), By::Itself),
    (
        "the first deleted",
        |c, _| sql(c, "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = 1"),
        By::Itself,
    ),
    (
        "a middle one deleted",
        |c, _| sql(c, "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = 9"),
        By::Itself,
    ),
    (
        "the last deleted",
        |c, _| {
            sql(
                c,
                "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)",
            )
        },
        By::Itself,
    ),
    (
        "all but the first deleted",
        |c, _| sql(c, "PRAGMA foreign_keys = off; DELETE FROM entries WHERE seq > 1"),
        By::Itself,
    ),
    (
        "two exchanged",
        |c, _| {
            sql(c, "CREATE TEMP TABLE t AS SELECT seq, body, leaf_hash FROM entries WHERE seq IN (3, 4);
        UPDATE entries SET body = (SELECT body FROM t WHERE t.seq = 7 - entries.seq), leaf_hash = (SELECT leaf_hash FROM t WHERE t.seq = 7 - entries.seq) WHERE seq IN (3, 4)")
        },
        By::Itself,
    ),
    (
        "one put in and the rest counted on",
        |c, _| {
            sql(c, "PRAGMA foreign_keys = off; UPDATE entries SET seq = seq + 1000000 WHERE seq >= 9; UPDATE entries SET seq = seq - 999999 WHERE seq > 1000000;
        INSERT INTO entries SELECT 9, time, kind, remediation, finding, account, region, principal, body, leaf_hash FROM entries WHERE seq = 8")
        },
        By::Itself,
    ),
    (
        "a number beyond all",
        |c, _| {
            sql(
                c,
                "INSERT INTO entries SELECT 9223372036854775807, time, kind, remediation, finding, account, region, principal, body, leaf_hash FROM entries WHERE seq = 8",
            )
        },
        By::Itself,
    ),
    (
        "a checkpoint forged",
        |c, _| {
            sql(
                c,
                "UPDATE checkpoints SET note = replace(note, char(10) || size || char(10), char(10) || (size - 1) || char(10))",
            )
        },
        By::Itself,
    ),
    (
        "a text taken out as if it were archived",
        |c, _| {
            sql(
                c,
                "UPDATE entries SET kind = 'archived', body = CAST('{\"archived\":999}' AS BLOB), remediation = NULL, finding = NULL, account = NULL, region = NULL, principal = NULL WHERE kind = 'intent'",
            )
        },
        By::Itself,
    ),
    (
        "a step that cannot be",
        |c, _| forge(c, "accepted", &serde_json::json!({"found_in_place": false})),
        By::Itself,
    ),
    ("archived, as an entry at the end says", archive_unsigned, By::Itself),
    ("all checkpoints taken away", |c, _| sql(c, "DELETE FROM checkpoints"), By::Itself),
    (
        "a key of somebody else named, and signed with",
        |c, s| {
            forge_key(c);
            sign_with_another(c, s);
        },
        By::Itself,
    ),
    (
        "a trigger made harmless",
        |c, _| sql(c, "CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries WHEN 0 BEGIN SELECT 1; END"),
        By::Itself,
    ),
    (
        "a trigger that swallows intents",
        |c, _| {
            sql(
                c,
                "CREATE TRIGGER quiet BEFORE INSERT ON entries WHEN NEW.kind = 'intent' BEGIN SELECT RAISE(IGNORE); END",
            )
        },
        By::Itself,
    ),
    (
        "an index that tells otherwise",
        |c, _| {
            sql(
                c,
                "DROP INDEX entries_by_remediation; CREATE INDEX entries_by_remediation ON entries (remediation, seq, body)",
            )
        },
        By::Itself,
    ),
    (
        "a view in the place of the entries",
        |c, _| {
            sql(
                c,
                "PRAGMA foreign_keys = off; PRAGMA legacy_alter_table = on; ALTER TABLE entries RENAME TO real; CREATE VIEW entries AS SELECT * FROM real",
            )
        },
        By::Itself,
    ),
    ("only the triggers dropped", |_, _| (), By::Itself),
    ("the end cut off with its checkpoints", |c, _| sql(c, CUT), By::KeptCheckpoint),
    (
        "the end cut off, and signed again with the key",
        |c, s| {
            sql(c, CUT);
            sign_again(c, s);
        },
        By::KeptCheckpoint,
    ),
    (
        "a body changed, and all signed again with the key",
        |c, s| {
            sql(
                c,
                "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'i-0123', 'i-0124') AS BLOB) WHERE kind = 'finding'",
            );
            hash_again(c);
            sign_again(c, s);
        },
        By::KeptCheckpoint,
    ),
];

#[test]
fn whatever_is_changed_is_seen() {
    let (scene, kept, key) = ledger();
    let kept = kept.to_str().expect("UTF-8");
    let mut screens = Transcript::new(&scene);
    for (number, (what, tamper, by)) in TAMPERINGS.iter().enumerate() {
        let name = format!("{number}.db");
        std::fs::copy(scene.path("ledger.db"), scene.path(&name)).expect("copied");
        let connection = Connection::open(scene.path(&name)).expect("a ledger");
        let before = triggers(&connection);
        sql(&connection, NO_TRIGGERS);
        tamper(&connection, &scene);
        // The traces are wiped away, as far as it goes.
        if *what != "only the triggers dropped" {
            for trigger in before.split(";;") {
                let _ = connection.execute_batch(trigger);
            }
        }
        drop(connection);
        let alone = ["ledger", "verify", "--ledger", &name, "--public-key", &key];
        let ran = scene.rescind(&[&alone[..], &["-o", "json"]].concat());
        let by_itself = matches!(by, By::Itself);
        assert_eq!(ran.code, if by_itself { 6 } else { 0 }, "{what}:\n{}\n{}", ran.out, ran.err);
        // What only a checkpoint from elsewhere tells is named as what cannot be told.
        let not_verified = ran.json_document()["not_verified"].to_string();
        assert!(by_itself || not_verified.contains("--checkpoint"), "{what}: {not_verified}");
        let told = scene.rescind(&[&alone[..], &["--checkpoint", kept, "-o", "json"]].concat()).code(6);
        let problems = told.json_document()["problems"].clone();
        assert_ne!(problems, json!([]), "{what}");
        screens.note(what, &in_kinds(&problems, &scene));
    }
    screens.is("tamperings");
}

/// Each kind of problem once: numbers are another at each run.
fn in_kinds(problems: &serde_json::Value, scene: &Scene) -> String {
    let directory = scene.directory.path().display().to_string();
    let problems = problems.as_array().expect("a list").iter();
    let text = |problem: &serde_json::Value| {
        let text = problem["problem"].as_str().expect("a text").replace(&directory, "[scene]");
        text.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("#")
    };
    problems.map(text).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("\n")
}

/// Evidence is not touched by looking at it.
#[test]
fn looking_leaves_no_trace() {
    let (scene, _, _) = ledger();
    let evidence = scene.path("evidence #1?");
    std::fs::create_dir(&evidence).expect("a directory");
    std::fs::copy(scene.path("ledger.db"), evidence.join("ledger.db")).expect("copied");
    let before = std::fs::metadata(evidence.join("ledger.db")).expect("there").modified().expect("a time");
    scene.rescind(&["ledger", "verify", "--ledger", "evidence #1?/ledger.db"]).code(0);
    let names: Vec<_> =
        std::fs::read_dir(&evidence).expect("there").map(|f| f.expect("a file").file_name()).collect();
    assert_eq!(names, ["ledger.db"]);
    assert_eq!(
        std::fs::metadata(evidence.join("ledger.db")).expect("there").modified().expect("a time"),
        before
    );
}

/// The state of the tree that is kept for speed is not believed: what is signed is what was signed for.
#[test]
fn the_service_does_not_sign_what_somebody_changed() {
    let (scene, kept, key) = ledger();
    let connection = open(&scene);
    let before = triggers(&connection);
    sql(&connection, NO_TRIGGERS);
    sql(
        &connection,
        "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'i-0123', 'i-0124') AS BLOB) WHERE kind = 'finding'",
    );
    hash_again(&connection);
    // The tree of the forged entries, as if it had been signed.
    let mut frontier = rescind::ledger::tree::Frontier::default();
    {
        let mut statement =
            connection.prepare("SELECT leaf_hash FROM entries ORDER BY seq").expect("entries");
        for leaf in statement.query_map([], |row| row.get(0)).expect("rows") {
            frontier.push(leaf.expect("a hash"));
        }
    }
    connection
        .execute(
            "UPDATE checkpoints SET frontier = ?1 WHERE size = (SELECT max(size) FROM checkpoints)",
            [frontier.save()],
        )
        .expect("updated");
    for trigger in before.split(";;") {
        sql(&connection, trigger);
    }
    drop(connection);
    scene.rescind(&["plan"]);
    scene.rescind(&["ledger", "checkpoint"]).code(6);
    // Nor while it works; and it works.
    let (thief, _) = scene.theft(SHOP, "mail");
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1, "seen_before": 1}));
    thief.is_denied();
    assert_eq!(scene.entries_of("alert")[0]["data"]["code"], "ledger_tampered");
    let kept = kept.to_str().expect("UTF-8");
    scene.rescind(&["ledger", "verify", "--checkpoint", kept, "--public-key", &key]).code(6);
}

#[test]
fn a_link_is_followed_to_the_file_that_is_written() {
    let (scene, _, key) = ledger();
    std::fs::create_dir(scene.path("elsewhere")).expect("a directory");
    std::os::unix::fs::symlink(scene.path("ledger.db"), scene.path("elsewhere/link.db")).expect("linked");
    // A change that is in the write-ahead log only.
    let connection = open(&scene);
    sql(&connection, NO_TRIGGERS);
    sql(&connection, "UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 7");
    scene
        .rescind(&["ledger", "verify", "--ledger", "elsewhere/link.db", "--public-key", &key])
        .code(6)
        .says("entry 7");
    drop(connection);
}

#[test]
fn what_is_not_signed_for_yet_is_said() {
    let (scene, kept, key) = ledger();
    let before = scene.entries().len();
    scene.rescind(&["plan"]);
    let after = scene.entries().len();
    let kept = kept.to_str().expect("UTF-8");
    let args = ["ledger", "verify", "--checkpoint", kept, "--public-key", &key];
    scene.rescind(&args).code(0).says(&format!("{} to {after}", before + 1));
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    let told = scene.rescind(&[&args[..], &["-o", "json"]].concat()).code(0).json_document();
    assert_eq!(told["signed"], told["entries"]);
}

#[test]
fn what_is_no_checkpoint_is_the_callers_mistake() {
    let (scene, kept, key) = ledger();
    std::fs::write(scene.path("other"), "hello\n").expect("written");
    scene.rescind(&["ledger", "verify", "--checkpoint", "other"]).code(2).says("other");
    // As it comes out of a mail.
    let note = std::fs::read_to_string(kept).expect("there").replace('\n', "\r\n");
    std::fs::write(scene.path("mailed"), note).expect("written");
    scene.rescind(&["ledger", "verify", "--checkpoint", "mailed", "--public-key", &key]).code(0);
}

#[test]
fn the_first_bad_entry_is_named() {
    let (scene, _, _) = ledger();
    let connection = open(&scene);
    sql(&connection, NO_TRIGGERS);
    sql(&connection, "UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq IN (7, 12)");
    drop(connection);
    scene.rescind(&["ledger", "verify"]).code(6);
    let ran = scene.rescind(&["ledger", "verify", "-o", "json"]).code(6);
    assert_eq!(ran.json()[0]["first_bad_entry"], 7);
}

#[test]
fn an_old_copy_needs_a_checkpoint_from_elsewhere() {
    let (scene, _, key) = ledger();
    std::fs::copy(scene.path("ledger.db"), scene.path("old.db")).expect("copied");
    scene.run_once();
    let newer = scene.path("ledger.db.checkpoint");
    let newer = newer.to_str().expect("UTF-8");
    let old = ["ledger", "verify", "--ledger", "old.db", "--public-key", &key];
    // By itself it is in order, and says what it cannot tell.
    scene.rescind(&old).code(0);
    scene.rescind(&[&old[..], &["--checkpoint", newer]].concat()).code(6);
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
