//! Checkpoints: signed tree heads, stored with the entries and published to a file.

use super::host_signer::{HostSigner, Unsigned};
use super::note::{Checkpoint, PublicKey};
use super::project::CheckpointRow;
use super::proof::SUBTREE;
use super::tree::{self, Frontier, Hash};
use super::trust::{KeySet, named_keys};
use super::{LedgerError, claim};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::{Connection, OptionalExtension, params};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A checkpoint that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// How many entries it is over.
    pub size: u64,
    /// The checkpoint itself: a signed note.
    pub note: String,
}

/// The same as SUBTREE, for entries' numbers.
const CHUNK: i64 = 4096;
const _: () = assert!(CHUNK.cast_unsigned() == SUBTREE);

/// The file of the latest checkpoint, beside the ledger.
#[must_use]
pub fn checkpoint_file(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// Makes a checkpoint over all entries, to be written beside them; none when there are no new ones since the last.
pub(super) fn make(
    connection: &Connection,
    path: &str,
    signer: &HostSigner,
) -> Result<Option<CheckpointRow>, LedgerError> {
    unsigned(connection, path, &signer.public())?.map(|unsigned| signer.sign(unsigned)).transpose()
}

/// What is to be signed with this key; none when there are no new entries since the last checkpoint.
///
/// It has to fit what was signed before: otherwise nothing is signed.
pub(super) fn unsigned(
    connection: &Connection,
    path: &str,
    key: &PublicKey,
) -> Result<Option<Unsigned>, LedgerError> {
    let sqlite = |error| LedgerError::Sqlite { path: path.to_owned(), error };
    let tampered = |seq: i64, what: String| LedgerError::Tampered { path: path.to_owned(), seq, what };
    let keys = keys(connection, key).map_err(sqlite)?;
    // Another host may have rotated the key that this one was given, too.
    if keys.is_retired(key) {
        return Err(LedgerError::NotEndorsed { path: key.to_string() });
    }
    let known = signed(connection, path, &keys)?;
    let entries: i64 = connection
        .query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| row.get(0))
        .map_err(sqlite)?;
    let last = known.last().map_or(0, |checkpoint| checkpoint.size);
    if i64::try_from(last).is_ok_and(|last| last > entries) {
        return Err(tampered(entries, format!("{last} entries were signed, but this is the last one")));
    }
    let frontier = frontier(connection, path, known.last())?;
    let from = i64::try_from(frontier.size()).unwrap_or(i64::MAX);
    let (mut frontier, mut subtree) = (frontier.clone(), frontier.behind(SUBTREE));
    let begun = frontier.size();
    let mut known = known.iter().filter(|checkpoint| checkpoint.size > begun).peekable();
    let mut statement = connection
        .prepare_cached("SELECT seq, kind, body, leaf_hash FROM entries WHERE seq > ?1 ORDER BY seq")
        .map_err(sqlite)?;
    // Other processes append as well, so the entries are read, not remembered.
    let mut rows = statement.query([from]).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let (seq, hash): (i64, Hash) = (row.get(0).map_err(sqlite)?, row.get(3).map_err(sqlite)?);
        if u64::try_from(seq) != Ok(frontier.size() + 1) {
            return Err(tampered(seq, "an entry before it is missing".to_owned()));
        }
        let (kind, body): (String, Vec<u8>) = (row.get(1).map_err(sqlite)?, row.get(2).map_err(sqlite)?);
        if kind != "archived" && tree::leaf(&body) != hash {
            return Err(tampered(seq, "its text was changed: it does not match its hash".to_owned()));
        }
        // Signed entries are not read again, so each archiving needs a signature of its own. A key that nobody signed
        // for accepts what it finds: what the key before it had signed, a verifier checks.
        let size = frontier.size() + 1;
        if kind == "archive" && last > 0 && size > last && !claim::is_claimed(&keys, size, &body) {
            let what = "it says that entries were archived, but no key that this one trusts has signed it";
            return Err(tampered(seq, what.to_owned()));
        }
        frontier.push(hash);
        subtree.push(hash);
        if let Some(before) = known.next_if(|before| before.size == frontier.size())
            && before.root != frontier.root()
        {
            return Err(tampered(
                seq,
                "the entries up to here do not match the signed checkpoint".to_owned(),
            ));
        }
        if subtree.size() == SUBTREE {
            connection
                .prepare_cached("INSERT OR REPLACE INTO subtrees (number, root) VALUES (?1, ?2)")
                .and_then(|mut s| s.execute(params![(seq - 1) / CHUNK, subtree.root()]))
                .map_err(sqlite)?;
            subtree = Frontier::default();
        }
    }
    if last == frontier.size() {
        return Ok(None);
    }
    let (size, root) = (frontier.size(), frontier.root());
    Ok(Some(Unsigned { size, root, frontier: BASE64.encode(frontier.save()) }))
}

