//! The service: feed, engine and ledger put together; start, loop and stop.

mod checkpoints;
mod opt_outs;
mod run;
mod start;

pub use checkpoints::{Checkpoints, Rotated};
pub use start::{Purpose, ServiceError};

use crate::aws::{Hub, hub_hint};
use crate::config::{Config, Mode};
use crate::engine::Engine;
use crate::feed::{FeedError, Poll, Poller, Received, Source, record};
use crate::finding::{Decoded, Finding};
use crate::ledger::{Decided, Draft, Entry, Event, Ledger, LedgerError, Lock, Reader, State};
use crate::remedy::RoleSessions;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Everything that acts on one ledger.
pub struct Service {
    config: Config,
    ledger: Ledger,
    reader: Reader,
    hub: Hub,
    engine: Arc<Engine<RoleSessions>>,
    pollers: Vec<Poller>,
    stop: CancellationToken,
    /// The last entry before this start.
    started_at: i64,
    lock: Option<Lock>,
    /// Who acts on a ledger signs how it stands.
    checkpoints: Option<Checkpoints>,
}

impl Service {
    /// The ledger, for reading.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The number of the last entry before this start.
    #[must_use]
    pub fn started_at(&self) -> i64 {
        self.started_at
    }

    /// The engine, for planning.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine<RoleSessions>> {
        &self.engine
    }

    /// Takes up everything that an earlier run left unfinished; does not wait for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn recover(&self) -> Result<(), LedgerError> {
        self.engine.resume(|_| true)
    }

    /// Decides again about recent findings that were only observed so far.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn take_up_observed(&self) -> Result<(), LedgerError> {
        for finding in self.reader.observed()? {
            if self.would_act_on(&finding) {
                self.engine.submit_asked(finding);
            }
        }
        Ok(())
    }

    /// The regions were polled before: what comes from now on is new.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_watching(&self) -> Result<bool, LedgerError> {
        let each = self.config.regions.iter().map(|region| self.reader.watched_since(region));
        Ok(each.collect::<Result<Vec<_>, _>>()?.iter().all(Option::is_some))
    }

    /// The mode and the finding's age allow to act on it.
    #[must_use]
    pub fn would_act_on(&self, finding: &Finding) -> bool {
        self.config.mode <= Mode::Approve
            && Timestamp::now().duration_since(finding.last_seen()) <= self.config.max_finding_age
    }

    /// Polls every region once, side by side; does not wait for what comes of it.
    ///
    /// A region that fails is recorded and does not disturb the others. Gives the occurrences
    /// that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn poll(&self) -> Result<Vec<Finding>, LedgerError> {
        let types = self.engine.types();
        let polls = self.pollers.iter().map(|poller| self.poll_region(poller, types.as_deref()));
        let seen: Result<Vec<_>, _> = futures::future::join_all(polls).await.into_iter().collect();
        Ok(seen?.concat())
    }

    /// Waits until everything that was begun is done, or left because of a stop.
    ///
    /// # Errors
    /// When the ledger failed meanwhile.
    pub async fn drained(&self) -> Result<(), LedgerError> {
        self.engine.drained().await
    }

    async fn poll_region(
        &self,
        poller: &Poller,
        types: Option<&[String]>,
    ) -> Result<Vec<Finding>, LedgerError> {
        let mut seen = Vec::new();
        let with = Poll { hub: &self.hub, ledger: &self.ledger, reader: &self.reader, types };
        let poll = poller.poll(with, |received| {
            seen.extend(received.seen);
            received.new.into_iter().for_each(|finding| self.engine.submit(finding));
        });
        match poll.await {
            Ok(()) => Ok(seen),
            Err(FeedError::Ledger(error)) => Err(error),
            Err(error) => {
                let hint = self.feed_hint(&error);
                tracing::error!(region = %poller.region(), hint, "findings cannot be read: {error}");
                let draft = Draft::feed_failed(Some(poller.region()), error.to_string(), hint);
                self.ledger.append(draft).await?;
                Ok(seen)
            }
        }
    }

    /// All findings that GuardDuty has now, without recording them; and what went wrong where.
    pub async fn peek(&self) -> (Vec<Decoded>, Vec<String>) {
        let (mut decoded, mut errors) = (Vec::new(), Vec::new());
        let types = self.engine.types();
        let types = types.as_deref();
        let peeks =
            self.pollers.iter().map(|poller| async move { (poller, poller.peek(&self.hub, types).await) });
        for (poller, (findings, failure)) in futures::future::join_all(peeks).await {
            decoded.extend(findings);
            if let Some(error) = failure {
                errors.push(format!("{}: {error}\n  {}", poller.region(), self.feed_hint(&error)));
            }
        }
        (decoded, errors)
    }

    fn feed_hint(&self, error: &FeedError) -> String {
        match error {
            FeedError::Call(error) => hub_hint(error, self.hub.identity()),
            FeedError::NoDetector(region) => format!(
                "Enable GuardDuty in {region} in account {} (the delegated administrator), or take {region} out of `regions`.",
                self.hub.identity().account
            ),
            FeedError::Ledger(_) => String::new(),
        }
    }

    /// Records and carries out what was decoded from `source`, and waits until it is done.
    /// Somebody handed it in: so what was only observed is decided again, and what had failed is
    /// tried again. Gives the occurrences that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn handle(&self, source: &str, decoded: Vec<Decoded>) -> Result<Vec<Finding>, LedgerError> {
        let Received { new, seen, .. } =
            record(&self.ledger, &Source::handed_in(source), decoded, None).await?;
        let mut known = HashSet::new();
        for finding in &seen {
            if !known.insert(finding.occurrence()) {
                continue;
            }
            let decision = self.decision(finding)?;
            let remediation = decision.as_ref().and_then(Entry::takes_care);
            match (decision.as_ref().map(|d| &d.event), remediation) {
                (Some(Event::Decision { code, .. }), None) if can_change(code) => {
                    self.engine.submit_asked(finding.clone());
                }
                (_, Some(id))
                    if matches!(self.reader.remediation(id)?.state, State::Failed | State::Rejected) =>
                {
                    self.engine.reopen(id, source).await?;
                }
                _ => {}
            }
        }
        for finding in new {
            self.engine.submit_asked(finding);
        }
        self.engine.drained().await?;
        Ok(seen)
    }

    fn decision(&self, finding: &Finding) -> Result<Option<Entry>, LedgerError> {
        Ok(self.reader.decided(&finding.occurrence())?.and_then(|decided: Decided| decided.decision))
    }

    /// Records that it stops, and closes the ledger.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn stop(self, reason: &str) -> Result<(), LedgerError> {
        let drained = self.engine.drained().await;
        let done = if self.lock.is_some() {
            self.ledger
                .append(Draft::of_service(Event::Stopped { reason: reason.to_owned() }))
                .await
                .map(|_| ())
        } else {
            Ok(())
        };
        let signed = match &self.checkpoints {
            Some(checkpoints) => checkpoints.make(&self.ledger, &self.reader).await,
            None => Ok(()),
        };
        self.ledger.close();
        drained.and(done).and(signed)
    }
}

/// Whether the same finding can be decided otherwise by now: what it rested on is not the finding alone.
fn can_change(code: &str) -> bool {
    let for_good = [
        "sample",
        "archived",
        "no_principal",
        "not_a_role",
        "service_linked_role",
        "identity_center_role",
        "own_role",
    ];
    !for_good.contains(&code)
}
