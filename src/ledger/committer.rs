//! Commits: to the log first, when there is one, and then to SQLite.

use super::append::Appending;
use super::logged::{Log, Role, Settled};
use super::position::{move_to, position};
use super::project::SideTable;
use super::reading::{Reading, Stretch, Unpacked};
use super::{LedgerError, schema};
use crate::log::{Group, Lease, Tail};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Number of pages in the write-ahead log from which on it is folded while much is read from the log: each look for a
/// page takes the longer the more there are.
const FOLDED: usize = 10_000;

/// Size of SQLite's page cache in KiB while much is read from the log: entries of many remediations come in turn.
const CACHE: i64 = 64 << 10;

/// Its size otherwise, which is SQLite's default.
const LITTLE_CACHE: i64 = 2_000;

/// One connection that writes, and the log before it.
pub(super) struct Committer {
    pub connection: Connection,
    path: String,
    log: Option<(Log, Role)>,
    /// About how many pages of the write-ahead log are not folded into the file, those of a process that was
    /// killed before included.
    pub unfolded: usize,
}

/// Where the log ends, seen from a file that is at `base`: behind it there may be a group that nobody finished.
struct Ahead {
    base: u64,
    tail: Tail,
}

impl Committer {
    /// Opens the ledger's file, and reads what the log has and the file has not.
    ///
    /// # Errors
    /// When the file cannot be used, is not of this log, or the log was given up.
    pub fn open(path: &Path, log: Option<(Log, Role)>) -> Result<Self, LedgerError> {
        let connection = schema::open_writer(path)?;
        let shown = path.display().to_string();
        let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
        connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sqlite)?;
        let before = position(&connection).map_err(sqlite)?;
        let unfolded = schema::log_pages(path);
        let mut committer = Self { connection, path: shown.clone(), log, unfolded };
        match (&committer.log, before) {
            (None, None) => return Ok(committer),
            (None, Some(_)) => return Err(LedgerError::HasLog { path: shown }),
            (Some(_), Some(_)) => {}
            (Some(_), None) => {
                let sql = "SELECT EXISTS (SELECT 1 FROM entries)";
                if committer.connection.query_row(sql, [], |row| row.get(0)).map_err(sqlite)? {
                    return Err(LedgerError::NotPublished { path: shown });
                }
                move_to(&committer.connection, &Tail::default()).map_err(sqlite)?;
            }
        }
        // What a host loses of its file stands in the log.
        committer.connection.pragma_update(None, "synchronous", "normal").map_err(sqlite)?;
        committer.see_that_it_is_of_this_log()?;
        committer.catch_up()?;
        Ok(committer)
    }

    /// Moves pages of the write-ahead log into the file. What cannot be moved now, because somebody reads what
    /// was there before, stays in the log, and is as durable there.
    pub fn fold(&mut self, how: &str) {
        let sql = format!("PRAGMA wal_checkpoint({how})");
        let left =
            self.connection.query_row(&sql, [], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?));
        match left {
            Ok(left) => self.unfolded = usize::try_from(left).unwrap_or_default(),
            Err(error) => tracing::debug!(%error, "the write-ahead log was left beside the ledger"),
        }
    }

    /// How long another process that writes is waited for.
    pub fn wait_for_others(&self, longest: Duration) {
        let _ = self.connection.busy_timeout(longest);
    }

    fn sqlite(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::Sqlite { path: self.path.clone(), error }
    }

    /// What stands in the log where the file's position is, is what the file was made from.
    fn see_that_it_is_of_this_log(&self) -> Result<(), LedgerError> {
        let (Some((log, _)), Some(at)) =
            (&self.log, position(&self.connection).map_err(|error| self.sqlite(error))?)
        else {
            return Ok(());
        };
        if at.position == 0 {
            return Ok(());
        }
        let there = log.read_on(at.position, 1)?;
        if there.first().is_some_and(|item| item.hash() == at.hash) {
            return Ok(());
        }
        let what = format!(
            "the log does not have at position {} what this file was made from: it is of another log, or the log was changed",
            at.position
        );
        Err(LedgerError::Diverged { path: self.path.clone(), what })
    }

    /// Runs `fill` in a transaction that is in the log before it is committed.
    ///
    /// # Errors
    /// When nothing of it was written; or, when SQLite fails behind the log, what was written stands in the log alone.
    pub fn commit<R>(
        &mut self,
        mut fill: impl FnMut(&mut Appending<'_>) -> Result<R, LedgerError>,
    ) -> Result<R, LedgerError> {
        let Some((log, role)) = self.log.clone() else { return self.commit_alone(fill) };
        self.commit_logged(&log, &mut fill, |tail| match role {
            Role::Guest => Ok(tail.epoch),
            Role::Leader { epoch } if tail.epoch <= epoch => Ok(epoch),
            Role::Leader { .. } => Err(LedgerError::Deposed { epoch: tail.epoch }),
        })
    }

    /// The same as a guest, whoever leads.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_as_guest<R>(
        &mut self,
        mut fill: impl FnMut(&mut Appending<'_>) -> Result<R, LedgerError>,
    ) -> Result<R, LedgerError> {
        let Some((log, _)) = self.log.clone() else { return self.commit_alone(fill) };
        self.commit_logged(&log, &mut fill, |tail| Ok(tail.epoch))
    }

    /// The same as the first of a new leadership, which is this process's from then on.
    ///
    /// # Errors
    /// As [`Self::commit`]; [`LedgerError::Deposed`] when another was faster.
    pub fn lead<R>(
        &mut self,
        after: Option<&Lease>,
        still: Option<u64>,
        mut fill: impl FnMut(&mut Appending<'_>, u64) -> Result<R, LedgerError>,
    ) -> Result<u64, LedgerError> {
        let Some((log, _)) = self.log.clone() else { return Ok(0) };
        let tail = self.catch_up()?;
        if let Some(lease) = after.filter(|lease| lease.position > tail.position || lease.epoch > tail.epoch)
        {
            let what = format!(
                "the log ends at position {} under leadership {}, and its lease is of {} under {}: items are missing, or somebody changed the lease",
                tail.position, tail.epoch, lease.position, lease.epoch
            );
            return Err(LedgerError::Diverged { path: self.path.clone(), what });
        }
        let last = tail.epoch;
        if still.is_some_and(|still| still != last) {
            return Err(LedgerError::Deposed { epoch: last });
        }
        let epoch = last + 1;
        self.commit_logged(&log, &mut |appending| fill(appending, epoch), |tail| {
            if tail.epoch < epoch { Ok(epoch) } else { Err(LedgerError::Deposed { epoch: tail.epoch }) }
        })?;
        self.log = Some((log, Role::Leader { epoch }));
        Ok(epoch)
    }

    fn commit_alone<R>(
        &mut self,
        mut fill: impl FnMut(&mut Appending<'_>) -> Result<R, LedgerError>,
    ) -> Result<R, LedgerError> {
        let path = self.path.clone();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| LedgerError::Sqlite { path: path.clone(), error })?;
        let mut appending = Appending::begin(transaction, &path, false)?;
        let filled = fill(&mut appending)?;
        let pages = appending.pages();
        appending.commit()?;
        self.unfolded += pages;
        Ok(filled)
    }

    fn commit_logged<R>(
        &mut self,
        log: &Log,
        fill: &mut dyn FnMut(&mut Appending<'_>) -> Result<R, LedgerError>,
        epoch_behind: impl Fn(&Tail) -> Result<u64, LedgerError>,
    ) -> Result<R, LedgerError> {
        let mut ahead: Option<Ahead> = None;
        let path = self.path.clone();
        let sqlite = |error| LedgerError::Sqlite { path: path.clone(), error };
        loop {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
            let own = position(&transaction).map_err(sqlite)?.unwrap_or_default();
            let tail =
                ahead.take().filter(|ahead| ahead.base == own.position).map_or(own, |ahead| ahead.tail);
            let epoch = epoch_behind(&tail)?;
            let mut appending = Appending::begin(transaction, &path, true)?;
            let filled = fill(&mut appending)?;
            let (kept, pages) = (appending.take_kept(), appending.pages());
            if kept.bodies.is_empty() && kept.beside.is_empty() {
                appending.commit()?;
                return Ok(filled);
            }
            let writer = log.writer().to_owned();
            let group = Group { epoch, writer, first: kept.first, bodies: kept.bodies, beside: kept.beside };
            let items = group.items(&tail);
            // The file's write lock is held for one attempt, not for as long as a log does not answer.
            let known = log.put(&items);
            if known == items.len() {
                if let Some(last) = items.last() {
                    let tail = Tail { position: last.position, epoch, hash: last.hash() };
                    move_to(appending.connection(), &tail).map_err(sqlite)?;
                    log.come_to(tail.position);
                }
                appending.commit()?;
                self.unfolded += pages;
                return Ok(filled);
            }
            drop(appending);
            let settled = log.settle(&items, known)?;
            ahead = Some(self.ahead(log)?);
            if settled == Settled::Ours {
                return Ok(filled);
            }
        }
    }

    /// Reads what the log has and the file has not. Gives where the log ends.
    ///
    /// # Errors
    /// When the log was given up, its items do not follow each other, or the file cannot be written.
    pub fn catch_up(&mut self) -> Result<Tail, LedgerError> {
        match self.log.clone() {
            Some((log, _)) => Ok(self.ahead(&log)?.tail),
            None => Ok(Tail::default()),
        }
    }

    fn ahead(&mut self, log: &Log) -> Result<Ahead, LedgerError> {
        let ahead = self.read_to_the_end(log);
        self.cache(LITTLE_CACHE);
        ahead
    }

    /// With how much memory SQLite keeps pages.
    fn cache(&self, kib: i64) {
        // It only makes it faster.
        let _ = self.connection.pragma_update(None, "cache_size", -kib);
    }

    fn read_to_the_end(&mut self, log: &Log) -> Result<Ahead, LedgerError> {
        'again: loop {
            let own = position(&self.connection).map_err(|error| self.sqlite(error))?.unwrap_or_default();
            let (mut base, mut reading) = (own.position, Reading::behind(log, own));
            loop {
                let Stretch { groups, whole, tail, is_end } = reading.next()?;
                if reading.is_long_way() {
                    self.cache(CACHE);
                }
                if !groups.is_empty() {
                    if !self.replay(base, &whole, &groups)? {
                        continue 'again;
                    }
                    base = whole.position;
                    if self.unfolded > FOLDED {
                        self.fold("PASSIVE");
                    }
                }
                if is_end {
                    log.come_to(tail.position);
                    return Ok(Ahead { base, tail });
                }
            }
        }
    }

    /// Writes whole groups into the file, if it still is where they follow. Another process on this host can have been
    /// faster.
    fn replay(&mut self, base: u64, whole: &Tail, groups: &[Unpacked]) -> Result<bool, LedgerError> {
        let path = self.path.clone();
        let sqlite = |error| LedgerError::Sqlite { path: path.clone(), error };
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        if position(&transaction).map_err(sqlite)?.unwrap_or_default().position != base {
            return Ok(false);
        }
        let diverged = |what: String| LedgerError::Diverged { path: path.clone(), what };
        let mut appending = Appending::begin(transaction, &path, false)?;
        for group in groups {
            if group.first != appending.next() {
                let (here, there) = (appending.next(), group.first);
                return Err(diverged(format!("entry {here} comes next, and the log goes on with {there}")));
            }
            group.entries.iter().try_for_each(|entry| appending.replay(entry))?;
            for row in &group.beside {
                let row: SideTable = serde_json::from_slice(row)
                    .map_err(|error| diverged(format!("the log has a row that cannot be read: {error}")))?;
                appending.beside(&row)?;
            }
        }
        move_to(appending.connection(), whole).map_err(sqlite)?;
        let pages = appending.pages();
        appending.commit()?;
        self.unfolded += pages;
        Ok(true)
    }
}
