//! Polling: every region on its own, so that one that hangs does not hold up the others.

use super::{Seen, Service};
use crate::aws::hub_hint;
use crate::backoff::{Backoff, about};
use crate::finding::Decoded;
use crate::ingest::{FeedError, Poll, Poller, Recorded};
use crate::ledger::LedgerError;
use crate::remediation::{Draft, Event, Origin, Subject};
use std::sync::Arc;
use std::time::Duration;

/// The longest time between two polls of a region that fails, unless `poll_interval` is longer.
const LONGEST: Duration = Duration::from_mins(5);

/// A region that is not enabled is looked at again after this.
const SKIPPED: Duration = Duration::from_hours(1);

impl Service {
    /// Polls every region once, side by side; does not wait for what comes of it.
    ///
    /// A region that fails is recorded and does not disturb the others. Gives the occurrences
    /// that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn poll(&self) -> Result<Seen, LedgerError> {
        let pollers = self.watch.pollers();
        let all = pollers.iter().map(|poller| self.poll_region(poller));
        let mut seen = Seen::default();
        for region in futures::future::join_all(all).await {
            seen.append(region?);
        }
        Ok(seen)
    }

    /// Polls one region again and again, until it is to stop.
    pub(super) async fn keep_polling(&self, poller: Arc<Poller>) -> Result<(), LedgerError> {
        let interval = self.config.poll_interval;
        let backoff = Backoff { first: interval * 2, longest: LONGEST.max(interval) };
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                done = self.poll_region(&poller) => { done?; }
            }
            let health = poller.pulse().health();
            let delay = match health.failures {
                _ if health.skipped.is_some() => about(SKIPPED.max(interval)),
                0 => about(interval),
                failures => backoff.after(failures),
            };
            poller.pulse().goes_on_in(delay);
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    async fn poll_region(&self, poller: &Poller) -> Result<Seen, LedgerError> {
        let mut seen = Seen::default();
        let types = self.engine.policy().rules.types();
        let with = Poll {
            hub: &self.hub,
            ledger: &self.ledger,
            reader: &self.reader,
            types: &types,
            pace: &self.pace,
        };
        let origin = Origin::Poll { region: poller.region().clone() };
        let poll = poller.poll(with, async |batch| {
            for recorded in batch {
                match recorded {
                    Recorded::New(finding) => {
                        drop(self.intake.send(finding, origin.clone()).await?);
                    }
                    Recorded::Seen(finding) => seen.add(finding),
                    Recorded::Undecodable(_) => {}
                }
            }
            Ok(())
        });
        match poll.await {
            Ok(()) => {
                poller.pulse().record_success();
                tracing::debug!(region = %poller.region(), "the region was read to the end");
            }
            Err(FeedError::Stopped(_)) => {}
            Err(FeedError::Ledger(error)) => return Err(error),
            Err(error) => self.poll_failed(poller, error).await?,
        }
        Ok(seen)
    }

    async fn poll_failed(&self, poller: &Poller, error: FeedError) -> Result<(), LedgerError> {
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
        let hint = self.feed_hint(&error);
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
        let types = &self.engine.policy().rules.types();
        let pollers = self.watch.pollers();
        let peeks = pollers.iter().map(|poller| async move { (poller, poller.peek(&self.hub, types).await) });
        for (poller, (findings, failure)) in futures::future::join_all(peeks).await {
            decoded.extend(findings);
            if let Some(error) = failure {
                let error = poller.why_refused(&self.hub, error).await;
                if !error.is_as_it_should_be(poller) {
                    errors.push(format!("{}: {error}\n  {}", poller.region(), self.feed_hint(&error)));
                }
            }
        }
        (decoded, errors)
    }

    fn feed_hint(&self, error: &FeedError) -> String {
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
