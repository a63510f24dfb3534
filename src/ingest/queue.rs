//! Events from EventBridge through an SQS queue.
//!
//! A message leaves the queue when it is recorded what is done about each finding in it. Until then it
//! stays hidden from other receivers. What is not settled at a stop is made visible again, for the next
//! process. What GuardDuty does not answer about is given back for a while: the polls find it as well.

use super::alerts;
use super::flood::Flood;
use super::health::Pulse;
use super::intake::IntakeSender;
use super::receive_batch::{HIDDEN, ReceiveBatch, Work};
use super::verifier::Verifier;
use crate::aws::{Depth, Message, Queue, SQS_BATCH, hub_hint};
use crate::backoff::Backoff;
use crate::ledger::LedgerError;
use crate::remediation::{CallError, Draft, Origin};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Maximum time for which SQS waits for a first message.
const WAIT: Duration = Duration::from_secs(20);

/// Maximum number of messages that are worked on concurrently.
const AT_ONCE: usize = 500;

/// Backoff after a receive that failed.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// Maximum number of attempts to delete a message.
const DELETE_TRIES: u32 = 4;

/// Timeout of the last calls to SQS at a stop.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Time after which what is not settled at a stop is visible again. A receive of our own that has just been dropped may still
/// wait at SQS, and would take it along.
const GIVEN_BACK: Duration = Duration::from_secs(1);

/// Interval between two questions to SQS about how much is in the queue.
const MEASURE: Duration = Duration::from_secs(30);

/// Receives from one queue.
#[derive(Debug)]
pub struct QueueFeed {
    queue: Queue,
    /// The name under which the ledger knows it.
    origin: Origin,
    receivers: usize,
    verifier: Arc<Verifier>,
    intake: IntakeSender,
    pulse: Pulse,
    flood: Flood,
    /// How much is in it, as SQS said last.
    depth: Mutex<Option<Depth>>,
    stop: CancellationToken,
}

impl QueueFeed {
    /// A feed of that queue, which the ledger knows as `name`.
    #[must_use]
    pub fn new(
        queue: Queue,
        name: String,
        receivers: usize,
        verifier: Arc<Verifier>,
        intake: IntakeSender,
        stop: CancellationToken,
    ) -> Self {
        Self {
            origin: Origin::Queue { queue: name },
            queue,
            receivers,
            verifier,
            intake,
            pulse: Pulse::default(),
            flood: Flood::default(),
            depth: Mutex::default(),
            stop,
        }
    }

    /// The name under which the ledger knows it.
    #[must_use]
    pub fn name(&self) -> String {
        self.origin.to_string()
    }

    /// How much is in the queue, as SQS said last.
    #[must_use]
    pub fn depth(&self) -> Option<Depth> {
        *self.depth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is doing.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Asks SQS now and then how much is in the queue, until it is to stop.
    pub async fn measure(&self) {
        let mut ticks = tokio::time::interval(MEASURE);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let measuring = async {
            loop {
                ticks.tick().await;
                let depth = self.queue.depth().await.ok();
                *self.depth.lock().unwrap_or_else(PoisonError::into_inner) = depth;
            }
        };
        self.stop.run_until_cancelled(measuring).await;
    }

    /// Receives until it is to stop.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self) -> Result<(), LedgerError> {
        let at_work = AtomicUsize::new(0);
        let (mut receives, mut batches) = (FuturesUnordered::new(), FuturesUnordered::new());
        let (mut wanted, mut not_before) = (1, Instant::now());
        loop {
            // An idle queue has one receiver; one that brings something has them all.
            let room =
                |receives: usize| at_work.load(Ordering::Relaxed) + (receives + 1) * SQS_BATCH <= AT_ONCE;
            while receives.len() < wanted && room(receives.len()) {
                receives.push(async move {
                    tokio::time::sleep_until(not_before).await;
                    self.queue.receive(WAIT, HIDDEN).await
                });
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(done) = batches.next(), if !batches.is_empty() => done?,
                Some(answer) = receives.next(), if !receives.is_empty() => match answer {
                    Ok(brought) => {
                        self.pulse.record_success();
                        not_before = Instant::now();
                        wanted = if brought.is_empty() { 1 } else { self.receivers };
                        if let Some(pause) = self.flood.pause() {
                            self.pulse.failed("flooded with messages that are no findings of GuardDuty's, or repeat one");
                            self.pulse.goes_on_in(pause);
                            (wanted, not_before) = (1, Instant::now() + pause);
                            let alert = alerts::queue_flooded(&self.name(), pause);
                            self.verifier.alerts.raise_alert(alert).await?;
                        }
                        if !brought.is_empty() {
                            at_work.fetch_add(brought.len(), Ordering::Relaxed);
                            batches.push(self.work_off(brought, &at_work));
                        }
                    }
                    Err(error) => {
                        let (failures, is_other) = self.pulse.failed(&error.to_string());
                        let delay = BACKOFF.after(failures);
                        self.pulse.goes_on_in(delay);
                        (wanted, not_before) = (1, Instant::now() + delay);
                        self.failed(&error, is_other).await?;
                    }
                },
                // Some messages of a batch may be done, and make room.
                () = tokio::time::sleep(BACKOFF.first), if receives.is_empty() => {}
            }
        }
        drop(receives);
        while let Some(done) = batches.next().await {
            done?;
        }
        Ok(())
    }

