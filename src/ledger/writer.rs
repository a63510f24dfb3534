//! The writer: one connection, one thread, group commit.
//!
//! Appends that arrive while a commit is under way share the next one. Each caller is answered
//! when its entries are on disk.

use super::append::{Ready, Written};
use super::archive::{Closed, Moved, move_out};
use super::checkpoint::{self, Made};
use super::committer::Committer;
use super::host_signer::{HostSigner, Unsigned};
use super::logged::{Fault, Log, Role};
use super::note::PublicKey;
use super::only_if::OnlyIf;
use super::prepared::Prepared;
use super::project::SideTable;
use super::queue::{Queue, Waits, Work};
use super::{LedgerError, Reader, schema};
use crate::chain::chain;
use crate::fence::Fence;
use crate::log::{Lease, Tail};
use crate::remediation::{CallRecord, CallScope, CallSink, Draft, Event, Subject};
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
    /// Only if a remediation is still where it was.
    pub only_if: Option<OnlyIf>,
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
    Checkpoint(Arc<HostSigner>, oneshot::Sender<Result<Option<Made>, LedgerError>>),
    /// What a key that somebody else holds is to sign.
    Unsigned(PublicKey, oneshot::Sender<Result<Option<Unsigned>, LedgerError>>),
    /// Texts that are in an archive by now.
    MoveOut(Box<(Closed, Moved, Arc<HostSigner>)>, oneshot::Sender<Result<Option<usize>, LedgerError>>),
    /// What the log has and the file has not.
    CatchUp(oneshot::Sender<Result<Tail, LedgerError>>),
}

/// The ledger, open for appending. Clones share one writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
    log: Option<Log>,
    jobs: Queue<Job>,
}

