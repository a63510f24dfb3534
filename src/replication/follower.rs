//! A host that follows: it replays the log into its own file, and sees when nobody leads.

use super::acting::pace;
use super::open::log_of;
use crate::config::Config;
use crate::ledger::{Fault, Ledger, LedgerError, Lock, Log};
use crate::log::{Lease, Observed};
use jiff::Timestamp;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A host that follows. It holds its file's lock: no command on this host acts beside it.
pub struct Follower {
    ledger: Ledger,
    log: Log,
    lease: Duration,
    observed: Observed,
    _lock: Lock,
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
        Ok(Some(Self { ledger, log, lease: settings.lease, observed, _lock: lock }))
    }

    /// The process, as its items in the log name it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.log.writer()
    }

    /// Follows until nobody leads, or `stop` is cancelled. `progress` gets how far it has come, at each look.
    ///
    /// # Errors
    /// When the log is damaged, or the file cannot be written.
    pub async fn follow(
        &mut self,
        stop: &CancellationToken,
        mut progress: impl FnMut(Progress),
    ) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(pace(self.lease));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut at = Timestamp::now();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            // What does not answer is asked again at the next look.
            let caught_up = tokio::time::timeout(self.lease, self.ledger.catch_up()).await;
            if let Ok(tail) = caught_up {
                tail?;
                at = Timestamp::now();
            }
            if let Ok(lease) = self.log.store().lease().await {
                self.observed.look(lease, Instant::now());
            } else {
                // Whoever cannot see the lease does not know that it was not renewed.
                self.observed = Observed::new(self.observed.lease().cloned(), Instant::now());
            }
            let (lease, fault) = (self.observed.lease().cloned(), self.log.fault());
            progress(Progress { lease, at, fault });
            if self.observed.is_free(self.lease, Instant::now()) {
                break;
            }
        }
        self.ledger.close();
        Ok(())
    }
}
