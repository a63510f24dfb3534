//! The names of the logs that a file says it is.

use super::file::LedgerFile;
use crate::ledger::note::Checkpoint;
use crate::ledger::trust::named_keys;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::Path;

/// The names that the keys and the checkpoints of a ledger have: one, unless somebody changed it. None of a file that
/// cannot be read.
#[must_use]
pub fn logs_of(path: &Path) -> BTreeSet<String> {
    LedgerFile::new(path).open().and_then(|connection| names(&connection)).unwrap_or_default()
}

fn names(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut names: BTreeSet<String> =
        named_keys(connection)?.into_iter().map(|named| named.key.name().to_owned()).collect();
    let mut statement = connection.prepare("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1000")?;
    let notes = statement.query_map([], |row| row.get::<_, String>(0))?;
    for note in notes {
        names.extend(Checkpoint::parse(&note?).map(|checkpoint| checkpoint.origin));
    }
    Ok(names)
}