impl Ledger {
    /// Opens the ledger, or makes a new one (mode 0600). It is a ledger by itself.
    ///
    /// # Errors
    /// When the file cannot be used: see [`LedgerError`].
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::start(path, None, Committer::open(path, None)?)
    }

    /// Opens the ledger of a log, or makes a new one, and reads what the log has and the file has not. It blocks
    /// until that is done. What is appended is under whoever leads.
    ///
    /// # Errors
    /// When the file cannot be used, or is not of this log.
    pub fn of_log(path: &Path, log: &Log) -> Result<Self, LedgerError> {
        Self::start(path, Some(log), Committer::open(path, Some((log.clone(), Role::Guest)))?)
    }

    /// The same, as the one that leads from now on: the first entry says so. Whoever led before can append nothing more.
    /// What the lease `after` says that the log has must be there; and nobody may have led since the leadership `still`.
    ///
    /// # Errors
    /// As [`Self::of_log`]; [`LedgerError::Deposed`] when another was faster.
    pub fn leading(
        path: &Path,
        log: &Log,
        after: Option<&Lease>,
        still: Option<u64>,
    ) -> Result<(Self, u64), LedgerError> {
        let mut committer = Committer::open(path, Some((log.clone(), Role::Guest)))?;
        let epoch = committer.lead(after, still, |appending, epoch| {
            let event = Event::TookOver { host: log.writer().to_owned(), epoch };
            appending.one(&Prepared::new(Draft::of_service(event))?).map(|_| ())
        })?;
        Ok((Self::start(path, Some(log), committer)?, epoch))
    }

    fn start(path: &Path, log: Option<&Log>, committer: Committer) -> Result<Self, LedgerError> {
        let writer = Writer { committer, backlog: Vec::new(), failed: false };
        let linger = if log.is_some() { WITH_LOG } else { ALONE };
        let jobs = Queue::start("ledger", Waits { linger, patience: PATIENCE }, writer)
            .map_err(|error| LedgerError::Io { path: path.display().to_string(), error })?;
        Ok(Self { path: path.to_owned(), log: log.cloned(), jobs })
    }

    /// What keeps the log from being read or written just now, if the ledger has one.
    #[must_use]
    pub fn log_fault(&self) -> Option<Fault> {
        self.log.as_ref().and_then(Log::fault)
    }

    /// Waits no longer for a log that does not answer: what waits for it fails.
    pub fn give_up_on_log(&self) {
        if let Some(log) = &self.log {
            log.give_up();
        }
    }

    /// Reads what the log has and the file has not. Gives where the log ends.
    ///
    /// # Errors
    /// When the log was given up or is damaged, or the file cannot be written.
    pub async fn catch_up(&self) -> Result<Tail, LedgerError> {
        self.ask(Job::CatchUp).await
    }

    /// Hands in a job, and waits for its answer.
    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, LedgerError>>) -> Job,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).map_err(|_| LedgerError::Closed)?;
        answered.await.map_err(|_| LedgerError::Closed)?
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
        self.ask(|answer| Job::Append(ready, answer)).await
    }

    /// Makes a checkpoint over all entries that are written; none when there are no new ones.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn checkpoint(&self, signer: &Arc<HostSigner>) -> Result<Option<Made>, LedgerError> {
        if !signer.is_remote() {
            return self.ask(|answer| Job::Checkpoint(Arc::clone(signer), answer)).await;
        }
        // Whoever appends does not wait for KMS.
        let Some(unsigned) = self.ask(|answer| Job::Unsigned(signer.public(), answer)).await? else {
            return Ok(None);
        };
        let signer = Arc::clone(signer);
        let answered = tokio::task::spawn_blocking(move || signer.sign(unsigned)).await;
        let row = answered.map_err(|_| LedgerError::Closed)??;
        let made = Made { size: row.size, note: row.note.clone() };
        self.append(Append { beside: vec![SideTable::Checkpoint(row)], ..Append::default() }).await?;
        Ok(Some(made))
    }

    /// Takes the texts of what is in an archive by now out of the ledger, says so in an entry, and signs for it.
    /// Gives how many; none when something of it was taken up again meanwhile: then it stays.
    ///
    /// # Errors
    /// When the ledger cannot be read or written. Then nothing was moved.
    pub async fn move_out(
        &self,
        closed: &Closed,
        to: &Moved,
        signer: &Arc<HostSigner>,
    ) -> Result<Option<usize>, LedgerError> {
        let what = Box::new((closed.clone(), to.clone(), Arc::clone(signer)));
        self.ask(|answer| Job::MoveOut(what, answer)).await
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
        if let Some(log) = &self.log {
            log.reach().note(&call);
        }
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

    fn fence(&self) -> Option<Arc<Fence>> {
        self.log.as_ref().map(|log| Arc::clone(log.fence()))
    }
}

/// Maximum time that an entry nobody waits for is delayed, where writing it takes an fsync.
const ALONE: Duration = Duration::from_millis(5);

/// The same where it takes a put into the log: that is paid for, and what somebody waits for would wait behind it.
const WITH_LOG: Duration = Duration::from_secs(1);

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
    committer: Committer,
    /// The last commit failed. Whoever locks the ledger has had the whole timeout: each further write would
    /// wait as long again, and what stops because of the first failure must not wait for all of them.
    failed: bool,
    /// Call records that a failed commit could not write. They go first into the next one.
    backlog: Vec<Prepared>,
}

