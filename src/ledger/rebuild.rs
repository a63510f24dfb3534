//! Rebuilds the tables that are made from the entries.

use super::project::{Projected, project};
use super::proof::SUBTREE;
use super::tree::{Frontier, Leaves};
use super::{LedgerError, Reader, schema};
use crate::remediation::Entry;
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::Path;

/// The tables that are made from the entries, in the order in which they refer to each other.
const TABLES: [&str; 4] = ["occurrences", "remediations", "watched", "subtrees"];

/// A table that was not what its entries make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the table.
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
    for _ in 0..TRIES {
        if let Some(differences) = try_rebuild(path, mend)? {
            return Ok(differences);
        }
    }
    Err(LedgerError::Busy { path: path.display().to_string(), what: "it is being written to all the time" })
}

/// Makes all indexes of the ledger at `path` again, from the tables.
///
/// # Errors
/// When the ledger cannot be written.
pub fn reindex(path: &Path) -> Result<(), LedgerError> {
    let connection = schema::open_writer(path)?;
    connection
        .execute_batch("REINDEX")
        .map_err(|error| LedgerError::Sqlite { path: path.display().to_string(), error })
}

/// Number of attempts at a ledger that is written to while it is replayed.
const TRIES: usize = 5;

/// None when somebody wrote to it meanwhile.
fn try_rebuild(path: &Path, mend: bool) -> Result<Option<Vec<Difference>>, LedgerError> {
    let shown = path.display().to_string();
    let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
    let reader = Reader::open(path)?;
    let before = extent(&reader.connection()).map_err(sqlite)?;
    let scratch = Scratch::beside(path);
    let fresh = schema::open_writer(&scratch.0)?;
    fresh.execute_batch("PRAGMA synchronous = off; PRAGMA foreign_keys = off; BEGIN").map_err(sqlite)?;
    reader.replay(&mut |entry| {
        let occurrence = entry.event.occurrence();
        let Entry { seq, time, subject, event } = entry;
        let occurrence = occurrence.as_deref();
        project(&fresh, &Projected { seq: *seq, time: *time, subject, event, occurrence }, &shown)
    })?;
    reader.replay_subtrees(&fresh)?;
    fresh.execute_batch("COMMIT").map_err(sqlite)?;
    drop(fresh);

    let mut ledger = schema::open_writer(path)?;
    let attached = scratch.0.to_string_lossy().into_owned();
    ledger.execute("ATTACH DATABASE ?1 AS fresh", [attached]).map_err(sqlite)?;
    ledger.pragma_update(None, "foreign_keys", false).map_err(sqlite)?;
    let transaction = ledger.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    if extent(&transaction).map_err(sqlite)? != before {
        return Ok(None);
    }
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
    Ok(Some(differences))
}

/// The last entry, and how many are in archives: whatever is written changes one of them.
fn extent(connection: &Connection) -> rusqlite::Result<(Option<i64>, i64)> {
    connection.query_row(
        "SELECT (SELECT max(seq) FROM entries), (SELECT count(*) FROM entries WHERE kind = 'archived' AND kind <> 'call')",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
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
    /// The roots that are kept, from the leaves: as many as there are.
    fn replay_subtrees(&self, fresh: &Connection) -> Result<(), LedgerError> {
        let numbers: Vec<i64> = {
            let connection = self.connection();
            let mut statement = connection
                .prepare("SELECT number FROM subtrees WHERE number < (SELECT max(seq) FROM entries) / ?1")
                .map_err(|e| self.sqlite(e))?;
            let rows =
                statement.query_map([SUBTREE.cast_signed()], |row| row.get(0)).map_err(|e| self.sqlite(e))?;
            rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))?
        };
        for number in numbers {
            let mut frontier = Frontier::default();
            self.each(number.cast_unsigned() * SUBTREE, SUBTREE, &mut |leaf| frontier.push(leaf))?;
            fresh
                .execute("INSERT INTO subtrees VALUES (?1, ?2)", params![number, frontier.root()])
                .map_err(|e| self.sqlite(e))?;
        }
        Ok(())
    }

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
