//! Reading the ledger. A reader never blocks the writer.

use super::project::Cursor;
use super::quarantines::Quarantines;
use super::{LedgerError, schema};
use crate::finding::Finding;
use crate::ident::Region;
use crate::remediation::{Entry, Event};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

/// The ledger, open for reading.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
    path: String,
    quarantines: Mutex<Quarantines>,
}

/// An occurrence and what was decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The entry that recorded it: a finding, or something undecodable.
    pub seen: Entry,
    /// The decision's entry, once there is one.
    pub decision: Option<Entry>,
}

impl Reader {
    /// Opens the ledger at `path` for reading only.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = schema::open_reader(path)?;
        let path = path.display().to_string();
        Ok(Self { connection: Mutex::new(connection), path, quarantines: Mutex::default() })
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is known of quarantines so far.
    pub(super) fn known_quarantines(&self) -> MutexGuard<'_, Quarantines> {
        self.quarantines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn sqlite(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::Sqlite { path: self.path.clone(), error }
    }

    pub(super) fn bad(&self, seq: i64, error: &dyn ToString) -> LedgerError {
        LedgerError::BadEntry { path: self.path.clone(), seq, error: error.to_string() }
    }

    /// There is no remediation with this id.
    pub(super) fn unknown(&self, id: &str) -> LedgerError {
        LedgerError::Unknown { path: self.path.clone(), id: id.to_owned() }
    }

    /// A row of this table cannot be read, and why.
    pub(super) fn bad_row(&self, table: &str, error: &dyn ToString) -> LedgerError {
        let what = format!("a row of the table {table} cannot be read");
        LedgerError::BadRow { path: self.path.clone(), what, error: error.to_string() }
    }

    /// Nothing is signed yet.
    #[must_use]
    pub fn no_checkpoint(&self) -> LedgerError {
        LedgerError::NoCheckpoint { path: self.path.clone() }
    }

    /// Entry `seq` cannot be read, and why.
    #[must_use]
    pub fn bad_entry(&self, seq: i64, error: &str) -> LedgerError {
        self.bad(seq, &error)
    }

    pub(super) fn select(&self, sql: &str, params: impl Params) -> Result<Vec<Entry>, LedgerError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map(params, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .map_err(|e| self.sqlite(e))?;
        rows.map(|row| {
            let (seq, body) = row.map_err(|e| self.sqlite(e))?;
            serde_json::from_slice(&body).map_err(|e| self.bad(seq, &e))
        })
        .collect()
    }

