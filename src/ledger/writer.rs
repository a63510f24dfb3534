//! The writer: one connection, one thread, group commit.
//!
//! Appends that arrive while a commit is under way share the next one. Each caller is answered
//! when its entries are on disk.

use super::append::{Appending, Ready, Written};
use super::checkpoint::{self, Made};
use super::note::Signer;
use super::prepared::Prepared;
use super::project::SideTable;
use super::queue::{Queue, Work};
use super::{LedgerError, Reader, schema};
use crate::chain::chain;
use crate::remediation::{CallRecord, CallScope, CallSink, Draft, Event, State, Subject};
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Entries that are written together, all or none.
#[derive(Debug, Default)]
pub struct Append {
    /// The entries, in order.
    pub entries: Vec<Draft>,
    /// What is written beside them.
    pub beside: Vec<SideTable>,
    /// Only if this remediation is still in this state.
    pub only_if: Option<(String, State)>,
}

impl From<Draft> for Append {
    fn from(draft: Draft) -> Self {
        Self { entries: vec![draft], ..Self::default() }
    }
}

impl Append {
    fn ready(self) -> Result<Ready, LedgerError> {
        let entries = self.entries.into_iter().map(Prepared::new).collect::<Result<_, _>>()?;
        Ok(Ready { entries, beside: self.beside, only_if: self.only_if })
    }
}

#[derive(Debug)]
enum Job {
    Append(Ready, oneshot::Sender<Result<Written, LedgerError>>),
    /// A call record: nobody waits for it, and it is never dropped.
    Detached(Box<Prepared>),
    /// A checkpoint over all that is written.
    Checkpoint(Arc<Signer>, oneshot::Sender<Result<Option<Made>, LedgerError>>),
}

/// The ledger, open for appending. Clones share one writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
    jobs: Queue<Job>,
}

impl Ledger {
    /// Opens the ledger, or makes a new one (mode 0600).
    ///
    /// # Errors
    /// When the file cannot be used: see [`LedgerError`].
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = schema::open_writer(path)?;
        let shown = path.display().to_string();
        connection
            .pragma_update(None, "wal_autocheckpoint", 0)
            .map_err(|error| LedgerError::Sqlite { path: shown.clone(), error })?;
        let unfolded = schema::log_pages(path);
        let writer = Writer { connection, path: shown, backlog: Vec::new(), unfolded, failed: false };
        let jobs = Queue::start("ledger", PATIENCE, writer)
            .map_err(|error| LedgerError::Io { path: path.display().to_string(), error })?;
        Ok(Self { path: path.to_owned(), jobs })
    }

    /// A reader of the same file.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(&self.path)
    }

    /// Appends, and returns when it is durable. Gives each entry's number; none for an
    /// occurrence that had been recorded before, which is not written again.
    ///
    /// # Errors
    /// When nothing of it was written.
    pub async fn append(&self, append: impl Into<Append>) -> Result<Written, LedgerError> {
        let ready = append.into().ready()?;
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Append(ready, answer)).map_err(|_| LedgerError::Closed)?;
        answered.await.map_err(|_| LedgerError::Closed)?
    }

    /// Makes a checkpoint over all entries that are written; none when there are no new ones.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn checkpoint(&self, signer: &Arc<Signer>) -> Result<Option<Made>, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Checkpoint(Arc::clone(signer), answer)).map_err(|_| LedgerError::Closed)?;
        answered.await.map_err(|_| LedgerError::Closed)?
    }

    /// Keeps something beside the entries; does not wait until it is durable.
    pub fn keep(&self, beside: SideTable) {
        let (answer, _) = oneshot::channel();
        let ready = Ready { entries: Vec::new(), beside: vec![beside], only_if: None };
        let _ = self.jobs.send_along(Job::Append(ready, answer));
    }

    /// Writes what is still waiting and ends the writer. Appending fails afterwards.
    pub fn close(&self) {
        self.jobs.close();
    }
}

impl CallSink for Ledger {
    fn record(&self, scope: &CallScope, call: CallRecord) {
        let subject = Subject {
            remediation: scope.remediation.clone(),
            finding: scope.finding.clone(),
            account: call.account.clone(),
            region: Some(call.region.clone()),
            principal: None,
        };
        let sent = match Prepared::new(Draft { subject, event: Event::Call(call) }) {
            Ok(call) => self.jobs.send_along(Job::Detached(Box::new(call))).map_err(|_| LedgerError::Closed),
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::error!("an AWS call could not be recorded: {error}");
        }
    }
}

/// Time without a write after which the write-ahead log is folded into the file. That takes two more fsyncs,
/// and a deny must not wait for them.
const PATIENCE: Duration = Duration::from_millis(100);

