//! The log before the ledger: what is put there is durable, and SQLite has it next.
//!
//! All of it blocks: it is called on the writer's own thread.

use super::LedgerError;
use super::reach::Reach;
use crate::fence::Fence;
use crate::log::{Item, Put, Store};
use crate::remediation::{CallError, ErrorKind};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Interval before the first attempt after one that failed. It doubles.
const FIRST: Duration = Duration::from_millis(50);

/// Maximum interval between two attempts.
const LONGEST: Duration = Duration::from_secs(1);

/// Maximum number of items that are read together.
pub(super) const READ: usize = 100;

/// The log's own threads: they answer while everything else is busy, and outlive the runtime of a command.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).thread_name("log").enable_all().build();
    #[expect(clippy::expect_used, reason = "without threads nothing works")]
    runtime.expect("the system has no thread for the log")
});

/// Under which leadership a process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Under whichever leads: answers, orders, and what commands record.
    Guest,
    /// Under its own, until another leads.
    Leader {
        /// Number of the leadership.
        epoch: u64,
    },
}

/// The log as one process uses it. Clones share what is known of how it is doing.
#[derive(Debug, Clone)]
pub struct Log {
    store: Arc<dyn Store>,
    /// The process, as its items name it.
    writer: String,
    faults: Arc<Mutex<Faults>>,
    /// How long an answer is waited for; as long as it takes when there is none.
    patience: Option<Duration>,
    /// The last position that is known.
    position: Arc<AtomicU64>,
    reach: Arc<Reach>,
    fence: Arc<Fence>,
    given_up: CancellationToken,
}

/// What keeps the log from being read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Time of the first failure of those in a row.
    pub since: Timestamp,
    /// The latest failure.
    pub error: CallError,
}

/// What fails just now: that reads are answered says nothing about puts.
#[derive(Debug, Default)]
struct Faults {
    put: Option<Fault>,
    read: Option<Fault>,
    lease: Option<Fault>,
}

/// What is asked of the log.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Put,
    Read,
}

/// Items that are on their way.
#[derive(Debug)]
pub(super) struct Asked(JoinHandle<Result<Vec<Item>, CallError>>);

impl Asked {
    /// Waits for them. None when they have to be asked for again.
    pub fn arrived(mut self) -> Option<Vec<Item>> {
        Log::block_on(async { (&mut self.0).await.ok()?.ok() })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What became of items that may or may not have been put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// They stand in the log.
    Ours,
    /// Others' stand in the place of one of them.
    Others,
}

impl Log {
    /// The log in `store`, for the process that its items are to name `writer`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, writer: String) -> Self {
        let (faults, fence, given_up, reach, position) = Default::default();
        Self { store, writer, faults, patience: None, position, reach, fence, given_up }
    }

    /// Waits for something that asks the log. It may be called from anywhere, and blocks.
    pub fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
        // A thread that belongs to another runtime may not wait for this one.
        if Handle::try_current().is_err() {
            return RUNTIME.block_on(future);
        }
        std::thread::scope(|scope| scope.spawn(|| RUNTIME.block_on(future)).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Starts a task that keeps the log: it goes on whatever hangs elsewhere.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        RUNTIME.spawn(task)
    }

    /// What keeps the log.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The process, as its items name it.
    #[must_use]
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// What has to be open for a change in a member account. Whoever renews the lease opens it.
    #[must_use]
    pub fn fence(&self) -> &Arc<Fence> {
        &self.fence
    }

    /// The same for who cannot wait for as long as it takes: what has no answer by then fails.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Which services of AWS answer this process.
    #[must_use]
    pub fn reach(&self) -> &Arc<Reach> {
        &self.reach
    }

