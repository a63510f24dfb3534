//! What somebody with write access to the file, and without the key, does to hide a theft.

use super::forge::{forge, forge_archive, sign_blindly};
use super::{behind_the_triggers, ledger, open, sql, verify};
use crate::scene::{Ran, Scene};
use rescind::ledger::note::Signer;
use serde_json::json;

/// The remediations of a report since yesterday.
fn reported(scene: &Scene) -> usize {
    let yesterday = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24)).to_string();
    let ran = scene.rescind(&["report", "-o", "json", "--from", &yesterday]).code(0);
    ran.json_document()["remediations"].as_array().expect("a list").len()
}

#[test]
fn a_time_in_another_spelling_is_seen() {
    let (scene, kept, key) = ledger();
    assert_eq!(reported(&scene), 1);
    verify(&scene, &kept, &key).code(0);
    let whole = std::fs::read(scene.path("ledger.db")).expect("there");
    for spelling in [
        // Before and behind all that a report's period can be compared with.
        "'+00' || time",
        "'1' || substr(time, 2)",
        "replace(time, 'T', ' ')",
        "replace(time, 'Z', '+00:00')",
        "replace(time, 'Z', '0Z')",
    ] {
        std::fs::write(scene.path("ledger.db"), &whole).expect("as it was");
        behind_the_triggers(&scene, |ledger| {
            sql(ledger, &format!("UPDATE entries SET time = {spelling} WHERE kind = 'decision'"));
        });
        verify(&scene, &kept, &key).code(6);
    }
}

/// An index is filled short, and then its definition is put back.
fn fill_short(scene: &Scene, index: &str, condition: &str) {
    let connection = open(scene);
    let text = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    let made: String = connection.query_row(text, [index], |row| row.get(0)).expect("an index");
    let word = if made.contains("WHERE") { "AND" } else { "WHERE" };
    sql(&connection, &format!("DROP INDEX {index}; {made} {word} {condition}; PRAGMA writable_schema = on"));
    let put_back = "UPDATE sqlite_schema SET sql = ?2 WHERE name = ?1";
    connection.execute(put_back, [index, &made]).expect("put back");
    sql(&connection, "PRAGMA writable_schema = off");
}

#[test]
fn an_index_that_lacks_rows_is_seen_and_made_again() {
    for (index, condition) in
        [("entries_by_kind", "kind <> 'decision'"), ("remediations_by_state", "state <> 'revoked'")]
    {
        let (scene, kept, key) = ledger();
        fill_short(&scene, index, condition);
        // It hides the theft.
        let is_hidden = reported(&scene) == 0
            || scene.rescind(&["list", "--state", "revoked", "-o", "jsonl"]).json().is_empty();
        assert!(is_hidden, "{index}");
        verify(&scene, &kept, &key).code(6).says(index);
        scene.rescind(&["ledger", "backup", "-O", "copy.db"]).code(6).says(index);
        scene.rescind(&["ledger", "rebuild", "--check"]).code(6).says(index);
        assert_eq!(
            scene.rescind(&["ledger", "rebuild", "-o", "jsonl"]).code(6).json_document()["mended"],
            true
        );
        verify(&scene, &kept, &key).code(0);
        scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
        assert_eq!(reported(&scene), 1);
        assert_eq!(scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["state"], "revoked");
    }
}

#[test]
fn the_schema_is_exactly_what_the_migrations_make() {
    let (scene, kept, key) = ledger();
    let whole = std::fs::read(scene.path("ledger.db")).expect("there");
    for (change, wanted) in [
        ("DROP INDEX occurrences_by_cover", "occurrences_by_cover"),
        ("CREATE TABLE more (x)", "more"),
        ("CREATE VIEW seen AS SELECT * FROM entries", "seen"),
        // By the name of one of ours, and built otherwise.
        (
            "DROP INDEX entries_by_finding; CREATE INDEX entries_by_finding ON entries (finding, seq) WHERE finding IS NOT NULL",
            "entries_by_finding",
        ),
        ("PRAGMA user_version = 0", "user_version"),
        ("PRAGMA user_version = -1", "-1"),
    ] {
        std::fs::write(scene.path("ledger.db"), &whole).expect("as it was");
        sql(&open(&scene), change);
        verify(&scene, &kept, &key).code(6).says(wanted);
        if !change.contains("user_version") {
            scene.rescind(&["ledger", "rebuild", "--check"]).code(6).says(wanted);
            let copy = format!("{}.db", change.len());
            scene.rescind(&["ledger", "backup", "-O", &copy]).code(6).says(wanted);
        }
    }
}

/// Whether the entry that records the archive is a problem: nothing else is wrong with it than its signature.
fn is_refused(ran: &Ran, archive: i64) -> bool {
    let verified = ran.json_document();
    verified["problems"].as_array().expect("problems").iter().any(|one| one["entry"] == archive)
}

#[test]
fn an_archive_that_the_key_did_not_sign_for_is_neither_signed_nor_believed() {
    let (scene, kept, key) = ledger();
    let archive = behind_the_triggers(&scene, |ledger| forge_archive(ledger, None));
    // The service does not sign over it,
    scene.rescind(&["ledger", "checkpoint"]).code(6).says(&format!("entry {archive}"));
    // and if a checkpoint is made over it, the texts are not taken for archived.
    let signer = Signer::load(&scene.path("ledger.key")).expect("the key");
    sign_blindly(&open(&scene), &signer);
    assert!(is_refused(&verify(&scene, &kept, &key).code(6), archive));
    assert!(is_refused(&scene.rescind(&["ledger", "verify", "-o", "jsonl"]).code(6), archive));
}

#[test]
fn an_archive_that_another_key_signed_for_is_not_believed() {
    let (scene, kept, key) = ledger();
    let signer = Signer::load(&scene.path("ledger.key")).expect("the key");
    let other = Signer::generate(signer.public().name()).expect("random");
    let archive = behind_the_triggers(&scene, |ledger| {
        // As if it had come before the true one.
        let follows = other.follow(&signer.public());
        forge(
            ledger,
            None,
            "signing_key",
            &json!({"public_key": other.public().to_string(), "follows": follows}),
        );
        let archive = forge_archive(ledger, Some(&other));
        sign_blindly(ledger, &signer);
        archive
    });
    assert!(is_refused(&verify(&scene, &kept, &key).code(6), archive));
    // Who takes the ledger's own word sees what that is worth.
    let verified = scene.rescind(&["ledger", "verify", "-o", "jsonl"]).json_document();
    assert_ne!(verified["unendorsed_keys"], json!([]), "{verified}");
    // The next true key vouches for the one before it, and for no other.
    scene.rescind(&["ledger", "rotate-key"]).code(0);
    let newest = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    let ran = scene.rescind(&["ledger", "verify", "--public-key", &newest, "-o", "jsonl"]).code(6);
    assert!(is_refused(&ran, archive));
}

/// What the true key signs for is believed, so the tests above are about nothing else.
#[test]
fn an_archive_that_the_key_signed_for_is_believed() {
    let (scene, kept, key) = ledger();
    let signer = Signer::load(&scene.path("ledger.key")).expect("the key");
    let archive = behind_the_triggers(&scene, |ledger| {
        let archive = forge_archive(ledger, Some(&signer));
        sign_blindly(ledger, &signer);
        archive
    });
    assert!(!is_refused(&verify(&scene, &kept, &key), archive));
}