/// Timeout of waiting for another process that writes, where nothing is to wait longer for it.
const BRIEFLY: Duration = Duration::from_millis(50);

/// Minimum number of pages in the log for folding it in a pause.
const WORTH_FOLDING: usize = 500;

/// Number of pages from which on the log is folded without waiting for a pause: some 10 MB, which the log
/// uses over and over. While the log's file grows, each fsync takes half as long again.
const MUST_BE_FOLDED: usize = 2_500;

struct Writer {
    connection: Connection,
    path: String,
    /// About how many pages of the write-ahead log are not folded into the file, those of a process that was
    /// killed before included.
    unfolded: usize,
    /// The last commit failed. Whoever locks the ledger has had the whole timeout: each further write would
    /// wait as long again, and what stops because of the first failure must not wait for all of them.
    failed: bool,
    /// Call records that a failed commit could not write. They go first into the next one.
    backlog: Vec<Prepared>,
}

impl Work<Job> for Writer {
    fn group(&mut self, jobs: Vec<Job>) {
        let (checkpoints, jobs): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| matches!(job, Job::Checkpoint(..)));
        if !jobs.is_empty() {
            self.commit(jobs);
        }
        if self.unfolded > MUST_BE_FOLDED {
            self.fold("PASSIVE");
        }
        for job in checkpoints {
            if let Job::Checkpoint(signer, answer) = job {
                let _ = answer.send(self.checkpoint(&signer));
            }
        }
    }

    fn rest(&mut self) {
        if self.unfolded > WORTH_FOLDING {
            self.fold("PASSIVE");
        }
    }

    fn end(&mut self) {
        if !self.backlog.is_empty() {
            self.commit(Vec::new());
        }
        // Whoever copies the one file has the whole ledger. Nobody waits for it: while it waits for a
        // reader, it keeps every other process from writing.
        let _ = self.connection.busy_timeout(BRIEFLY);
        self.fold("TRUNCATE");
    }
}

impl Writer {
    /// Moves pages of the write-ahead log into the file. What cannot be moved now, because somebody reads what
    /// was there before, stays in the log, and is as durable there.
    fn fold(&mut self, how: &str) {
        let sql = format!("PRAGMA wal_checkpoint({how})");
        let left =
            self.connection.query_row(&sql, [], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?));
        match left {
            Ok(left) => self.unfolded = usize::try_from(left).unwrap_or_default(),
            Err(error) => tracing::debug!(%error, "the write-ahead log was left beside the ledger"),
        }
    }

    fn checkpoint(&mut self, signer: &Signer) -> Result<Option<Made>, LedgerError> {
        let path = &self.path;
        let sqlite = |error| LedgerError::Sqlite { path: path.clone(), error };
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let made = checkpoint::make(&transaction, path, signer)?;
        transaction.commit().map_err(sqlite)?;
        self.unfolded += 2;
        Ok(made)
    }

    fn commit(&mut self, group: Vec<Job>) {
        let written = self.write(&group);
        if self.failed != written.is_err() {
            self.failed = written.is_err();
            let _ = self.connection.busy_timeout(if self.failed { BRIEFLY } else { schema::BUSY });
        }
        match written {
            Ok(written) => {
                self.backlog.clear();
                let answers = group.into_iter().filter_map(|job| match job {
                    Job::Append(_, answer) => Some(answer),
                    Job::Detached(_) | Job::Checkpoint(..) => None,
                });
                for (answer, written) in answers.zip(written) {
                    let _ = answer.send(written);
                }
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "the ledger cannot be written");
                let error = Arc::new(error);
                for job in group {
                    match job {
                        Job::Append(_, answer) => {
                            let _ = answer.send(Err(LedgerError::Shared(Arc::clone(&error))));
                        }
                        Job::Detached(call) => self.backlog.push(*call),
                        Job::Checkpoint(..) => {}
                    }
                }
            }
        }
    }

    /// Writes the backlog and a group in one transaction; gives an answer for each append.
    fn write(&mut self, group: &[Job]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let path = &self.path;
        let sqlite = |error| LedgerError::Sqlite { path: path.clone(), error };
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let mut appending = Appending::begin(transaction, path)?;
        for call in &self.backlog {
            appending.one(call)?;
        }
        let mut answers = Vec::new();
        for job in group {
            match job {
                Job::Detached(call) => drop(appending.one(call)?),
                Job::Checkpoint(..) => {}
                Job::Append(ready, _) => answers.push(appending.all(ready)?),
            }
        }
        let pages = appending.pages();
        appending.commit()?;
        self.unfolded += pages;
        Ok(answers)
    }
}
