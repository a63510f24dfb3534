//! One append within a transaction: entries, their hashes, and the tables that are made from them.

use super::hollow::Hollow;
use super::only_if::OnlyIf;
use super::prepared::Prepared;
use super::project::{Projected, SideTable, project, stamp, write_beside};
use super::replayed::{Replayed, What};
use super::tree::{self, Hash};
use super::{LedgerError, schema};
use crate::ident::{AccountId, Region};
use crate::remediation::{Entry, Illegal, State};
use jiff::{Timestamp, Unit};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// The entry's number; none for an occurrence that had been seen before.
pub(super) type Written = Vec<Option<i64>>;

/// Entries that are written together, all or none.
#[derive(Debug)]
pub(super) struct Ready {
    pub entries: Vec<Prepared>,
    pub beside: Vec<SideTable>,
    pub only_if: Option<OnlyIf>,
}

/// A transaction that appends. It knows the last number: within it nobody else writes.
pub(super) struct Appending<'a> {
    transaction: Transaction<'a>,
    path: &'a str,
    last: i64,
    pages: usize,
    /// What was written, for the log; none is kept when there is no log.
    kept: Option<Kept>,
}

/// What a transaction wrote, as the log has it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Number of the first entry.
    pub first: u64,
    /// The entries' canonical JSON.
    pub bodies: Vec<Vec<u8>>,
    /// What was written beside them, as JSON.
    pub beside: Vec<Vec<u8>>,
}

impl<'a> Appending<'a> {
    /// Within `transaction`, which holds the write lock already.
    /// With `keeps`, what is written is kept for the log.
    pub fn begin(transaction: Transaction<'a>, path: &'a str, keeps: bool) -> Result<Self, LedgerError> {
        let last = transaction
            .prepare_cached("SELECT coalesce(max(seq), 0) FROM entries")
            .and_then(|mut s| s.query_row([], |row| row.get(0)))
            .map_err(|error| LedgerError::Sqlite { path: path.to_owned(), error })?;
        let first = u64::try_from(last + 1).unwrap_or_default();
        let kept = keeps.then(|| Kept { first, ..Kept::default() });
        Ok(Self { transaction, path, last, pages: 1, kept })
    }

    /// Path of the ledger's file, for errors.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// What was written so far, for the log.
    pub fn take_kept(&mut self) -> Kept {
        self.kept.take().unwrap_or_default()
    }

    /// The transaction, for what belongs to the entries.
    pub fn connection(&self) -> &Connection {
        &self.transaction
    }

    /// The number of the entry that comes next.
    pub fn next(&self) -> u64 {
        u64::try_from(self.last + 1).unwrap_or_default()
    }

    /// About how many pages of the write-ahead log it takes.
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// All is on disk when it returns.
    pub fn commit(self) -> Result<(), LedgerError> {
        let path = self.path;
        self.transaction.commit().map_err(|error| LedgerError::Sqlite { path: path.to_owned(), error })
    }

    fn sqlite(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::Sqlite { path: self.path.to_owned(), error }
    }

    /// All entries of an append, or none of them: a step that is not allowed undoes its own append
    /// and no other.
    ///
    /// # Errors
    /// The inner error when the append was undone; the outer one when nothing can be written.
    pub fn all(&mut self, ready: &Ready) -> Result<Result<Written, LedgerError>, LedgerError> {
        // Most appends cannot be refused, and a savepoint takes time.
        if ready.only_if.is_none() && !ready.entries.iter().any(Prepared::is_step) {
            return self.each(ready).map(Ok);
        }
        let before = self.last;
        let kept = self.kept.as_ref().map(|kept| (kept.bodies.len(), kept.beside.len()));
        self.run("SAVEPOINT append")?;
        match self.each(ready) {
            Ok(written) => {
                self.run("RELEASE append")?;
                Ok(Ok(written))
            }
            Err(error) => {
                // When SQLite had to give up the whole transaction, there is nothing to go back to.
                if self.run("ROLLBACK TO append").is_err() {
                    return Err(error);
                }
                self.run("RELEASE append")?;
                self.last = before;
                if let (Some(kept), Some((bodies, beside))) = (&mut self.kept, kept) {
                    kept.bodies.truncate(bodies);
                    kept.beside.truncate(beside);
                }
                Ok(Err(error))
            }
        }
    }

    fn run(&self, sql: &str) -> Result<(), LedgerError> {
        let done = self.transaction.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        done.map(|_| ()).map_err(|error| self.sqlite(error))
    }

    fn each(&mut self, ready: &Ready) -> Result<Written, LedgerError> {
        if let Some(only_if) = &ready.only_if {
            self.is_still(only_if, ready.entries.first().map_or("", |entry| entry.event.kind()))?;
        }
        let written = ready.entries.iter().map(|entry| self.one(entry)).collect::<Result<_, _>>()?;
        ready.beside.iter().try_for_each(|beside| self.beside(beside))?;
        Ok(written)
    }

