//! The tables that are made from the entries, made again from them.

use super::entry::Entry;
use super::project::{Recorded, project};
use super::{LedgerError, Reader, schema};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// The tables that are made from the entries, in the order in which they refer to each other.
const TABLES: [&str; 3] = ["occurrences", "remediations", "watched"];

/// A table that was not what its entries make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// How many rows it has that the entries do not give, or give otherwise.
    pub wrong: i64,
    /// How many rows the entries give that it has not, or has otherwise.
    pub missing: i64,
}

/// Replays all entries of the ledger at `path` and compares what comes of it with the tables there.
/// Where they differ, and `mend` says so, what was replayed takes their place.
///
/// # Errors
/// When an entry cannot be read or cannot follow the one before it, or the ledger not be written.
pub fn rebuild(path: &Path, mend: bool) -> Result<Vec<Difference>, LedgerError> {
    let shown = path.display().to_string();
    let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
    let reader = Reader::open(path)?;
    let scratch = Scratch::beside(path);
    let fresh = schema::open_writer(&scratch.0)?;
    fresh.execute_batch("PRAGMA synchronous = off; PRAGMA foreign_keys = off; BEGIN").map_err(sqlite)?;
    reader.replay(&mut |entry| {
        let occurrence = entry.event.occurrence();
        let Entry { seq, time, subject, event } = entry;
        let occurrence = occurrence.as_deref();
        project(&fresh, &Recorded { seq: *seq, time: *time, subject, event, occurrence }, &shown)
    })?;
    fresh.execute_batch("COMMIT").map_err(sqlite)?;
    drop(fresh);

    let mut ledger = schema::open_writer(path)?;
    let attached = scratch.0.to_string_lossy().into_owned();
    ledger.execute("ATTACH DATABASE ?1 AS fresh", [attached]).map_err(sqlite)?;
    ledger.pragma_update(None, "foreign_keys", false).map_err(sqlite)?;
    let transaction = ledger.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    let mut differences = Vec::new();
    for table in TABLES {
        let wrong = rows_only_in(&transaction, "main", "fresh", table).map_err(sqlite)?;
        let missing = rows_only_in(&transaction, "fresh", "main", table).map_err(sqlite)?;
        if wrong + missing > 0 {
            differences.push(Difference { table, wrong, missing });
        }
    }
    if mend && !differences.is_empty() {
        for table in TABLES {
            let sql =
                format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM fresh.{table}");
            transaction.execute_batch(&sql).map_err(sqlite)?;
        }
    }
    transaction.commit().map_err(sqlite)?;
    Ok(differences)
}

fn rows_only_in(connection: &Connection, here: &str, there: &str, table: &str) -> rusqlite::Result<i64> {
    let sql =
        format!("SELECT count(*) FROM (SELECT * FROM {here}.{table} EXCEPT SELECT * FROM {there}.{table})");
    connection.query_row(&sql, [], |row| row.get(0))
}

/// A file that is gone when it is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    /// Beside the ledger, where there is room for one like it.
    fn beside(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".rebuild-{}", std::process::id()));
        let name = std::path::PathBuf::from(name);
        // One that an interrupted rebuild left would have rows already.
        drop(Self(name.clone()));
        Self(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    }
}

impl Reader {
    /// Every entry that is not in an archive, in order, one at a time.
    ///
    /// # Errors
    /// When one cannot be read, or `take` gives an error.
    fn replay(&self, take: &mut dyn FnMut(&Entry) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT seq, body FROM entries WHERE kind <> 'archived' ORDER BY seq")
            .map_err(|e| self.sqlite(e))?;
        let mut rows = statement.query([]).map_err(|e| self.sqlite(e))?;
        while let Some(row) = rows.next().map_err(|e| self.sqlite(e))? {
            let (seq, body): (i64, Vec<u8>) =
                row.get(0).and_then(|seq| Ok((seq, row.get(1)?))).map_err(|e| self.sqlite(e))?;
            take(&serde_json::from_slice(&body).map_err(|error| self.bad(seq, &error))?)?;
        }
        Ok(())
    }
}
