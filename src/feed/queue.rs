//! Events from EventBridge through an SQS queue.
//!
//! A message leaves the queue when it is recorded what is done about each finding in it. Until then it
//! stays hidden from other receivers. What is not settled at a stop is made visible again, for the next
//! process.

use super::Pulse;
use super::hints::{Fate, Hint, Hints};
use crate::aws::{CallError, Message, Queue, SQS_BATCH};
use crate::backoff::Backoff;
use crate::finding::{Finding, Unconfirmed, decode};
use crate::ident::AccountId;
use crate::ledger::LedgerError;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest that SQS waits for a first message.
const WAIT: Duration = Duration::from_secs(20);

/// How long a received message stays hidden, and how often that is done again while it is worked on.
const HIDDEN: Duration = Duration::from_secs(30);
const HIDE_AGAIN: Duration = Duration::from_secs(10);

/// So many messages are worked on at once at most.
const AT_ONCE: usize = 500;

/// After a receive, or GuardDuty, failed.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// How often GuardDuty is asked for a finding that it does not have: an event can be faster than the
/// API. After 1, 2 and 4 seconds; then the poll is the one to find it.
const PATIENCE: u32 = 3;

/// How often SQS is asked to delete a message.
const DELETE_TRIES: u32 = 4;

/// How often it is looked whether somebody else has decided about a finding.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Receives from one queue.
#[derive(Debug)]
pub struct QueueFeed {
    queue: Queue,
    name: String,
    receivers: usize,
    pulse: Pulse,
}

/// Whoever does something about findings.
pub trait Taker: Sync {
    /// A finding about this account may be on its way.
    fn expect(&self, account: &AccountId);

    /// Takes a new finding. The answer comes when it is recorded what is done about it; without
    /// one, nothing was decided yet.
    fn take(&self, finding: Finding) -> oneshot::Receiver<()>;

