//! The log before the ledger: what is put there is durable, and SQLite has it next.
//!
//! All of it blocks: it is called on the writer's own thread.

use super::LedgerError;
use crate::fence::Fence;
use crate::log::{Item, Put, Store};
use crate::remediation::CallError;
use jiff::Timestamp;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Interval before the first attempt after one that failed. It doubles.
const FIRST: Duration = Duration::from_millis(50);

/// Maximum interval between two attempts.
const LONGEST: Duration = Duration::from_secs(1);

/// Maximum number of items that are read together.
const READ: usize = 100;

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
    fault: Arc<Mutex<Option<Fault>>>,
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
        let (fault, fence, given_up) = Default::default();
        Self { store, writer, fault, fence, given_up }
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

    /// What keeps the log from being read or written just now.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits no longer for a log that does not answer: what waits for it fails. What was put meanwhile stands there,
    /// and is read at the next start.
    pub fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Puts items one after the other, until one is not answered with yes. Gives how many are known to stand there.
    pub(super) fn put(&self, items: &[Item]) -> usize {
        let put = |item| matches!(self.answered(Self::block_on(self.store.put(item))), Some(Put::Done));
        items.iter().take_while(|item| put(item)).count()
    }

    /// Finds out what became of items of which `known` are known to stand there, and puts those that are not there
    /// and can be.
    ///
    /// # Errors
    /// When it was given up.
    pub(super) fn settle(&self, items: &[Item], mut known: usize) -> Result<Settled, LedgerError> {
        while let Some(item) = items.get(known) {
            match self.read(item.position, 1)?.first() {
                Some(there) if there == item => known += 1,
                Some(_) => return Ok(Settled::Others),
                None => known += self.put(&items[known..]),
            }
        }
        Ok(Settled::Ours)
    }

    /// The items from `position` on, as many as are read together.
    ///
    /// # Errors
    /// When it was given up.
    pub(super) fn read_on(&self, position: u64) -> Result<Vec<Item>, LedgerError> {
        self.read(position, READ)
    }

    /// Asks until there is an answer.
    fn read(&self, from: u64, most: usize) -> Result<Vec<Item>, LedgerError> {
        let mut wait = FIRST;
        loop {
            if let Some(items) = self.answered(Self::block_on(self.store.read(from, most))) {
                return Ok(items);
            }
            let given_up =
                Self::block_on(async { tokio::time::timeout(wait, self.given_up.cancelled()).await.is_ok() });
            if given_up {
                return Err(self.unreachable());
            }
            wait = (wait * 2).min(LONGEST);
        }
    }

    fn unreachable(&self) -> LedgerError {
        match self.fault() {
            Some(fault) => LedgerError::Log { error: fault.error },
            None => LedgerError::Closed,
        }
    }

    fn answered<T>(&self, answer: Result<T, CallError>) -> Option<T> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(answer) => {
                if fault.take().is_some() {
                    tracing::info!("the log answers again");
                }
                Some(answer)
            }
            Err(error) => {
                metrics::counter!("rescind_log_errors_total").increment(1);
                let since = fault.as_ref().map_or_else(Timestamp::now, |fault| fault.since);
                if fault.is_none() {
                    tracing::error!("the log does not answer: nothing is done until it does: {error}");
                }
                *fault = Some(Fault { since, error });
                None
            }
        }
    }
}
