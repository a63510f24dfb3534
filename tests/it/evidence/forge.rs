//! What somebody writes into the file to hide what they did.

use super::sql;
use rescind::ledger::note::Signer;
use rescind::ledger::tree::Frontier;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Another instance is named, and the text still fits its entry.
pub const ANOTHER_INSTANCE: &str = "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'i-0123', 'i-0124') AS BLOB) WHERE kind = 'finding'";

fn leaf_hash(body: &[u8]) -> Vec<u8> {
    Sha256::new_with_prefix([0]).chain_update(body).finalize().to_vec()
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).expect(sql)
}

/// Makes the findings' hashes fit their texts again.
pub fn hash_again(connection: &Connection) {
    let mut statement =
        connection.prepare("SELECT seq, body FROM entries WHERE kind = 'finding'").expect("entries");
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    for row in rows.expect("rows") {
        let (seq, body) = row.expect("a row");
        let set = "UPDATE entries SET leaf_hash = ?2 WHERE seq = ?1";
        connection.execute(set, (seq, leaf_hash(&body))).expect("updated");
    }
}

/// The tree over the hashes that stand there.
pub fn frontier(connection: &Connection) -> Frontier {
    let mut statement = connection.prepare("SELECT leaf_hash FROM entries ORDER BY seq").expect("entries");
    let mut frontier = Frontier::default();
    for leaf in statement.query_map([], |row| row.get(0)).expect("rows") {
        frontier.push(leaf.expect("a hash"));
    }
    frontier
}

/// A checkpoint over what the file has, as a service makes it that does not look twice.
pub fn sign_blindly(connection: &Connection, signer: &Signer) {
    let frontier = frontier(connection);
    let note = signer.sign(frontier.size(), &frontier.root());
    checkpoint(connection, frontier.size(), &note, &frontier.save());
}

/// The same, and nothing is left of the checkpoints before.
pub fn sign_again(connection: &Connection, signer: &Signer) {
    sql(connection, "DELETE FROM checkpoints");
    sign_blindly(connection, signer);
}

/// A checkpoint far ahead, by a key that is not the ledger's.
pub fn sign_with_another(connection: &Connection) {
    checkpoint(connection, 1_000_000, &another().sign(1_000_000, &[7; 32]), &[]);
}

fn checkpoint(connection: &Connection, size: u64, note: &str, frontier: &[u8]) {
    let insert = "INSERT INTO checkpoints VALUES (?1, '2026-11-22T00:00:00.000Z', ?2, ?3)";
    let size = i64::try_from(size).expect("small");
    connection.execute(insert, (size, note, frontier)).expect("inserted");
}

fn another() -> Signer {
    Signer::generate("rescind/other").expect("random")
}

/// An entry that names the key of somebody else.
pub fn forge_key(connection: &Connection) {
    forge(connection, None, "signing_key", &json!({"public_key": another().public().to_string()}));
}

/// A step of the remediation that cannot come after the others.
pub fn forge_step(connection: &Connection) {
    let id: String =
        connection.query_row("SELECT id FROM remediations", [], |row| row.get(0)).expect("a remediation");
    forge(connection, Some(&id), "accepted", &json!({"found_in_place": false}));
}

/// An entry at the end, whose text, hash and columns fit together: its number.
pub fn forge(connection: &Connection, remediation: Option<&str>, kind: &str, data: &Value) -> i64 {
    let seq = number(connection, "SELECT max(seq) + 1 FROM entries");
    let time = "2026-11-22T00:00:00.123Z";
    let mut body = json!({"seq": seq, "time": time, "kind": kind, "data": data});
    if let Some(remediation) = remediation {
        body["remediation"] = remediation.into();
    }
    let body = serde_json_canonicalizer::to_vec(&body).expect("canonical");
    let hash = leaf_hash(&body);
    let insert =
        "INSERT INTO entries (seq, time, kind, remediation, body, leaf_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.execute(insert, (seq, time, kind, remediation, body, hash)).expect("forged");
    seq
}

/// The texts of the remediation are gone, and an entry at the end records an archive, in every detail: its number.
pub fn forge_archive(connection: &Connection, signer: Option<&Signer>) -> i64 {
    let select = "SELECT seq, time FROM entries WHERE kind IN ('finding', 'intent', 'proof') ORDER BY seq";
    let mut statement = connection.prepare(select).expect("entries");
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    let gone: Vec<(i64, String)> = rows.expect("rows").collect::<Result<_, _>>().expect("rows");
    let left: Vec<String> = gone.iter().map(|(seq, time)| format!("{seq} {time}\n")).collect();
    let mut data = json!({"file": "x", "sha256": "", "before": "2026-11-22T00:00:00Z", "entries": gone.len(),
        "left_sha256": rescind::digest::sha256(left.concat().as_bytes()), "remediations": []});
    if let Some(signer) = signer {
        let next = number(connection, "SELECT max(seq) + 1 FROM entries");
        let claim = rescind::digest::sha256(&serde_json_canonicalizer::to_vec(&data).expect("canonical"));
        data["signed"] = signer.claim(next.unsigned_abs(), &claim).into();
    }
    let archive = forge(connection, None, "archive", &data);
    for (seq, _) in gone {
        let empty = "UPDATE entries SET kind = 'archived', body = ?2, remediation = NULL, finding = NULL, account = NULL, region = NULL, principal = NULL WHERE seq = ?1";
        let body = format!("{{\"archived\":{archive}}}").into_bytes();
        connection.execute(empty, (seq, body)).expect("emptied");
    }
    archive
}
