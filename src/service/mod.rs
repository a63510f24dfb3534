//! The service: feed, engine and ledger put together; start, loop and stop.

mod opt_outs;

use crate::aws::{CallError, CallSink, Hub, hub_hint, who_hint};
use crate::config::{Config, Mode};
use crate::engine::{Engine, ORGANIZATION_AGE, read_organization};
use crate::feed::{FeedError, Poll, Poller, Received, Source, record};
use crate::finding::{Decoded, Finding};
use crate::ledger::{Append, Decided, Draft, Entry, Event, Ledger, LedgerError, Lock, Reader, State};
use crate::org::Snapshot;
use crate::remedy::RoleSessions;
use jiff::Timestamp;
use opt_outs::OptOutFile;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often a blocked remediation is tried again while the service runs.
const BLOCKED_AGAIN: Duration = Duration::from_hours(1);

/// How often the service looks for approvals and for changes of the opt-outs' file.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// What a service is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To act. It takes the ledger's lock, so that there is one at a time.
    Act {
        /// Also on what was there before it began to watch.
        backlog: bool,
    },
    /// To show what would be done. It records its AWS calls, and what of the organization could not
    /// be read.
    Plan,
}

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
    /// The opt-outs' file is gone.
    #[error(
        "{path}: not there, and at the last start it had {count} opt-out(s): bring it back, or leave an empty file there to have none"
    )]
    OptOutsGone {
        /// The file.
        path: String,
        /// How many opt-outs were read last.
        count: usize,
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
    /// # Errors
    /// When the ledger cannot be used, or the hub's AWS cannot be reached or refuses.
    pub async fn start(
        config: Config,
        command: &str,
        purpose: Purpose,
        stop: CancellationToken,
    ) -> Result<Self, ServiceError> {
        let acts = purpose != Purpose::Plan;
        let lock = if acts { Some(Lock::take(&config.ledger, command)?) } else { None };
        let ledger = Ledger::open(&config.ledger)?;
        let reader = ledger.reader()?;
        let started_at = reader.last()?;
        match Self::connect(&config, command, purpose, &ledger, &reader).await {
            Ok((hub, organization)) => {
                let engine = Engine::new(
                    &config,
                    purpose != Purpose::Act { backlog: false },
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
        purpose: Purpose,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<(Hub, Arc<Snapshot>), ServiceError> {
        let recorded = reader.opt_outs()?;
        if config.opt_outs.sha256.is_empty() && !recorded.is_empty() {
            return Err(ServiceError::OptOutsGone {
                path: config.opt_outs_file.display().to_string(),
                count: recorded.len(),
            });
        }
        if let Purpose::Act { backlog } = purpose {
            let started = Event::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                command: command.to_owned(),
                mode: config.mode,
                config_sha256: config.sha256.clone(),
                backlog,
            };
            let opt_outs = opt_outs::loaded(&config.opt_outs, &recorded, Timestamp::now());
            opt_outs::warn(&config.opt_outs);
            let entries = vec![Draft::of_service(started), Draft::of_service(opt_outs)];
            ledger.append(Append { entries, beside: Vec::new() }).await?;
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
        if let Purpose::Act { .. } = purpose {
            let (hub_account, hub_arn) = (identity.account.clone(), identity.arn.clone());
            ledger.append(Draft::of_service(Event::Connected { hub_account, hub_arn })).await?;
        }
        let organization = Self::organization(&hub, ledger, reader).await?;
        Ok((hub, organization))
    }

    /// The organization: as it was read within the hour, or as it is. When it cannot be read, as it
    /// was whenever it was read last; when it never was, none of its accounts is known, and what is
    /// about them waits.
    async fn organization(hub: &Hub, ledger: &Ledger, reader: &Reader) -> Result<Arc<Snapshot>, LedgerError> {
        let account = &hub.identity().account;
        let kept = reader.organization()?.filter(|kept| kept.read_by == *account).map(Arc::new);
        let age = |snapshot: &Arc<Snapshot>| Timestamp::now().duration_since(snapshot.read_at).abs();
        if let Some(kept) = kept.as_ref().filter(|kept| age(kept) < ORGANIZATION_AGE) {
            return Ok(Arc::clone(kept));
        }
        match read_organization(hub).await {
            Ok((snapshot, append)) => {
                ledger.append(append).await?;
                Ok(snapshot)
            }
            Err(error) => {
                let hint = hub_hint(&error, hub.identity());
                tracing::error!(hint, "the organization cannot be read: {error}");
                ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
                Ok(kept.unwrap_or_else(|| Arc::new(Snapshot::never_read(account))))
            }
        }
    }

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

    /// Polls until `stop` is cancelled. What is in flight then is finished. Between the polls it takes
    /// up approvals, and the opt-outs' file when it changed or `reload` asks for it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self, reload: &Notify) -> Result<(), LedgerError> {
        tokio::try_join!(self.keep_polling(), self.keep_looking_around(reload))?;
        self.engine.drained().await
    }

    async fn keep_polling(&self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(self.config.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut blocked_tried = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
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
    }

    async fn keep_looking_around(&self, reload: &Notify) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK_AROUND);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut file = OptOutFile::new(&self.config.opt_outs_file, self.config.opt_outs.clone());
        let mut approved = self.started_at;
        loop {
            let asked = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = reload.notified() => true,
                _ = ticks.tick() => false,
            };
            approved = self.engine.take_up_approved(approved)?;
            match file.look(asked) {
                None => {}
                Some(Ok(opt_outs)) => {
                    let event = opt_outs::loaded(opt_outs, &self.reader.opt_outs()?, Timestamp::now());
                    let removed = match &event {
                        Event::OptOuts { removed, .. } => removed.clone(),
                        _ => Vec::new(),
                    };
                    // Recorded before it counts.
                    self.ledger.append(Draft::of_service(event)).await?;
                    self.engine.use_opt_outs(opt_outs);
                    tracing::info!(count = opt_outs.all.len(), "the opt-outs were read again");
                    if !removed.is_empty() {
                        tracing::warn!(removed = removed.join(", "), "these opt-outs do not apply any more");
                    }
                    opt_outs::warn(opt_outs);
                }
                Some(Err(error)) => {
                    tracing::error!(
                        "the opt-outs are NOT taken over, those from before still apply: {error}"
                    );
                    self.ledger.append(Draft::of_service(Event::OptOutsRefused { error })).await?;
                }
            }
        }
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