impl Work<Job> for Writer {
    fn group(&mut self, jobs: Vec<Job>) {
        let (entries, others): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| matches!(job, Job::Append(..) | Job::Detached(_)));
        if !entries.is_empty() {
            self.commit(entries);
        }
        if self.committer.unfolded > MUST_BE_FOLDED {
            self.committer.fold("PASSIVE");
        }
        for job in others {
            match job {
                Job::Checkpoint(signer, answer) => drop(answer.send(self.checkpoint(&signer))),
                Job::Unsigned(key, answer) => {
                    let unsigned = self.committer.commit(|appending| {
                        checkpoint::unsigned(appending.connection(), appending.path(), &key)
                    });
                    drop(answer.send(unsigned));
                }
                Job::MoveOut(what, answer) => {
                    let (closed, to, signer) = *what;
                    let moved = self.committer.commit(|appending| move_out(appending, &closed, &to, &signer));
                    drop(answer.send(moved));
                }
                Job::CatchUp(answer) => drop(answer.send(self.committer.catch_up())),
                Job::Append(..) | Job::Detached(_) => {}
            }
        }
    }

    fn rest(&mut self) {
        if self.committer.unfolded > WORTH_FOLDING {
            self.committer.fold("PASSIVE");
        }
    }

    fn end(&mut self) {
        if !self.backlog.is_empty() {
            self.commit(Vec::new());
        }
        // Whoever copies the one file has the whole ledger. Nobody waits for it: while it waits for a
        // reader, it keeps every other process from writing.
        self.committer.wait_for_others(BRIEFLY);
        self.committer.fold("TRUNCATE");
    }
}

impl Writer {
    fn checkpoint(&mut self, signer: &HostSigner) -> Result<Option<Made>, LedgerError> {
        self.committer.commit(|appending| {
            let Some(row) = checkpoint::make(appending.connection(), appending.path(), signer)? else {
                return Ok(None);
            };
            let made = Made { size: row.size, note: row.note.clone() };
            appending.beside(&SideTable::Checkpoint(row))?;
            Ok(Some(made))
        })
    }

    fn commit(&mut self, group: Vec<Job>) {
        let written = self.write(&group);
        // Who leads no longer does nothing more, and what it did is recorded all the same.
        let group = match &written {
            Err(error @ LedgerError::Deposed { epoch }) => {
                tracing::error!("{error}");
                let (calls, others): (Vec<_>, Vec<_>) =
                    group.into_iter().partition(|job| matches!(job, Job::Detached(_)));
                let epoch = *epoch;
                for job in others {
                    if let Job::Append(_, answer) = job {
                        let _ = answer.send(Err(LedgerError::Deposed { epoch }));
                    }
                }
                return self.record_calls(calls);
            }
            _ => group,
        };
        if self.failed != written.is_err() {
            self.failed = written.is_err();
            self.committer.wait_for_others(if self.failed { BRIEFLY } else { schema::BUSY });
        }
        match written {
            Ok(written) => {
                self.backlog.clear();
                let answers = group.into_iter().filter_map(|job| match job {
                    Job::Append(_, answer) => Some(answer),
                    _ => None,
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
                        Job::Checkpoint(..) | Job::Unsigned(..) | Job::MoveOut(..) | Job::CatchUp(_) => {}
                    }
                }
            }
        }
    }

    /// Records calls that were made before another led.
    fn record_calls(&mut self, calls: Vec<Job>) {
        self.backlog.extend(calls.into_iter().filter_map(|job| match job {
            Job::Detached(call) => Some(*call),
            _ => None,
        }));
        let Self { committer, backlog, .. } = self;
        let recorded = committer
            .commit_as_guest(|appending| backlog.iter().try_for_each(|call| appending.one(call).map(|_| ())));
        match recorded {
            Ok(()) => self.backlog.clear(),
            Err(error) => tracing::error!(error = chain(&error), "AWS calls could not be recorded"),
        }
    }

    /// Writes the backlog and a group in one transaction; gives an answer for each append.
    fn write(&mut self, group: &[Job]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let Self { committer, backlog, .. } = self;
        committer.commit(|appending| {
            for call in backlog.iter() {
                appending.one(call)?;
            }
            let mut answers = Vec::new();
            for job in group {
                match job {
                    Job::Detached(call) => drop(appending.one(call)?),
                    Job::Append(ready, _) => answers.push(appending.all(ready)?),
                    Job::Checkpoint(..) | Job::Unsigned(..) | Job::MoveOut(..) | Job::CatchUp(_) => {}
                }
            }
            Ok(answers)
        })
    }
}