    async fn failed(&self, error: &CallError, is_other: bool) -> Result<(), LedgerError> {
        let hint = hub_hint(error, self.verifier.hub.identity());
        tracing::error!(hint, "events cannot be received: {error}");
        // One entry for an outage, not one for each try.
        if is_other {
            self.verifier.ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
        }
        Ok(())
    }

    /// Brings what one receive gave as far as it goes.
    async fn work_off(&self, messages: Vec<Message>, at_work: &AtomicUsize) -> Result<(), LedgerError> {
        let with =
            Work { origin: &self.origin, verifier: &self.verifier, intake: &self.intake, flood: &self.flood };
        let mut batch = ReceiveBatch::open(messages, with, self.queue.is_fifo());
        while !batch.are_settled() {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                happened = batch.next() => batch.take(happened?)?,
            }
            let settled = batch.take_settled();
            if !settled.is_empty() {
                batch.beside(self.delete(settled));
            }
            for (time, receipts) in batch.take_hidden() {
                batch.beside(self.hide(receipts, time));
            }
            at_work.fetch_sub(batch.newly_settled(), Ordering::Relaxed);
        }
        let (settled, left) = (batch.take_all_settled(), batch.left());
        at_work.fetch_sub(batch.uncounted(), Ordering::Relaxed);
        batch.beside(self.delete(settled));
        batch.beside(self.hide(left, GIVEN_BACK));
        tokio::select! {
            () = batch.finish() => {}
            () = async { self.stop.cancelled().await; tokio::time::sleep(LAST_WORDS).await } => {}
        }
        Ok(())
    }

    /// Takes messages out of the queue. What SQS does not take out is tried again a few times; then it
    /// comes again, and is known then.
    async fn delete(&self, mut receipts: Vec<String>) {
        for tries in 1..=DELETE_TRIES {
            if receipts.is_empty() {
                return;
            }
            let error = match self.queue.delete(&receipts).await {
                Ok(not_taken) => {
                    let left = not_taken.iter().filter_map(|(number, _)| receipts.get(*number).cloned());
                    receipts = left.collect();
                    not_taken.into_iter().map(|(_, error)| error).next().unwrap_or_default()
                }
                Err(error) => error.to_string(),
            };
            if receipts.is_empty() {
                return;
            }
            let count = receipts.len();
            tracing::warn!(queue = self.queue.name(), count, "messages could not be deleted: {error}");
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(BACKOFF.after(tries)) => {}
            }
        }
    }

    async fn hide(&self, receipts: Vec<String>, time: Duration) {
        if receipts.is_empty() {
            return;
        }
        match self.queue.hide(&receipts, time).await {
            Ok(not_taken) => {
                for (_, error) in not_taken {
                    tracing::warn!(queue = self.queue.name(), "a message may come again too early: {error}");
                }
            }
            Err(error) => {
                tracing::warn!(queue = self.queue.name(), "messages may come again too early: {error}");
            }
        }
    }
}