/// The keys that this one trusts, itself included.
fn keys(connection: &Connection, key: &PublicKey) -> rusqlite::Result<KeySet> {
    Ok(KeySet::find(std::slice::from_ref(key), &named_keys(connection)?))
}

/// The checkpoints that these keys signed, by size. Others may be anybody's.
fn signed(connection: &Connection, path: &str, keys: &KeySet) -> Result<Vec<Checkpoint>, LedgerError> {
    let sqlite = |error| LedgerError::Sqlite { path: path.to_owned(), error };
    // The latest is enough when it can be gone on from, which is nearly always.
    let latest: Option<(i64, String, Vec<u8>)> = connection
        .prepare_cached("SELECT size, note, frontier FROM checkpoints ORDER BY size DESC LIMIT 1")
        .and_then(|mut s| s.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional())
        .map_err(sqlite)?;
    if let Some((size, note, bytes)) = &latest
        && let Some(checkpoint) = keys.open(note)
        && Frontier::restore(*size, bytes)
            .is_some_and(|f| f.size() == checkpoint.size && f.root() == checkpoint.root)
    {
        return Ok(vec![checkpoint]);
    }
    let mut statement =
        connection.prepare_cached("SELECT note FROM checkpoints ORDER BY size").map_err(sqlite)?;
    let notes = statement.query_map([], |row| row.get::<_, String>(0)).map_err(sqlite)?;
    let mut all = Vec::new();
    for note in notes {
        all.extend(keys.open(&note.map_err(sqlite)?));
    }
    all.sort_by_key(|checkpoint| checkpoint.size);
    all.dedup_by_key(|checkpoint| checkpoint.size);
    Ok(all)
}

/// The tree at the checkpoint that was signed last, if it is kept and is what was signed; or else the
/// empty tree, to begin anew from the first entry.
fn frontier(connection: &Connection, path: &str, last: Option<&Checkpoint>) -> Result<Frontier, LedgerError> {
    let Some(last) = last else { return Ok(Frontier::default()) };
    let size = i64::try_from(last.size).unwrap_or(i64::MAX);
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT frontier FROM checkpoints WHERE size = ?1")
        .and_then(|mut s| s.query_row([size], |row| row.get(0)).optional())
        .map_err(|error| LedgerError::Sqlite { path: path.to_owned(), error })?;
    let kept = bytes.and_then(|bytes| Frontier::restore(size, &bytes));
    Ok(kept.filter(|frontier| frontier.root() == last.root).unwrap_or_default())
}

/// Writes a checkpoint to its file, all of it or nothing. A file there
/// that is not a checkpoint of this ledger (`is_known`) is evidence that the ledger was replaced: it is kept under
/// another name, and reported.
///
/// # Errors
/// When it cannot be written.
pub fn publish(
    file: &Path,
    note: &str,
    is_known: impl FnOnce(&Checkpoint) -> bool,
) -> std::io::Result<Option<PathBuf>> {
    let there = std::fs::read_to_string(file).ok().and_then(|text| Checkpoint::parse(&text));
    let kept = there.filter(|there| !is_known(there)).map(|there| keep(file, &there)).transpose()?;
    write(file, note)?;
    Ok(kept)
}

/// The checkpoints beside a ledger: the latest one's file, and those that were kept as evidence.
#[must_use]
pub fn published(ledger: &Path) -> Vec<PathBuf> {
    let file = checkpoint_file(ledger);
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_kept = |path: &PathBuf| {
        path.file_name().is_some_and(|one| one.to_string_lossy().starts_with(&format!("{name}{KEPT}")))
    };
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut all: Vec<PathBuf> = beside.filter(is_kept).collect();
    all.sort();
    all.extend(Some(file).filter(|file| file.exists()));
    all
}

/// Infix in the name of a checkpoint's file that was kept as evidence.
const KEPT: &str = ".kept-";

fn keep(file: &Path, there: &Checkpoint) -> std::io::Result<PathBuf> {
    let mut kept = file.as_os_str().to_owned();
    let root = crate::digest::hex(there.root.get(..4).unwrap_or_default());
    kept.push(format!("{KEPT}{}-{root}", there.size));
    std::fs::rename(file, &kept)?;
    Ok(kept.into())
}

fn write(file: &Path, note: &str) -> std::io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(format!(".new-{}", std::process::id()));
    let write = || {
        let mut out = std::fs::File::create(&new)?;
        out.write_all(note.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&new, file)
    };
    write().inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
}
