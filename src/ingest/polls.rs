//! Polling: every region on its own, so that one that hangs does not hold up the others.

use super::error::FeedError;
use super::guardduty::Poll;
use super::intake::IntakeSender;
use super::pace::Pace;
use super::poller::Poller;
use super::regions::WatchedRegions;
use super::seen::Seen;
use super::tasks::joined;
use crate::aws::{Hub, hub_hint};
use crate::backoff::{Backoff, about};
use crate::finding::Decoded;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{Draft, Event, Subject};
use crate::triage::Types;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Maximum interval between two polls of a region that fails, unless `poll_interval` is longer.
const LONGEST: Duration = Duration::from_mins(5);

/// Interval after which a region that is not enabled is looked at again.
const SKIPPED: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub struct Polls {
    pub hub: Hub,
    /// Where findings and cursors are recorded.
    pub ledger: Ledger,
    /// Where the cursors are read.
    pub reader: Reader,
    pub regions: Arc<WatchedRegions>,
    /// What the rules could be for, as of now.
    pub types: watch::Receiver<Types>,
    pub pace: Pace,
    /// Interval between two polls of a region.
    pub interval: Duration,
}

impl Polls {
    /// Polls every region again and again, also those that are found later, until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(
        self: Arc<Self>,
        intake: IntakeSender,
        stop: CancellationToken,
    ) -> Result<(), LedgerError> {
        let (mut polls, mut begun) = (JoinSet::new(), HashSet::new());
        let mut regions = self.regions.subscribe();
        loop {
            let pollers = regions.borrow_and_update().clone();
            for poller in pollers {
                if begun.insert(poller.region().clone()) {
                    polls.spawn(Arc::clone(&self).keep_polling(poller, intake.clone(), stop.clone()));
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(done) = polls.join_next(), if !polls.is_empty() => joined(done)?,
                Ok(()) = regions.changed() => {}
            }
        }
    }

    /// Polls one region again and again, until `stop` is cancelled.
    async fn keep_polling(
        self: Arc<Self>,
        poller: Arc<Poller>,
        intake: IntakeSender,
        stop: CancellationToken,
    ) -> Result<(), LedgerError> {
        let backoff = Backoff { first: self.interval * 2, longest: LONGEST.max(self.interval) };
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                done = self.poll_region(&poller, &intake) => { done?; }
            }
            let health = poller.pulse().health();
            let delay = match health.failures {
                _ if health.skipped.is_some() => about(SKIPPED.max(self.interval)),
                0 => about(self.interval),
                failures => backoff.after(failures),
            };
            poller.pulse().goes_on_in(delay);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    /// Polls every region once, side by side; does not wait for what comes of it.
    ///
    /// A region that fails is recorded and does not disturb the others. Gives the occurrences
    /// that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn once(&self, intake: &IntakeSender) -> Result<Seen, LedgerError> {
        let pollers = self.regions.pollers();
        let all = pollers.iter().map(|poller| self.poll_region(poller, intake));
        let mut seen = Seen::default();
        for region in futures::future::join_all(all).await {
            seen.append(region?);
        }
        Ok(seen)
    }

    async fn poll_region(&self, poller: &Poller, intake: &IntakeSender) -> Result<Seen, LedgerError> {
        let mut seen = Seen::default();
        let types = self.types.borrow().clone();
        let with = Poll {
            hub: &self.hub,
            ledger: &self.ledger,
            reader: &self.reader,
            types: &types,
            pace: &self.pace,
        };
        match poller.poll(with, intake, &mut seen).await {
            Ok(()) => {
                poller.pulse().record_success();
                tracing::debug!(region = %poller.region(), "the region was read to the end");
            }
            Err(FeedError::Stopped(_)) => {}
            Err(FeedError::Ledger(error)) => return Err(error),
            Err(error) => self.failed(poller, error).await?,
        }
        Ok(seen)
    }

    async fn failed(&self, poller: &Poller, error: FeedError) -> Result<(), LedgerError> {
        let region = poller.region();
        let error = poller.why_refused(&self.hub, error).await;
        let text = error.to_string();
        if error.is_as_it_should_be(poller) {
            if poller.pulse().record_skip(&text) {
                tracing::warn!(%region, "the region is not read: {text}");
                let subject = Subject { region: Some(region.clone()), ..Subject::default() };
                self.ledger.append(Draft { subject, event: Event::RegionSkipped { reason: text } }).await?;
            }
            return Ok(());
        }
        let (failures, is_other) = match &error {
            FeedError::Partly(_) => poller.pulse().failed_partly(&text),
            _ => poller.pulse().failed(&text),
        };
        let hint = self.hint(&error);
        tracing::error!(%region, failures, hint, "findings cannot be read: {text}");
        // One entry for an outage, not one for each try.
        if is_other {
            self.ledger.append(Draft::feed_failed(Some(region), text, hint)).await?;
        }
        Ok(())
    }

    /// All findings that GuardDuty has now, without recording them; and what went wrong where.
    pub async fn peek(&self) -> (Vec<Decoded>, Vec<String>) {
        let (mut decoded, mut errors) = (Vec::new(), Vec::new());
        let types = &self.types.borrow().clone();
        let pollers = self.regions.pollers();
        let peeks = pollers.iter().map(|poller| async move { (poller, poller.peek(&self.hub, types).await) });
        for (poller, (findings, failure)) in futures::future::join_all(peeks).await {
            decoded.extend(findings);
            if let Some(error) = failure {
                let error = poller.why_refused(&self.hub, error).await;
                if !error.is_as_it_should_be(poller) {
                    errors.push(format!("{}: {error}\n  {}", poller.region(), self.hint(&error)));
                }
            }
        }
        (decoded, errors)
    }

    fn hint(&self, error: &FeedError) -> String {
        match error {
            FeedError::Call(error) | FeedError::Partly(error) => hub_hint(error, self.hub.identity()),
            FeedError::NoDetector(region) => format!(
                "Enable GuardDuty in {region} in account {} (the delegated administrator), or take {region} out of `regions`.",
                self.hub.identity().account
            ),
            FeedError::NotEnabled { .. } | FeedError::Stopped(_) | FeedError::Ledger(_) => String::new(),
        }
    }
}
