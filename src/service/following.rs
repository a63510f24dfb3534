//! A host that follows: its status, until it is to lead.

use super::face::Face;
use super::host_key::HostKey;
use super::live::{Live, LogLive, Role};
use super::{metrics, systemd};
use crate::chain::chain;
use crate::config::Config;
use crate::incident::IncidentCounts;
use crate::ledger::{Ledger, LedgerError};
use crate::replication::{Follower, Progress};
use crate::watch::Rechecks;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Follows until nobody leads, or `stop` is cancelled; for `patience` it lets others take over first. Meanwhile it
/// answers as the service does, and `reload` has the configuration read again for that.
///
/// # Errors
/// When the log is damaged, or the ledger's file cannot be written.
pub async fn follow(
    config: &Config,
    follower: &mut Follower,
    patience: Duration,
    stop: &CancellationToken,
    (face, reload): (&Face, &Notify),
) -> Result<(), LedgerError> {
    systemd::ready();
    let (host, started) = (follower.name().to_owned(), Timestamp::now());
    let is_whole = AtomicBool::new(false);
    let never = offer_key(config, follower.ledger().clone(), &is_whole);
    let following = follower.follow(patience, stop, |progress| {
        is_whole.store(progress.is_whole, Ordering::Relaxed);
        let live = live(config, started, &host, progress);
        systemd::alive();
        metrics::gauge_log(&live);
        let refused = face.shared().refused();
        face.publish(config, Live { stopping: stop.is_cancelled(), refused, ..live });
    });
    let mut following = std::pin::pin!(following);
    let mut never = std::pin::pin!(never);
    loop {
        tokio::select! {
            done = &mut following => return done,
            infallible = &mut never => match infallible {},
            () = reload.notified() => face.shared().read_again(),
        }
    }
}

/// Interval between two looks whether this host's key is to be offered.
const LOOK: Duration = Duration::from_secs(1);

/// Time after which a key in KMS that cannot be used is tried again.
const AGAIN: Duration = Duration::from_mins(1);

/// Offers this host's key, so that the host that leads can sign for it before this one leads. What fails here fails
/// again where it matters, and does not keep the host from following.
async fn offer_key(config: &Config, ledger: Ledger, is_whole: &AtomicBool) -> Infallible {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if !is_whole.load(Ordering::Relaxed) {
            continue;
        }
        match HostKey::offer_of(config, &ledger).await {
            // There is no log yet that it could be a key of.
            Ok(false) => {}
            Ok(true) => return std::future::pending().await,
            Err(error) => {
                tracing::error!("this host's key cannot be offered: {}", chain(&error));
                if !error.is_of_key() {
                    return std::future::pending().await;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
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
        tls: config.web.tls.is_some(),
        regions: BTreeMap::new(),
        queues: Vec::new(),
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
        witness: None,
    }
}