    /// What keeps the log from being read or written just now.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.put.clone().or_else(|| faults.read.clone()).or_else(|| faults.lease.clone())
    }

    /// Takes note of whether the lease can be renewed: without it nothing is changed either.
    pub fn lease_answered(&self, error: Option<CallError>) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let since = faults.lease.as_ref().map_or_else(Timestamp::now, |fault| fault.since);
        if let Some(error) = &error {
            tracing::warn!("the lease cannot be renewed: {error}");
        }
        faults.lease = error.map(|error| Fault { since, error });
    }

    /// Position of the last item that this process knows.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    pub(super) fn come_to(&self, position: u64) {
        self.position.fetch_max(position, Ordering::Relaxed);
    }

    /// Waits no longer for a log that does not answer: what waits for it fails. What was put meanwhile stands there,
    /// and is read at the next start.
    pub fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Puts items one after the other, until one is not answered with yes. Gives how many are known to stand there.
    pub(super) fn put(&self, items: &[Item]) -> usize {
        let put = |item| {
            matches!(self.answered(Ask::Put, Self::block_on(self.store.put(item))), Ok(Some(Put::Done)))
        };
        items.iter().take_while(|item| put(item)).count()
    }

    /// Finds out what became of items of which `known` are known to stand there, and puts those that are not there
    /// and can be.
    ///
    /// # Errors
    /// When it was given up.
    pub(super) fn settle(&self, items: &[Item], mut known: usize) -> Result<Settled, LedgerError> {
        let mut waiting = Waiting::new(self);
        while let Some(item) = items.get(known) {
            match self.read(item.position, 1)?.first() {
                Some(there) if there == item => {
                    known += 1;
                    // A put whose answer was lost was a put.
                    let _ = self.answered(Ask::Put, Ok(()));
                }
                Some(_) => return Ok(Settled::Others),
                None => {
                    let put = self.put(&items[known..]);
                    known += put;
                    if put == 0 {
                        waiting.pause()?;
                    }
                }
            }
        }
        Ok(Settled::Ours)
    }

    /// Asks for items without waiting for them.
    pub(super) fn ask_for(&self, from: u64, most: usize) -> Asked {
        let store = Arc::clone(&self.store);
        Asked(RUNTIME.spawn(async move { store.read(from, most).await }))
    }

    /// The items from `position` on, at most `most` of them or as many as are read together.
    ///
    /// # Errors
    /// When it was given up, or what stands there is no item.
    pub(super) fn read_on(&self, position: u64, most: usize) -> Result<Vec<Item>, LedgerError> {
        self.read(position, most.min(READ))
    }

    /// Asks until there is an answer.
    fn read(&self, from: u64, most: usize) -> Result<Vec<Item>, LedgerError> {
        let mut waiting = Waiting::new(self);
        loop {
            match self.answered(Ask::Read, Self::block_on(self.store.read(from, most)))? {
                Some(items) => return Ok(items),
                None => waiting.pause()?,
            }
        }
    }

    /// The answer; none when it is worth to ask again.
    ///
    /// # Errors
    /// When what stands in the log cannot be read: it will not be otherwise the next time.
    fn answered<T>(&self, ask: Ask, answer: Result<T, CallError>) -> Result<Option<T>, LedgerError> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = match ask {
            Ask::Put => &mut faults.put,
            Ask::Read => &mut faults.read,
        };
        match answer {
            Ok(answer) => {
                if fault.take().is_some() {
                    tracing::info!(?ask, "the log answers again");
                }
                Ok(Some(answer))
            }
            Err(error) if error.kind == ErrorKind::Malformed => Err(LedgerError::Log { error }),
            Err(error) => {
                metrics::counter!("rescind_log_errors_total").increment(1);
                let since = fault.as_ref().map_or_else(Timestamp::now, |fault| fault.since);
                if fault.is_none() {
                    tracing::error!(?ask, "the log does not answer: nothing is done until it does: {error}");
                }
                *fault = Some(Fault { since, error });
                Ok(None)
            }
        }
    }
}

/// Waits between attempts, longer each time.
struct Waiting<'a> {
    log: &'a Log,
    next: Duration,
    begun: Instant,
}

impl<'a> Waiting<'a> {
    fn new(log: &'a Log) -> Self {
        Self { log, next: FIRST, begun: Instant::now() }
    }

    /// Waits for the time of the next attempt.
    ///
    /// # Errors
    /// When there is to be none.
    fn pause(&mut self) -> Result<(), LedgerError> {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        // Whoever can wait for somebody to mend it waits; a command says what is wrong.
        let is_over =
            self.log.patience.zip(self.log.fault()).is_some_and(|(patience, fault)| {
                self.begun.elapsed() >= patience || !fault.error.is_transient()
            });
        let given_up = is_over
            || Log::block_on(async {
                tokio::time::timeout(wait, self.log.given_up.cancelled()).await.is_ok()
            });
        match self.log.fault() {
            _ if !given_up => Ok(()),
            Some(fault) => Err(LedgerError::Log { error: fault.error }),
            None => Err(LedgerError::Closed),
        }
    }
}