    /// What was claimed is not so: a person is to know.
    fn unconfirmed(
        &self,
        source: &str,
        claim: &Finding,
        why: &Unconfirmed,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Receiving failed, so often in a row; a person is to know.
    fn failed(
        &self,
        error: &CallError,
        is_other: bool,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;
}

/// A message that is being worked on.
struct Parcel {
    message: Message,
    /// How many of its findings are not settled.
    open: usize,
    /// It stays in the queue: it cannot be read, or was not decided.
    stays: bool,
    /// It was taken out of the queue.
    is_gone: bool,
}

impl QueueFeed {
    /// For one queue.
    #[must_use]
    pub fn new(queue: Queue, receivers: usize) -> Self {
        Self { name: format!("SQS {}", queue.name()), queue, receivers, pulse: Pulse::default() }
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
        hints: Hints<'_>,
        taker: &impl Taker,
        stop: &CancellationToken,
    ) -> Result<(), LedgerError> {
        let (mut receives, mut batches) = (FuturesUnordered::new(), FuturesUnordered::new());
        let (mut at_work, mut wanted, mut not_before) = (0, 1, Instant::now());
        loop {
            // An idle queue has one receiver; one that brings something has them all.
            while receives.len() < wanted && at_work + (receives.len() + 1) * SQS_BATCH <= AT_ONCE {
                receives.push(async move {
                    tokio::time::sleep_until(not_before).await;
                    self.queue.receive(WAIT, HIDDEN).await
                });
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(done) = batches.next(), if !batches.is_empty() => at_work -= done?,
                Some(answer) = receives.next(), if !receives.is_empty() => match answer {
                    Ok(brought) => {
                        self.pulse.is_well();
                        not_before = Instant::now();
                        wanted = if brought.is_empty() { 1 } else { self.receivers };
                        at_work += brought.len();
                        if !brought.is_empty() {
                            batches.push(self.work_off(brought, hints, taker, stop));
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
            }
        }
        drop(receives);
        while let Some(done) = batches.next().await {
            done?;
        }
        Ok(())
    }

    /// Brings what one receive gave as far as it goes; gives how many messages it was.
    async fn work_off(
        &self,
        messages: Vec<Message>,
        hints: Hints<'_>,
        taker: &impl Taker,
        stop: &CancellationToken,
    ) -> Result<usize, LedgerError> {
        let count = messages.len();
        let mut parcels: Vec<Parcel> = messages
            .into_iter()
            .map(|message| Parcel { message, open: 0, stays: false, is_gone: false })
            .collect();
        let mut open = Vec::new();
        for (of, parcel) in parcels.iter_mut().enumerate() {
            let decoded = decode(parcel.message.body.as_bytes());
            parcel.open = decoded.len();
            decoded.iter().flatten().for_each(|claim| taker.expect(&claim.account));
            let item = &parcel.message.id;
            open.extend(decoded.into_iter().map(|decoded| Hint { of, item: item.clone(), decoded }));
        }
        let (mut tries, mut next_try) = (0, Instant::now());
        let mut hide_again = Instant::now() + HIDE_AGAIN;
        // Findings that somebody is deciding about, and those that somebody else is.
        let (mut decided, mut elsewhere) = (FuturesUnordered::new(), Vec::<(usize, String)>::new());
        while parcels.iter().any(|parcel| parcel.open > 0) {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(next_try), if !open.is_empty() => {
                    tries += 1;
                    let settling = hints.settle(&self.name, std::mem::take(&mut open), tries <= PATIENCE);
                    let fates = tokio::select! {
                        () = stop.cancelled() => break,
                        fates = settling => fates?,
                    };
                    for (of, fate) in fates {
                        match fate {
                            Fate::New(finding) => {
                                let told = taker.take(finding);
                                decided.push(async move { (of, told.await.is_ok()) });
                            }
                            Fate::Seen(finding) => {
                                let occurrence = finding.occurrence();
                                if hints.reader.is_decided(&occurrence)? {
                                    parcels[of].open -= 1;
                                } else {
                                    elsewhere.push((of, occurrence));
                                }
                            }
                            Fate::Unconfirmed { why, claim } => {
                                taker.unconfirmed(&self.name, &claim, &why).await?;
                                parcels[of].open -= 1;
                            }
                            // Poison is left to the queue's redrive policy.
                            Fate::Undecodable => {
                                parcels[of].open -= 1;
                                parcels[of].stays = true;
                            }
                            Fate::Open { hint, error } => {
                                if let Some(error) = error {
                                    tracing::warn!(item = hint.item, "not confirmed yet: {error}");
                                }
                                open.push(*hint);
                            }
                        }
                    }
                    next_try = Instant::now() + BACKOFF.after(tries);
                }
                Some((of, is_decided)) = decided.next(), if !decided.is_empty() => {
                    parcels[of].open -= 1;
                    parcels[of].stays |= !is_decided;
                }
                () = tokio::time::sleep(LOOK_AGAIN), if !elsewhere.is_empty() => {
                    let mut left = Vec::new();
                    for (of, occurrence) in elsewhere {
                        if hints.reader.is_decided(&occurrence)? {
                            parcels[of].open -= 1;
                        } else {
                            left.push((of, occurrence));
                        }
                    }
                    elsewhere = left;
                }
                () = tokio::time::sleep_until(hide_again) => {
                    hide_again = Instant::now() + HIDE_AGAIN;
                    self.delete(&mut parcels, stop).await;
                    self.hide(&parcels, HIDDEN).await;
                }
            }
            // What is settled together leaves together.
            if decided.is_empty() {
                self.delete(&mut parcels, stop).await;
            }
        }
        self.delete(&mut parcels, stop).await;
        if stop.is_cancelled() {
            self.hide(&parcels, Duration::ZERO).await;
        }
        Ok(count)
    }

    /// Takes out what is settled. What SQS does not take out is tried again a few times; then it comes
    /// again, and is known then.
    async fn delete(&self, parcels: &mut [Parcel], stop: &CancellationToken) {
        let mut receipts = Vec::new();
        for parcel in parcels.iter_mut().filter(|one| one.open == 0 && !one.stays && !one.is_gone) {
            parcel.is_gone = true;
            receipts.push(parcel.message.receipt.clone());
        }
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
                () = tokio::time::sleep(BACKOFF.after(tries)), if tries < DELETE_TRIES => {}
                else => {}
            }
        }
    }

    async fn hide(&self, parcels: &[Parcel], time: Duration) {
        let left = parcels.iter().filter(|parcel| !(parcel.is_gone || parcel.stays && parcel.open == 0));
        let receipts: Vec<String> = left.map(|parcel| parcel.message.receipt.clone()).collect();
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