    pub(super) fn column(&self, sql: &str, params: impl Params) -> Result<Vec<String>, LedgerError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map(params, |row| row.get(0)).map_err(|e| self.sqlite(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// Entry number `seq`.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, seq: i64) -> Result<Entry, LedgerError> {
        serde_json::from_slice(&self.body(seq)?).map_err(|error| self.bad(seq, &error))
    }

    /// The number of the last entry; 0 when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last(&self) -> Result<i64, LedgerError> {
        self.connection()
            .query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| row.get(0))
            .map_err(|e| self.sqlite(e))
    }

    /// The time of the last entry; none when there is none. What was the case later, nobody has recorded.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_time(&self) -> Result<Option<Timestamp>, LedgerError> {
        let text = self.column("SELECT time FROM entries ORDER BY seq DESC LIMIT 1", [])?.pop();
        text.map(|text| text.parse().map_err(|e: jiff::Error| self.bad_row("entries", &e))).transpose()
    }

    /// The entries after number `seq`, but for AWS calls, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn since(&self, seq: i64) -> Result<Vec<Entry>, LedgerError> {
        self.select(
            "SELECT seq, body FROM entries WHERE seq > ?1 AND kind NOT IN ('call', 'archived') ORDER BY seq",
            [seq],
        )
    }

    /// What [`Self::since`] gives, entry by entry, in memory of constant size.
    ///
    /// # Errors
    /// When the ledger cannot be read, or `each` fails.
    pub fn each_since<E: From<LedgerError>>(
        &self,
        seq: i64,
        mut each: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut last = seq;
        loop {
            let some = self.select(
                "SELECT seq, body FROM entries WHERE seq > ?1 AND kind NOT IN ('call', 'archived') ORDER BY seq LIMIT 500",
                [last],
            )?;
            let Some(end) = some.last().map(|entry| entry.seq) else { return Ok(()) };
            some.into_iter().try_for_each(&mut each)?;
            last = end;
        }
    }

    /// All entries of a remediation, with those of its finding's decision, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn entries_of(&self, remediation: &str) -> Result<Vec<Entry>, LedgerError> {
        self.select("SELECT seq, body FROM entries WHERE remediation = ?1 ORDER BY seq", [remediation])
    }

    /// How far the feed of a detector has come.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cursor(&self, region: &Region, detector: &str) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT updated_at FROM cursors WHERE region = ?1 AND detector = ?2";
        let text = self.column(sql, params![region.as_str(), detector])?.pop();
        text.map(|text| text.parse().map_err(|e| self.bad(0, &e))).transpose()
    }

    /// How far the feeds of all detectors have come.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cursors(&self) -> Result<Vec<Cursor>, LedgerError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT region, detector, updated_at FROM cursors ORDER BY region, detector")
            .map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })
            .map_err(|e| self.sqlite(e))?;
        rows.map(|row| {
            let (region, detector, updated_at) = row.map_err(|e| self.sqlite(e))?;
            let region = region.parse().map_err(|e| self.bad_row("cursors", &e))?;
            let updated_at = updated_at.parse().map_err(|e: jiff::Error| self.bad_row("cursors", &e))?;
            Ok(Cursor { region, detector, updated_at })
        })
        .collect()
    }

    /// Findings that are recorded and not decided, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn undecided(&self) -> Result<Vec<Finding>, LedgerError> {
        self.findings(
            "SELECT e.seq, e.body FROM occurrences o JOIN entries e USING (seq) WHERE o.decided IS NULL ORDER BY seq",
        )
    }

    /// Findings that were only observed, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn observed(&self) -> Result<Vec<Finding>, LedgerError> {
        self.findings(
            "SELECT e.seq, e.body FROM occurrences o JOIN entries e USING (seq) WHERE o.verdict = 'observe' ORDER BY seq",
        )
    }

    /// The later findings that a remediation takes care of as well, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn attached(&self, remediation: &str) -> Result<Vec<Finding>, LedgerError> {
        let sql = "SELECT e.seq, e.body FROM occurrences o JOIN entries e USING (seq) WHERE o.covered_by = ?1 ORDER BY seq";
        self.findings_of(sql, [remediation])
    }

    /// The access keys that those findings name: each decision about the role asks for them, so they are picked
    /// out without reading whole findings.
    pub(super) fn attached_keys(&self, remediation: &str) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT DISTINCT json_extract(CAST(e.body AS TEXT), '$.data.finding.principal.access_key_id') AS key
                   FROM occurrences o JOIN entries e USING (seq) WHERE o.covered_by = ?1 AND key IS NOT NULL";
        self.column(sql, [remediation])
    }

    fn findings(&self, sql: &str) -> Result<Vec<Finding>, LedgerError> {
        self.findings_of(sql, [])
    }

    pub(super) fn findings_of(&self, sql: &str, params: impl Params) -> Result<Vec<Finding>, LedgerError> {
        let entries = self.select(sql, params)?;
        Ok(entries
            .into_iter()
            .filter_map(|entry| match entry.event {
                Event::Finding { finding, .. } => Some(*finding),
                _ => None,
            })
            .collect())
    }

    /// What was decided about an occurrence, if it was seen.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decided(&self, occurrence: &str) -> Result<Option<Decided>, LedgerError> {
        let seqs: Option<(i64, Option<i64>)> = self
            .connection()
            .prepare_cached("SELECT seq, decided FROM occurrences WHERE occurrence = ?1")
            .and_then(|mut s| s.query_row([occurrence], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(|e| self.sqlite(e))?;
        let Some((seen, decision)) = seqs else { return Ok(None) };
        let decision = decision.filter(|seq| *seq != seen).map(|seq| self.entry(seq)).transpose()?;
        Ok(Some(Decided { seen: self.entry(seen)?, decision }))
    }

    /// The entry that recorded an occurrence.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn seen(&self, occurrence: &str) -> Result<Option<Entry>, LedgerError> {
        let seq: Option<i64> = self
            .connection()
            .prepare_cached("SELECT seq FROM occurrences WHERE occurrence = ?1")
            .and_then(|mut s| s.query_row([occurrence], |row| row.get(0)).optional())
            .map_err(|e| self.sqlite(e))?;
        seq.map(|seq| self.entry(seq)).transpose()
    }

    /// Whether something was decided about an occurrence.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_decided(&self, occurrence: &str) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM occurrences WHERE occurrence = ?1 AND decided IS NOT NULL";
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        statement.exists([occurrence]).map_err(|e| self.sqlite(e))
    }

    /// The occurrences of the finding with this id, or of those whose ids start so, the latest last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn occurrences_of(&self, finding: &str) -> Result<Vec<Decided>, LedgerError> {
        // By the index of findings: of all kinds of entries, these record occurrences.
        let sql = "SELECT seq, body FROM entries
                   WHERE finding >= ?1 AND finding < ?1 || char(1114111) AND kind <> 'call'
                   AND +kind IN ('finding', 'unconfirmed', 'undecodable') ORDER BY seq";
        let seen = self.select(sql, [finding])?;
        let occurrences = seen.iter().filter_map(|entry| entry.event.occurrence());
        occurrences.filter_map(|occurrence| self.decided(&occurrence).transpose()).collect()
    }

    /// Every occurrence with its decision, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decisions(&self) -> Result<Vec<Decided>, LedgerError> {
        let occurrences = self.column(
            "SELECT occurrence FROM occurrences WHERE coalesce(verdict, '') <> 'file' ORDER BY seq",
            [],
        )?;
        occurrences.iter().filter_map(|occurrence| self.decided(occurrence).transpose()).collect()
    }
}