    /// Whether a remediation is still where it was.
    fn is_still(&self, only_if: &OnlyIf, kind: &'static str) -> Result<(), LedgerError> {
        let id = &only_if.remediation;
        let state: Option<State> = self
            .transaction
            .prepare_cached("SELECT state FROM remediations WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(|error| self.sqlite(error))?;
        if state != Some(only_if.state) {
            return Err(Illegal { remediation: id.clone(), from: state, kind }.into());
        }
        if only_if.plan.is_some() {
            let planned: Option<i64> = self
                .transaction
                .prepare_cached("SELECT max(seq) FROM entries WHERE remediation = ?1 AND kind = 'proposed'")
                .and_then(|mut s| s.query_row([id], |row| row.get(0)))
                .map_err(|error| self.sqlite(error))?;
            if planned != only_if.plan {
                return Err(LedgerError::OtherPlan { remediation: id.clone() });
            }
        }
        Ok(())
    }

    /// Writes a row beside the entries.
    pub fn beside(&mut self, beside: &SideTable) -> Result<(), LedgerError> {
        write_beside(&self.transaction, beside).map_err(|error| self.sqlite(error))?;
        self.pages += 1;
        if let Some(kept) = &mut self.kept {
            // All of it is data of ours, which can be JSON.
            kept.beside.push(serde_json::to_vec(beside).unwrap_or_default());
        }
        Ok(())
    }

    /// Appends one entry. None when its occurrence is recorded already.
    pub fn one(&mut self, entry: &Prepared) -> Result<Option<i64>, LedgerError> {
        if let Some(occurrence) = &entry.occurrence {
            let seen = self
                .transaction
                .prepare_cached("SELECT 1 FROM occurrences WHERE occurrence = ?1")
                .and_then(|mut s| s.exists([occurrence]))
                .map_err(|error| self.sqlite(error))?;
            if seen {
                return Ok(None);
            }
        }
        let seq = self.last + 1;
        let time = Timestamp::now().round(Unit::Millisecond).unwrap_or_else(|_| Timestamp::now());
        let body = entry.body(seq, time);
        let Prepared { subject, event, .. } = entry;
        let occurrence = entry.occurrence.as_deref();
        let leaf = tree::leaf(&body);
        self.insert(&Projected { seq, time, subject, event, occurrence }, &body, &leaf)?;
        if let Some(kept) = &mut self.kept {
            kept.bodies.push(body);
        }
        Ok(Some(seq))
    }

    /// Writes an entry that stands in the log.
    ///
    /// # Errors
    /// When it is not the one that comes next, or cannot be read.
    pub fn replay(&mut self, replayed: &Replayed) -> Result<(), LedgerError> {
        let seq = self.last + 1;
        let bad = |error: String| LedgerError::BadEntry { path: self.path.to_owned(), seq, error };
        match &replayed.what {
            What::Entry { entry, .. } if entry.seq != seq => {
                Err(bad(format!("the log has entry {} here", entry.seq)))
            }
            What::Entry { entry, occurrence, leaf } => {
                let Entry { time, subject, event, .. } = &**entry;
                let occurrence = occurrence.as_deref();
                self.insert(&Projected { seq, time: *time, subject, event, occurrence }, &replayed.body, leaf)
            }
            What::Hollow { hollow, .. } if hollow.seq != seq => {
                Err(bad("the log has another entry here".to_owned()))
            }
            What::Hollow { hollow, leaf } => self.insert_hollow(hollow, leaf),
            What::Unreadable(error) => Err(bad(error.clone())),
        }
    }

    fn insert_hollow(&mut self, hollow: &Hollow, leaf: &Hash) -> Result<(), LedgerError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO entries (seq, time, kind, body, leaf_hash) VALUES (?1, ?2, 'archived', ?3, ?4)",
            )
            .and_then(|mut s| {
                s.execute(params![hollow.seq, stamp(hollow.time), hollow.body(), leaf.as_slice()])
            })
            .map_err(|error| self.sqlite(error))?;
        self.last = hollow.seq;
        Ok(())
    }

    fn insert(&mut self, entry: &Projected<'_>, body: &[u8], leaf_hash: &Hash) -> Result<(), LedgerError> {
        let Projected { seq, time, subject, event, .. } = entry;
        self.pages += 2 + body.len() / schema::PAGE;
        let written = self.transaction
            .prepare_cached(
                "INSERT INTO entries (seq, time, kind, remediation, finding, account, region, principal, body, leaf_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    seq,
                    stamp(*time),
                    event.kind(),
                    subject.remediation,
                    subject.finding,
                    subject.account.as_ref().map(AccountId::as_str),
                    subject.region.as_ref().map(Region::as_str),
                    subject.principal,
                    body,
                    leaf_hash.as_slice(),
                ])
            })
            .map_err(|error| self.sqlite(error))?;
        // A trigger that is not ours can ignore what is written.
        if written != 1 {
            return Err(LedgerError::NotTaken { path: self.path.to_owned() });
        }
        project(&self.transaction, entry, self.path)?;
        self.last = *seq;
        Ok(())
    }
}
