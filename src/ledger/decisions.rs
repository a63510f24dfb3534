//! What a report is made from: the decisions of a period in order, and the raw entries of a remediation, both up to
//! a given entry.

use super::project::stamp;
use super::{LedgerError, Reader};
use crate::finding::Finding;
use crate::remediation::{Event, ReasonCode, Selection};
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeMap;

/// An entry as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub struct RawEntry<'a> {
    /// Number of the entry.
    pub seq: i64,
    /// Its time, as the column has it.
    pub time: &'a str,
    /// Kind of the entry, such as `finding` or `decision`.
    pub kind: &'a str,
    /// The canonical JSON of the entry.
    pub body: &'a [u8],
}

/// The entry of a decision, with the columns that a report filters by.
#[derive(Debug, Clone)]
pub struct DecisionRow {
    /// Number of the entry.
    pub seq: i64,
    /// Its time, as the column has it.
    pub time: String,
    /// Id of the affected account.
    pub account: Option<String>,
    /// The remediation that it began.
    pub remediation: Option<String>,
    /// The canonical JSON of the entry.
    pub body: Vec<u8>,
}

/// How much came that no decision is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Findings that are not decided yet.
    pub undecided: u64,
    /// What came and could not be read.
    pub unreadable: u64,
    /// Claims that GuardDuty did not confirm.
    pub unconfirmed: u64,
    /// Entries of the period whose text is in an archive.
    pub archived: u64,
}

/// Number of decisions that are read at once.
const SOME: usize = 200;

/// From when, and until when, as the column has it.
fn period(selection: &Selection) -> (String, String) {
    let from = selection.from.map(stamp).unwrap_or_default();
    // Behind every time there is.
    let to = selection.to.map_or_else(|| "~".to_owned(), stamp);
    (from, to)
}

