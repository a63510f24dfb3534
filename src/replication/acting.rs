//! The right to act on a ledger: its file's lock, and the lead of its log where it has one.

use super::keeper::Keeper;
use super::open::log_of;
use crate::config::{Config, LogSettings};
use crate::ledger::{Ledger, LedgerError, Lock, Log};
use crate::log::{Lease, Observed};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The right to act on a ledger.
pub struct Acting {
    ledger: Ledger,
    _lock: Lock,
    lead: Option<Lead>,
}

/// What shows that nobody leads.
pub(super) struct Free<'a> {
    /// The lease: released, or not renewed for as long as one lasts.
    pub lease: Option<&'a Lease>,
    /// The leadership under which the log ended then, where that was looked at. Whoever took over since leads.
    pub epoch: Option<u64>,
}

/// The lead of a log.
struct Lead {
    epoch: u64,
    host: String,
    release: CancellationToken,
    keeper: JoinHandle<()>,
}

impl Acting {
    /// Takes the right to act, for `command`. Where there is a log, nobody else may lead: a lease that stands there is
    /// watched for as long as one lasts. When another takes the lead later, `lost` is cancelled.
    ///
    /// # Errors
    /// When another process acts on the file, another host leads, or the ledger cannot be used.
    pub async fn begin(config: &Config, command: &str, lost: CancellationToken) -> Result<Self, LedgerError> {
        let lock = Lock::take(&config.ledger, command)?;
        let Some(settings) = &config.log else {
            return Ok(Self { ledger: Ledger::open(&config.ledger)?, _lock: lock, lead: None });
        };
        let log = log_of(settings, config.home_region())?;
        let free = wait_until_free(&log, settings).await?;
        Self::lead(config, settings, log, lock, Free { lease: free.as_ref(), epoch: None }, lost).await
    }

    /// Takes the lead of a log at which nobody leads, as `free` shows it.
    ///
    /// # Errors
    /// When another was faster, or the ledger cannot be used.
    pub(super) async fn lead(
        config: &Config,
        settings: &LogSettings,
        log: Log,
        lock: Lock,
        free: Free<'_>,
        lost: CancellationToken,
    ) -> Result<Self, LedgerError> {
        let (path, of_log) = (config.ledger.clone(), log.clone());
        let (lease, epoch) = (free.lease.cloned(), free.epoch);
        let opened =
            tokio::task::spawn_blocking(move || Ledger::leading(&path, &of_log, lease.as_ref(), epoch)).await;
        let (ledger, epoch) = opened.map_err(|_| LedgerError::Closed)??;
        tracing::info!(epoch, host = log.writer(), "this host leads from now on");
        let (host, release) = (log.writer().to_owned(), CancellationToken::new());
        let keeper = Keeper {
            log: log.clone(),
            ledger: ledger.clone(),
            epoch,
            lease: settings.lease,
            lost,
            release: release.clone(),
        };
        // On the log's own threads: what hangs elsewhere does not lose the lead.
        let keeper = log.spawn(keeper.run());
        Ok(Self { ledger, _lock: lock, lead: Some(Lead { epoch, host, release, keeper }) })
    }

    /// The ledger, under this lead.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Number of the leadership, and this process as the log names it; none where there is no log.
    #[must_use]
    pub fn lead_of(&self) -> Option<(u64, String)> {
        self.lead.as_ref().map(|lead| (lead.epoch, lead.host.clone()))
    }

    /// Gives the lead away: another host need not wait for the lease to run out.
    pub async fn end(self) {
        self.ledger.close();
        if let Some(mut lead) = self.lead {
            lead.release.cancel();
            let _ = (&mut lead.keeper).await;
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.release.cancel();
    }
}

/// Watches the lease until it is free; gives it as it was then.
async fn wait_until_free(log: &Log, settings: &LogSettings) -> Result<Option<Lease>, LedgerError> {
    let read = || async { log.store().lease().await.map_err(|error| LedgerError::Log { error }) };
    let mut observed = Observed::new(read().await?, Instant::now());
    let first = observed.lease().cloned();
    while !observed.is_free(settings.lease, Instant::now()) {
        tokio::time::sleep(pace(settings.lease)).await;
        observed.look(read().await?, Instant::now());
        let renewed = observed.lease().filter(|lease| Some(*lease) != first.as_ref() && !lease.is_released);
        if let Some(lease) = renewed {
            return Err(LedgerError::Led { host: lease.holder.clone() });
        }
    }
    Ok(observed.lease().cloned())
}

/// Interval between two looks at a lease.
pub(super) fn pace(lease: Duration) -> Duration {
    lease / 10
}
