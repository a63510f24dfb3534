//! The writer: one connection, one thread, group commit.
//!
//! Appends that arrive while a commit is under way share the next one. Each caller is answered
//! when its entries are on disk.

use super::checkpoint::{self, Made};
use super::draft::Draft;
use super::entry::{Entry, Event};
use super::note::Signer;
use super::project::{Beside, project, stamp, write_beside};
use super::state::{Illegal, State};
use super::{LedgerError, Reader, schema, tree};
use crate::aws::{CallRecord, CallScope, CallSink};
use crate::ident::Region;
use jiff::{Timestamp, Unit};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// How many appends share a commit at most.
const GROUP: usize = 256;

/// Entries that are written together, all or none.
#[derive(Debug, Default)]
pub struct Append {
    /// The entries, in order.
    pub entries: Vec<Draft>,
    /// What is written beside them.
    pub beside: Vec<Beside>,
    /// Only if this remediation is still in this state.
    pub only_if: Option<(String, State)>,
}

impl From<Draft> for Append {
    fn from(draft: Draft) -> Self {
        Self { entries: vec![draft], ..Self::default() }
    }
}

/// The entry's number; none for an occurrence that had been seen before.
type Written = Vec<Option<i64>>;

enum Job {
    Append(Append, oneshot::Sender<Result<Written, LedgerError>>),
    /// A call record: nobody waits for it, and it is never dropped.
    Detached(Box<Draft>),
    /// A checkpoint over all that is written.
    Checkpoint(Arc<Signer>, oneshot::Sender<Result<Option<Made>, LedgerError>>),
    /// What came before is written, and the thread ends.
    Close,
}

