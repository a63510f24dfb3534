//! Events from EventBridge through an SQS queue.
//!
//! A message leaves the queue when it is recorded what is done about each finding in it. Until then it
//! stays hidden from other receivers. What is not settled at a stop is made visible again, for the next
//! process. What GuardDuty does not answer about is given back for a while: the polls find it as well.

use super::flood::Flood;
use super::health::Pulse;
use super::hints::Hints;
use super::intake::IntakeSender;
use super::receive_batch::{HIDDEN, ReceiveBatch};
use super::taker::Taker;
use crate::aws::{Message, Queue, SQS_BATCH};
use crate::backoff::Backoff;
use crate::ledger::LedgerError;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest that SQS waits for a first message.
const WAIT: Duration = Duration::from_secs(20);

/// So many messages are worked on at once at most.
const AT_ONCE: usize = 500;

/// After a receive failed.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// How often SQS is asked to delete a message.
const DELETE_TRIES: u32 = 4;

/// The last words to SQS at a stop take no longer than this.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Receives from one queue.
#[derive(Debug)]
pub struct QueueFeed {
    queue: Queue,
    name: String,
    receivers: usize,
    pulse: Pulse,
    flood: Flood,
}

impl QueueFeed {
    /// For one queue.
    #[must_use]
    pub fn new(queue: Queue, receivers: usize) -> Self {
        let name = format!("SQS {}", queue.name());
        Self { name, queue, receivers, pulse: Pulse::default(), flood: Flood::default() }
    }

    /// The name under which the ledger knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How it is doing.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Receives until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(
        &self,
        intake: &IntakeSender,
        hints: Hints<'_>,
        taker: &impl Taker,
        stop: &CancellationToken,
    ) -> Result<(), LedgerError> {
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
                () = stop.cancelled() => break,
                Some(done) = batches.next(), if !batches.is_empty() => done?,
                Some(answer) = receives.next(), if !receives.is_empty() => match answer {
                    Ok(brought) => {
                        self.pulse.record_success();
                        not_before = Instant::now();
                        wanted = if brought.is_empty() { 1 } else { self.receivers };
                        if let Some(pause) = self.flood.pause() {
                            self.pulse.failed("flooded with what is no finding of GuardDuty's, or was told before");
                            self.pulse.goes_on_in(pause);
                            (wanted, not_before) = (1, Instant::now() + pause);
                            taker.flooded(&self.name, pause).await?;
                        }
                        if !brought.is_empty() {
                            at_work.fetch_add(brought.len(), Ordering::Relaxed);
                            batches.push(self.work_off(brought, intake, hints, taker, stop, &at_work));
                        }
                    }
                    Err(error) => {
                        let (failures, is_other) = self.pulse.failed(&error.to_string());
                        let delay = BACKOFF.after(failures);
                        self.pulse.goes_on_in(delay);
                        (wanted, not_before) = (1, Instant::now() + delay);
                        taker.failed(&error, is_other).await?;
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

    /// Brings what one receive gave as far as it goes.
    async fn work_off<'a>(
        &'a self,
        messages: Vec<Message>,
        intake: &'a IntakeSender,
        hints: Hints<'a>,
        taker: &impl Taker,
        stop: &'a CancellationToken,
        at_work: &AtomicUsize,
    ) -> Result<(), LedgerError> {
        let mut batch = ReceiveBatch::open(messages, &self.name, self.queue.is_fifo(), &self.flood, taker);
        while !batch.are_settled() {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                happened = batch.next(hints) => batch.take(happened?, intake, hints, taker).await?,
            }
            let settled = batch.take_settled();
            if !settled.is_empty() {
                batch.beside(self.delete(settled, stop));
            }
            for (time, receipts) in batch.take_hidden() {
                batch.beside(self.hide(receipts, time));
            }
            at_work.fetch_sub(batch.newly_settled(), Ordering::Relaxed);
        }
        let (settled, left) = (batch.take_all_settled(), batch.left());
        at_work.fetch_sub(batch.uncounted(), Ordering::Relaxed);
        batch.beside(self.delete(settled, stop));
        batch.beside(self.hide(left, Duration::ZERO));
        tokio::select! {
            () = batch.finish() => {}
            () = async { stop.cancelled().await; tokio::time::sleep(LAST_WORDS).await } => {}
        }
        Ok(())
    }

    /// Takes messages out of the queue. What SQS does not take out is tried again a few times; then it
    /// comes again, and is known then.
    async fn delete(&self, mut receipts: Vec<String>, stop: &CancellationToken) {
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
            tracing::warn!(queue = self.name, count, "messages could not be deleted: {error}");
            tokio::select! {
                () = stop.cancelled() => return,
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
                    tracing::warn!(queue = self.name, "a message may come again too early: {error}");
                }
            }
            Err(error) => tracing::warn!(queue = self.name, "messages may come again too early: {error}"),
        }
    }
}
