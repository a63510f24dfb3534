//! Checkpoints: how the tree stands, signed, kept beside the entries and published to a file.

use super::LedgerError;
use super::note::Signer;
use super::project::stamp;
use super::proof::SUBTREE;
use super::tree::{Frontier, Hash};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A checkpoint that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// How many entries it is over.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// The file of the latest checkpoint, beside the ledger.
#[must_use]
pub fn checkpoint_file(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// Makes a checkpoint over all entries; none when there are no new ones since the last.
pub(super) fn make(
    connection: &Connection,
    path: &str,
    signer: &Signer,
) -> Result<Option<Made>, LedgerError> {
    let sqlite = |error| LedgerError::Sqlite { path: path.to_owned(), error };
    let last: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT size, frontier FROM checkpoints ORDER BY size DESC LIMIT 1")
        .and_then(|mut s| s.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(sqlite)?;
    // Other processes append as well, so the leaves are read, not remembered.
    let (last, mut frontier) =
        match last.and_then(|(size, bytes)| Some((size, Frontier::restore(size, &bytes)?))) {
            Some((size, frontier)) => (size, frontier),
            None => (0, Frontier::default()),
        };
    let mut statement = connection
        .prepare_cached("SELECT seq, leaf_hash FROM entries WHERE seq > ?1 ORDER BY seq")
        .map_err(sqlite)?;
    let leaves = statement.query_map([last], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Hash>(1)?)));
    let mut subtree = frontier.behind(SUBTREE);
    for leaf in leaves.map_err(sqlite)? {
        let (seq, hash) = leaf.map_err(sqlite)?;
        if u64::try_from(seq) != Ok(frontier.size() + 1) {
            let error = "an entry before it is missing".to_owned();
            return Err(LedgerError::BadEntry { path: path.to_owned(), seq, error });
        }
        frontier.push(hash);
        subtree.push(hash);
        if subtree.size() == SUBTREE {
            connection
                .prepare_cached("INSERT OR REPLACE INTO subtrees (number, root) VALUES (?1, ?2)")
                .and_then(|mut s| {
                    s.execute(params![(seq - 1) / i64::try_from(SUBTREE).unwrap_or(i64::MAX), subtree.root()])
                })
                .map_err(sqlite)?;
            subtree = Frontier::default();
        }
    }
    if u64::try_from(last) == Ok(frontier.size()) {
        return Ok(None);
    }
    let made = Made { size: frontier.size(), note: signer.sign(frontier.size(), &frontier.root()) };
    connection
        .prepare_cached("INSERT INTO checkpoints (size, time, note, frontier) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| {
            let size = i64::try_from(made.size).unwrap_or(i64::MAX);
            s.execute(params![size, stamp(Timestamp::now()), made.note, frontier.save()])
        })
        .map_err(sqlite)?;
    Ok(Some(made))
}

/// Writes a checkpoint to its file, all of it or nothing.
///
/// # Errors
/// When it cannot be written.
pub fn publish(file: &Path, note: &str) -> std::io::Result<()> {
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