/// The ledger, open for appending. Clones share one writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
    jobs: Sender<Job>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Ledger {
    /// Opens the ledger, or makes a new one (mode 0600).
    ///
    /// # Errors
    /// When the file cannot be used: see [`LedgerError`].
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = schema::open_writer(path)?;
        let (jobs, inbox) = channel();
        let mut writer = Writer { connection, path: path.display().to_string(), backlog: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|error| LedgerError::Io { path: path.display().to_string(), error })?;
        Ok(Self { path: path.to_owned(), jobs, thread: Arc::new(Mutex::new(Some(thread))) })
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
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Append(append.into(), answer)).map_err(|_| LedgerError::Closed)?;
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
    pub fn keep(&self, beside: Beside) {
        let (answer, _) = oneshot::channel();
        let _ = self.jobs.send(Job::Append(Append { beside: vec![beside], ..Append::default() }, answer));
    }

    /// Writes what is still waiting and ends the writer. Whoever appends afterwards is told so.
    pub fn close(&self) {
        let _ = self.jobs.send(Job::Close);
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl CallSink for Ledger {
    fn record(&self, scope: &CallScope, call: CallRecord) {
        let subject = super::Subject {
            remediation: scope.remediation.clone(),
            finding: scope.finding.clone(),
            account: call.account.clone(),
            region: Some(call.region.clone()),
            principal: None,
        };
        let draft = Draft { subject, event: Event::Call(call) };
        if self.jobs.send(Job::Detached(Box::new(draft))).is_err() {
            tracing::error!("an AWS call could not be recorded: the ledger's writer has ended");
        }
    }
}

struct Writer {
    connection: Connection,
    path: String,
    /// Call records that a failed commit could not write. They go first into the next one.
    backlog: Vec<Draft>,
}

impl Writer {
    fn run(&mut self, inbox: &Receiver<Job>) {
        while let Ok(first) = inbox.recv() {
            let mut group = vec![first];
            group.extend(inbox.try_iter().take(GROUP - 1));
            let closed = group.iter().position(|job| matches!(job, Job::Close));
            group.truncate(closed.unwrap_or(group.len()));
            let (checkpoints, group): (Vec<_>, Vec<_>) =
                group.into_iter().partition(|job| matches!(job, Job::Checkpoint(..)));
            if !group.is_empty() {
                self.commit(group);
            }
            for job in checkpoints {
                if let Job::Checkpoint(signer, answer) = job {
                    let _ = answer.send(self.checkpoint(&signer));
                }
            }
            if closed.is_some() {
                break;
            }
        }
        if !self.backlog.is_empty() {
            self.commit(Vec::new());
        }
        // Whoever copies the one file has the whole ledger. Nobody waits for it: while it waits for a
        // reader, it keeps every other process from writing.
        let _ = self.connection.busy_timeout(std::time::Duration::from_millis(50));
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::debug!(%error, "the write-ahead log was left beside the ledger");
        }
    }

    fn checkpoint(&mut self, signer: &Signer) -> Result<Option<Made>, LedgerError> {
        let path = &self.path;
        let sqlite = |error| LedgerError::Sqlite { path: path.clone(), error };
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let made = checkpoint::make(&transaction, path, signer)?;
        transaction.commit().map_err(sqlite)?;
        Ok(made)
    }

    fn commit(&mut self, group: Vec<Job>) {
        let written = self.write(&group);
        match written {
            Ok(written) => {
                self.backlog.clear();
                let answers = group.into_iter().filter_map(|job| match job {
                    Job::Append(_, answer) => Some(answer),
                    Job::Detached(_) | Job::Close | Job::Checkpoint(..) => None,
                });
                for (answer, written) in answers.zip(written) {
                    let _ = answer.send(written);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be written");
                for job in group {
                    match job {
                        Job::Append(_, answer) => {
                            let _ = answer.send(Err(self.again(&error)));
                        }
                        Job::Detached(draft) => self.backlog.push(*draft),
                        Job::Close | Job::Checkpoint(..) => {}
                    }
                }
            }
        }
    }

    /// Writes the backlog and a group in one transaction; gives an answer for each append.
    fn write(&mut self, group: &[Job]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let path = &self.path;
        let sqlite = |error| LedgerError::Sqlite { path: path.clone(), error };
        let mut transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        for draft in &self.backlog {
            append(&transaction, draft, path)?;
        }
        let mut answers = Vec::new();
        for job in group {
            match job {
                Job::Detached(draft) => {
                    append(&transaction, draft, path)?;
                }
                Job::Close | Job::Checkpoint(..) => {}
                Job::Append(job, _) => {
                    // A step that is not allowed undoes its own append and no other.
                    let savepoint = transaction.savepoint().map_err(sqlite)?;
                    let written = append_all(&savepoint, job, path);
                    if written.is_ok() {
                        savepoint.commit().map_err(sqlite)?;
                    } else {
                        savepoint.finish().map_err(sqlite)?;
                    }
                    answers.push(written);
                }
            }
        }
        transaction.commit().map_err(sqlite)?;
        Ok(answers)
    }

    /// The same failure, for each caller whose entries shared the commit.
    fn again(&self, error: &LedgerError) -> LedgerError {
        match error {
            LedgerError::Sqlite { error: rusqlite::Error::SqliteFailure(code, text), .. } => {
                LedgerError::Sqlite {
                    path: self.path.clone(),
                    error: rusqlite::Error::SqliteFailure(*code, text.clone()),
                }
            }
            other => LedgerError::Foreign { path: self.path.clone(), why: other.to_string() },
        }
    }
}

fn append_all(connection: &Connection, job: &Append, path: &str) -> Result<Written, LedgerError> {
    if let Some((id, wanted)) = &job.only_if {
        let state: Option<String> = connection
            .prepare_cached("SELECT state FROM remediations WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(|error| LedgerError::Sqlite { path: path.to_owned(), error })?;
        if state != Some(wanted.to_string()) {
            let kind = job.entries.first().map_or("", |draft| draft.event.kind());
            let from = state.and_then(|state| state.parse().ok());
            return Err(Illegal { remediation: id.clone(), from, kind }.into());
        }
    }
    let written =
        job.entries.iter().map(|draft| append(connection, draft, path)).collect::<Result<_, _>>()?;
    for beside in &job.beside {
        write_beside(connection, beside)
            .map_err(|error| LedgerError::Sqlite { path: path.to_owned(), error })?;
    }
    Ok(written)
}

fn append(connection: &Connection, draft: &Draft, path: &str) -> Result<Option<i64>, LedgerError> {
    let sqlite = |error| LedgerError::Sqlite { path: path.to_owned(), error };
    let occurrence = match &draft.event {
        Event::Finding { finding, .. } => Some(finding.occurrence()),
        Event::Undecodable { undecodable, .. } => Some(format!("sha256:{}", undecodable.sha256)),
        _ => None,
    };
    if let Some(occurrence) = &occurrence {
        let seen = connection
            .prepare_cached("SELECT 1 FROM occurrences WHERE occurrence = ?1")
            .and_then(|mut s| s.exists([occurrence]))
            .map_err(sqlite)?;
        if seen {
            return Ok(None);
        }
    }
    let seq: i64 = connection
        .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM entries")
        .and_then(|mut s| s.query_row([], |row| row.get(0)))
        .map_err(sqlite)?;
    let time = Timestamp::now().round(Unit::Millisecond).unwrap_or_else(|_| Timestamp::now());
    let entry = Entry { seq, time, subject: draft.subject.clone(), event: draft.event.clone() };
    let body = serde_json_canonicalizer::to_vec(&entry).map_err(|error| LedgerError::BadEntry {
        path: path.to_owned(),
        seq,
        error: error.to_string(),
    })?;
    // What could not be read back would make the ledger unreadable, and it cannot be taken back.
    if serde_json::from_slice::<Entry>(&body).ok().as_ref() != Some(&entry) {
        let error = "it would not read back as it is".to_owned();
        return Err(LedgerError::BadEntry { path: path.to_owned(), seq, error });
    }
    let leaf_hash = tree::leaf(&body);
    let Entry { subject, event, .. } = &entry;
    connection
        .prepare_cached(
            "INSERT INTO entries (seq, time, kind, remediation, finding, account, region, principal, body, leaf_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .and_then(|mut s| {
            s.execute(params![
                seq,
                stamp(time),
                event.kind(),
                subject.remediation,
                subject.finding,
                subject.account.as_ref().map(crate::ident::AccountId::as_str),
                subject.region.as_ref().map(Region::as_str),
                subject.principal,
                body,
                leaf_hash.as_slice(),
            ])
        })
        .map_err(sqlite)?;
    project(connection, &entry, occurrence.as_deref(), path)?;
    Ok(Some(seq))
}
