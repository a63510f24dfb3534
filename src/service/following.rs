//! A host that follows: its status, until it is to lead.

use super::face::Face;
use super::live::{Live, LogLive, Role};
use super::{metrics, systemd};
use crate::config::Config;
use crate::incident::IncidentCounts;
use crate::ledger::LedgerError;
use crate::replication::{Follower, Progress};
use crate::watch::Rechecks;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Follows until nobody leads, or `stop` is cancelled; for `patience` it lets others take over first. Meanwhile it
/// answers as the service does.
///
/// # Errors
/// When the log is damaged, or the ledger's file cannot be written.
pub async fn follow(
    config: &Config,
    follower: &mut Follower,
    patience: Duration,
    stop: &CancellationToken,
    face: &Face,
) -> Result<(), LedgerError> {
    systemd::ready();
    let (host, started) = (follower.name().to_owned(), Timestamp::now());
    follower
        .follow(patience, stop, |progress| {
            let live = live(config, started, &host, progress);
            systemd::alive();
            metrics::gauge_log(&live);
            face.publish(config, Live { stopping: stop.is_cancelled(), ..live });
        })
        .await
}

fn live(config: &Config, started: Timestamp, host: &str, progress: Progress) -> Live {
    let now = Timestamp::now();
    let lease = progress.lease.filter(|lease| !lease.is_released);
    let budget = &config.budget;
    Live {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        at: now,
        heartbeat: now,
        mode: config.mode,
        confirm: config.confirm,
        listen: None,
        regions: BTreeMap::new(),
        queue: None,
        folder: None,
        in_flight: 0,
        retries: Vec::new(),
        rechecks: Rechecks::default(),
        incidents: IncidentCounts::default(),
        budget: (budget.account_per_hour, budget.organization_per_hour),
        refused: None,
        stopping: false,
        log: Some(LogLive {
            role: Role::Follower,
            host: host.to_owned(),
            epoch: lease.as_ref().map_or(0, |lease| lease.epoch),
            leader: lease.map(|lease| lease.holder),
            caught_up: progress.at,
            fault: progress.fault.map(|fault| (fault.since, fault.error.to_string())),
        }),
    }
}