impl Reader {
    /// The decisions of the selection's period after entry `after` and up to `upto`, some at a time; with
    /// `all` also those that led to no remediation. None are left when it gives none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn some_decisions(
        &self,
        selection: &Selection,
        after: i64,
        upto: i64,
        all: bool,
    ) -> Result<Vec<DecisionRow>, LedgerError> {
        let (from, to) = period(selection);
        let connection = self.connection();
        let sql = "SELECT seq, time, account, remediation, body FROM entries
                   WHERE kind = 'decision' AND kind <> 'call' AND seq > ?1 AND seq <= ?2 AND time >= ?3 AND time < ?4
                   AND (?5 OR remediation IS NOT NULL) ORDER BY seq LIMIT ?6";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let some = i64::try_from(SOME).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![after, upto, from, to, all, some], |row| {
                Ok(DecisionRow {
                    seq: row.get(0)?,
                    time: row.get(1)?,
                    account: row.get(2)?,
                    remediation: row.get(3)?,
                    body: row.get(4)?,
                })
            })
            .map_err(|e| self.sqlite(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// Whether a later decision about the same occurrence is in the selection's period and up to `upto`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_decided_again(
        &self,
        occurrence: &str,
        seq: i64,
        selection: &Selection,
        upto: i64,
    ) -> Result<bool, LedgerError> {
        let (_, to) = period(selection);
        let connection = self.connection();
        let sql = "SELECT EXISTS (SELECT 1 FROM occurrences o JOIN entries e ON e.seq = o.decided
                   WHERE o.occurrence = ?1 AND o.decided > ?2 AND o.decided <= ?3 AND e.time < ?4)";
        connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params![occurrence, seq, upto, to], |row| row.get(0)))
            .map_err(|e| self.sqlite(e))
    }

    /// Shows the finding of an occurrence, and then each entry of the remediation up to `upto`, in
    /// order. `each` must not read from the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn raw_entries(
        &self,
        remediation: &str,
        occurrence: &str,
        upto: i64,
        each: &mut dyn FnMut(RawEntry<'_>),
    ) -> Result<(), LedgerError> {
        let connection = self.connection();
        for (sql, key) in [
            (
                "SELECT e.seq, e.time, e.kind, e.body FROM occurrences o JOIN entries e USING (seq) WHERE o.occurrence = ?1 AND seq <= ?2",
                occurrence,
            ),
            (
                "SELECT seq, time, kind, body FROM entries WHERE remediation = ?1 AND seq <= ?2 ORDER BY seq",
                remediation,
            ),
        ] {
            let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
            let mut rows = statement.query(params![key, upto]).map_err(|e| self.sqlite(e))?;
            while let Some(row) = rows.next().map_err(|e| self.sqlite(e))? {
                let text = |column| row.get_ref(column).map(|value| value.as_str().unwrap_or_default());
                let entry = || {
                    Ok(RawEntry {
                        seq: row.get(0)?,
                        time: text(1)?,
                        kind: text(2)?,
                        body: row.get_ref(3)?.as_blob().unwrap_or_default(),
                    })
                };
                each(entry().map_err(|e| self.sqlite(e))?);
            }
        }
        Ok(())
    }

    /// How many later occurrences a remediation is also for, by decisions up to `upto`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn also_for(&self, remediation: &str, upto: i64) -> Result<u64, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT count(*) FROM occurrences WHERE covered_by = ?1 AND decided <= ?2";
        let count: i64 = connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params![remediation, upto], |row| row.get(0)))
            .map_err(|e| self.sqlite(e))?;
        Ok(count.unsigned_abs())
    }

    /// How many occurrences of each type were skipped since then because no rule was for them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn without_rule_since(&self, since: Timestamp) -> Result<BTreeMap<String, u64>, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT json_extract(CAST(f.body AS TEXT), '$.data.finding.type') AS type, count(*)
                   FROM occurrences o JOIN entries f ON f.seq = o.seq JOIN entries d ON d.seq = o.decided
                   WHERE o.verdict = 'skip' AND d.kind = 'decision' AND d.time >= ?1 AND f.kind = 'finding'
                   AND json_extract(CAST(d.body AS TEXT), '$.data.code') = ?2 GROUP BY type";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map(params![stamp(since), ReasonCode::OtherType.name()], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .map_err(|e| self.sqlite(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// The findings that no rule was for when they were decided, since then, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn findings_without_rule(&self, since: Timestamp) -> Result<Vec<Finding>, LedgerError> {
        let sql = "SELECT f.seq, f.body FROM occurrences o JOIN entries f ON f.seq = o.seq JOIN entries d ON d.seq = o.decided
                   WHERE o.verdict = 'skip' AND d.kind = 'decision' AND d.time >= ?1 AND f.kind = 'finding'
                   AND json_extract(CAST(d.body AS TEXT), '$.data.code') = ?2 ORDER BY f.seq";
        self.findings_of(sql, params![stamp(since), ReasonCode::OtherType.name()])
    }

    /// The type of the finding that an occurrence is of; none when it is in an archive.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn type_of(&self, occurrence: &str) -> Result<Option<String>, LedgerError> {
        Ok(match self.seen(occurrence)?.map(|entry| entry.event) {
            Some(Event::Finding { finding, .. }) => Some(finding.finding_type),
            _ => None,
        })
    }

    /// How much came in the selection's period that no decision is about.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn undecided_counts(&self, selection: &Selection, upto: i64) -> Result<Counted, LedgerError> {
        let (from, to) = period(selection);
        let connection = self.connection();
        let count = |sql: &str| {
            let count = connection
                .query_row(sql, params![from, to, upto], |row| row.get::<_, i64>(0))
                .map_err(|e| self.sqlite(e))?;
            Ok::<_, LedgerError>(count.unsigned_abs())
        };
        Ok(Counted {
            undecided: count(
                "SELECT count(*) FROM occurrences o JOIN entries e USING (seq)
                 WHERE (o.decided IS NULL OR o.decided > ?3) AND e.time >= ?1 AND e.time < ?2 AND seq <= ?3",
            )?,
            unreadable: count(
                "SELECT count(*) FROM entries WHERE kind = 'undecodable' AND kind <> 'call' AND time >= ?1 AND time < ?2 AND seq <= ?3",
            )?,
            unconfirmed: count(
                "SELECT count(*) FROM entries WHERE kind = 'unconfirmed' AND kind <> 'call' AND time >= ?1 AND time < ?2 AND seq <= ?3",
            )?,
            archived: count(
                "SELECT count(*) FROM entries WHERE kind = 'archived' AND kind <> 'call' AND time >= ?1 AND time < ?2 AND seq <= ?3",
            )?,
        })
    }
}
