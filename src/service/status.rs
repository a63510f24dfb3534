//! Publishes the status of a running service: in a file beside the ledger, over HTTP, to Prometheus, and
//! to systemd.

use super::feeds::Feeds;
use super::heartbeat::Heartbeat;
use super::live::{Live, LogLive, Role};
use super::shared::Shared;
use super::witness::Witnessing;
use super::{metrics, systemd};
use crate::config::Config;
use crate::incident::{IncidentCounter, IncidentCounts};
use crate::ledger::{Ledger, Reader};
use crate::reconcile::Reconciler;
use jiff::Timestamp;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval between two statuses.
const EVERY: Duration = Duration::from_secs(1);

/// Minimum interval between two readings of how the denies and the incidents are doing.
const DENIES: Duration = Duration::from_secs(5);

/// Publishes the status once a second.
pub(super) struct StatusPublisher {
    pub config: Arc<Config>,
    pub reader: Reader,
    pub ledger: Ledger,
    /// The leadership's number, and this process as the log names it, where there is a log.
    pub lead: Option<(u64, String)>,
    pub reconciler: Arc<Reconciler>,
    pub feeds: Feeds,
    pub shared: Arc<Shared>,
    pub heartbeat: Arc<Heartbeat>,
    pub incidents: IncidentCounter,
    pub witnessing: Option<Arc<Witnessing>>,
    pub started: Timestamp,
    pub stop: CancellationToken,
}

impl StatusPublisher {
    /// Goes on until the task is aborted: a service that stops still has a status.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut failed, mut stopping) = (false, false);
        let mut denies: Option<Instant> = None;
        let mut incidents = IncidentCounts::default();
        loop {
            let is_due = denies.is_none_or(|last| last.elapsed() >= DENIES);
            if is_due && let Ok(counts) = self.incidents.update(&self.reader, Timestamp::now()) {
                metrics::gauge_incidents(counts);
                incidents = counts;
            }
            let live = self.live(incidents);
            if live.is_alive() {
                systemd::alive();
            }
            metrics::gauge(&live, &self.reader, &self.config);
            metrics::gauge_log(&live);
            if is_due {
                metrics::gauge_denies(&self.reader);
                denies = Some(Instant::now());
            }
            match self.write(&live) {
                Ok(()) => failed = false,
                // It is logged once for an outage. That the file cannot be written stops nothing.
                Err(error) if !std::mem::replace(&mut failed, true) => {
                    let file = Live::file(&self.config.ledger);
                    tracing::error!(file = %file.display(), "`rescind status` does not know how it is doing: {error}");
                }
                Err(_) => {}
            }
            self.shared.publish(live);
            tokio::select! {
                () = self.stop.cancelled(), if !stopping => stopping = true,
                _ = ticks.tick() => {}
            }
        }
    }

    fn live(&self, incidents: IncidentCounts) -> Live {
        let policy = self.reconciler.policy();
        let budget = &policy.budget;
        Live {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            at: Timestamp::now(),
            heartbeat: self.heartbeat.last(),
            mode: policy.mode,
            confirm: self.config.confirm,
            listen: self.shared.listen(),
            tls: self.config.web.tls.is_some(),
            regions: self.feeds.region_health(),
            queues: self.feeds.queue_health(),
            folder: self.feeds.folder_health(),
            in_flight: self.reconciler.jobs(),
            retries: self.reconciler.retries(),
            rechecks: self.reconciler.rechecks().state(),
            incidents,
            budget: (budget.account_per_hour, budget.organization_per_hour),
            refused: self.shared.refused(),
            stopping: self.stop.is_cancelled(),
            log: self.log(),
            witness: self.witnessing.as_deref().map(Witnessing::live),
        }
    }

    fn log(&self) -> Option<LogLive> {
        let (epoch, host) = self.lead.clone()?;
        Some(LogLive {
            role: Role::Leader,
            leader: Some(host.clone()),
            host,
            epoch,
            caught_up: Timestamp::now(),
            fault: self.ledger.log_fault().map(|fault| (fault.since, fault.error.to_string())),
        })
    }

    fn write(&self, live: &Live) -> std::io::Result<()> {
        write(&self.config, live)
    }
}

/// Writes the status to its file beside the ledger.
pub(super) fn write(config: &Config, live: &Live) -> std::io::Result<()> {
    let file = Live::file(&config.ledger);
    let mut new = file.clone().into_os_string();
    new.push(".new");
    let text = serde_json::to_vec(live).map_err(std::io::Error::other)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(&text)?;
    std::fs::rename(&new, &file)
}
