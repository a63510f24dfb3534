//! The service: feed, engine and ledger put together; start, loop and stop.

use crate::aws::{CallError, CallSink, Hub, hub_hint, who_hint};
use crate::config::{Config, Mode};
use crate::engine::{Engine, read_organization};
use crate::feed::{FeedError, Poll, Poller, Received, record};
use crate::finding::{Decoded, Finding};
use crate::ledger::{Draft, Entry, Event, Ledger, LedgerError, Lock, Reader, State};
use crate::remedy::RoleSessions;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a blocked remediation is tried again while the service runs.
const BLOCKED_AGAIN: Duration = Duration::from_hours(1);

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
}

/// Why the service could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The hub's AWS.
    #[error("{error}\n  {hint}")]
    Aws {
        /// The call that failed.
        error: CallError,
        /// What to do.
        hint: String,
    },
    /// The credentials are in another partition than the configured regions.
    #[error(
        "the credentials are in the partition {credentials}, but the configured regions are in {regions}"
    )]
    Partition {
        /// The partition of the caller's ARN.
        credentials: crate::ident::Partition,
        /// The partition of the regions.
        regions: crate::ident::Partition,
    },
}

impl Service {
    /// Opens the ledger, finds out who the hub is and which accounts there are.
    ///
    /// A service that acts takes the ledger's lock, so that there is one at a time. One that only
    /// plans does not: it records its AWS calls, and what of the organization could not be read.
    ///
    /// # Errors
    /// When the ledger cannot be used, or the hub's AWS cannot be reached or refuses.
    pub async fn start(
        config: Config,
        command: &str,
        acts: bool,
        stop: CancellationToken,
    ) -> Result<Self, ServiceError> {
        let lock = if acts { Some(Lock::take(&config.ledger, command)?) } else { None };
        let ledger = Ledger::open(&config.ledger)?;
        let reader = ledger.reader()?;
        let started_at = reader.last()?;
        match Self::connect(&config, command, acts, &ledger).await {
            Ok((hub, organization)) => {
                let engine = Engine::new(
                    &config,
                    hub.clone(),
                    ledger.clone(),
                    RoleSessions,
                    organization,
                    stop.clone(),
                )?;
                let pollers = config.regions.iter().cloned().map(Poller::new).collect();
                Ok(Self { config, ledger, reader, hub, engine, pollers, stop, started_at, lock })
            }
            Err(error) => {
                if acts && let ServiceError::Aws { error, hint } = &error {
                    ledger.append(Draft::feed_failed(None, error.to_string(), hint.clone())).await?;
                }
                ledger.close();
                Err(error)
            }
        }
    }

    async fn connect(
        config: &Config,
        command: &str,
        acts: bool,
        ledger: &Ledger,
    ) -> Result<(Hub, crate::org::Snapshot), ServiceError> {
        if acts {
            let started = Event::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                command: command.to_owned(),
                mode: config.mode,
                config_sha256: config.sha256.clone(),
                opt_outs_sha256: config.opt_outs.sha256.clone(),
                opt_outs: config.opt_outs.in_force(Timestamp::now()),
            };
            ledger.append(Draft::of_service(started)).await?;
        }
        let sink: Arc<dyn CallSink> = Arc::new(ledger.clone());
        let hub = Hub::connect(config.home_region(), sink)
            .await
            .map_err(|error| ServiceError::Aws { hint: who_hint(&error), error })?;
        let identity = hub.identity();
        tracing::debug!(account = %identity.account, arn = identity.arn, "connected");
        if identity.partition != config.partition() {
            let (credentials, regions) = (identity.partition, config.partition());
            return Err(ServiceError::Partition { credentials, regions });
        }
        let (organization, draft) = read_organization(&hub)
            .await
            .map_err(|error| ServiceError::Aws { hint: hub_hint(&error, hub.identity()), error })?;
        if acts {
            let connected =
                Event::Connected { hub_account: identity.account.clone(), hub_arn: identity.arn.clone() };
            let entries = vec![Draft::of_service(connected), draft];
            ledger.append(crate::ledger::Append { entries, cursor: None }).await?;
        }
        Ok((hub, organization))
    }

    /// The ledger, for reading.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
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
                self.engine.submit(finding);
            }
        }
        Ok(())
    }

    /// The mode and the finding's age allow to act on it.
    #[must_use]
    pub fn would_act_on(&self, finding: &Finding) -> bool {
        self.config.mode == Mode::Enforce
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
        let polls = self.pollers.iter().map(|poller| self.poll_region(poller));
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

    async fn poll_region(&self, poller: &Poller) -> Result<Vec<Finding>, LedgerError> {
        let mut seen = Vec::new();
        let with = Poll { hub: &self.hub, ledger: &self.ledger, reader: &self.reader };
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
        let peeks = self.pollers.iter().map(|poller| async move { (poller, poller.peek(&self.hub).await) });
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
        let Received { new, seen, .. } = record(&self.ledger, source, None, decoded, None).await?;
        let mut known = HashSet::new();
        for finding in &seen {
            if !self.would_act_on(finding) || !known.insert(finding.occurrence()) {
                continue;
            }
            let decision = self.reader.decided(&finding.occurrence())?.and_then(|d| d.decision);
            let remediation = decision.as_ref().and_then(Entry::takes_care);
            match (decision.as_ref().map(|d| &d.event), remediation) {
                (Some(Event::Decision { verdict, .. }), _) if verdict == "observe" => {
                    self.engine.submit(finding.clone());
                }
                (_, Some(id)) if self.reader.remediation(id)?.state == State::Failed => {
                    self.engine.reopen(id, source).await?;
                }
                _ => {}
            }
        }
        for finding in new {
            self.engine.submit(finding);
        }
        self.engine.drained().await?;
        Ok(seen)
    }

    /// Polls until `stop` is cancelled. What is in flight then is finished.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(self.config.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut blocked_tried = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let try_blocked = blocked_tried.elapsed() >= BLOCKED_AGAIN;
            if try_blocked {
                blocked_tried = tokio::time::Instant::now();
            }
            // Nothing here waits for what is in flight: one slow account must not keep another's
            // theft from being seen.
            self.engine.resume(|state| try_blocked || state != State::Blocked)?;
            tokio::select! {
                () = self.stop.cancelled() => {}
                polled = self.poll() => { polled?; }
            }
            self.engine.keep_organization_fresh();
        }
        self.engine.drained().await
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
        self.ledger.close();
        drained.and(done)
    }
}
