//! A host that follows: it replays the log into its own file, and sees when nobody leads.

use super::acting::{Acting, Free, pace};
use super::open::log_of;
use crate::config::{Config, LogSettings};
use crate::ledger::{Fault, Ledger, LedgerError, Lock, Log};
use crate::log::{Lease, Observed};
use jiff::Timestamp;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A host that follows. It holds its file's lock: no command on this host acts beside it.
pub struct Follower {
    settings: LogSettings,
    ledger: Ledger,
    log: Log,
    observed: Observed,
    /// The leadership under which the log ended when it was read last.
    epoch: Option<u64>,
    lock: Lock,
}

/// How far a follower has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The lease, as it was seen last.
    pub lease: Option<Lease>,
    /// When it last had everything that stood in the log.
    pub at: Timestamp,
    /// What keeps the log from being read.
    pub fault: Option<Fault>,
    /// Somebody leads, and all that their lease says is here: what is appended comes behind it. Where items are missing,
    /// nothing may be put in their place.
    pub is_whole: bool,
}

impl Follower {
    /// Opens the ledger of the configuration's log; none when it has none. Reads first what the file has not.
    ///
    /// # Errors
    /// When the file cannot be used or is not of the log, another process has its lock, or the log does not answer.
    pub async fn start(config: &Config, command: &str) -> Result<Option<Self>, LedgerError> {
        let Some(settings) = &config.log else { return Ok(None) };
        let lock = Lock::take(&config.ledger, command)?;
        let log = log_of(settings, config.home_region())?;
        let lease = log.store().lease().await.map_err(|error| LedgerError::Log { error })?;
        let (path, of_log) = (config.ledger.clone(), log.clone());
        let opened = tokio::task::spawn_blocking(move || Ledger::of_log(&path, &of_log)).await;
        let ledger = opened.map_err(|_| LedgerError::Closed)??;
        let observed = Observed::new(lease, Instant::now());
        Ok(Some(Self { settings: settings.clone(), ledger, log, observed, epoch: None, lock }))
    }

    /// The process, as its items in the log name it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.log.writer()
    }

    /// The ledger. What is appended is under whoever leads.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Follows until nobody leads, or `stop` is cancelled; for `patience` it lets others take over first. `progress` gets
    /// how far it has come, at each look.
    ///
    /// # Errors
    /// When the log is damaged, or the file cannot be written.
    pub async fn follow(
        &mut self,
        patience: Duration,
        stop: &CancellationToken,
        mut progress: impl FnMut(Progress),
    ) -> Result<(), LedgerError> {
        let (begun, lease) = (Instant::now(), self.settings.lease);
        let mut ticks = tokio::time::interval(pace(lease));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut at, mut position) = (Timestamp::now(), 0);
        // Whoever took over a moment ago has no lease yet.
        let mut epoch = (self.observed.lease().map_or(0, |lease| lease.epoch), begun);
        let ledger = self.ledger.clone();
        let mut reading = Box::pin(ledger.catch_up());
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            // One that is not answered yet goes on at the next look.
            if let Ok(tail) = tokio::time::timeout(pace(lease), &mut reading).await {
                let tail = tail?;
                if tail.epoch != epoch.0 {
                    epoch = (tail.epoch, Instant::now());
                }
                self.epoch = Some(tail.epoch);
                position = tail.position;
                at = Timestamp::now();
                reading = Box::pin(ledger.catch_up());
            }
            if let Ok(lease) = self.log.store().lease().await {
                self.observed.look(lease, Instant::now());
            } else {
                // Whoever cannot see the lease does not know that it was not renewed.
                self.observed = Observed::new(self.observed.lease().cloned(), Instant::now());
            }
            let (seen, fault) = (self.observed.lease().cloned(), self.log.fault());
            let is_whole = seen.as_ref().is_some_and(|lease| {
                !lease.is_released && position >= lease.position && epoch.0 >= lease.epoch && position > 0
            });
            progress(Progress { lease: seen, at, fault, is_whole });
            let is_settled =
                self.observed.lease().map_or(0, |lease| lease.epoch) == epoch.0 || epoch.1.elapsed() >= lease;
            let may_lead = begun.elapsed() >= patience && is_settled && self.epoch.is_some();
            if may_lead && self.observed.is_free(lease, Instant::now()) {
                break;
            }
        }
        Ok(())
    }

    /// Ends it. What it waits for is given up.
    pub async fn end(self) {
        self.close().await;
    }

    async fn close(&self) {
        self.log.give_up();
        let ledger = self.ledger.clone();
        // The writer's thread ends in its own time.
        let _ = tokio::task::spawn_blocking(move || ledger.close()).await;
    }

    /// Takes the lead that nobody has. When another takes it later, `lost` is cancelled.
    ///
    /// # Errors
    /// When another was faster, or the log does not answer.
    pub async fn take_over(self, config: &Config, lost: CancellationToken) -> Result<Acting, LedgerError> {
        self.close().await;
        let Self { settings, observed, epoch, lock, .. } = self;
        let log = log_of(&settings, config.home_region())?;
        Acting::lead(config, &settings, log, lock, Free { lease: observed.lease(), epoch }, lost).await
    }
}
