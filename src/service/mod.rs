//! The service: feeds, reconciler and ledger put together; start, loop and stop.

mod checkpoints;
mod limits;
mod live;
mod metrics;
mod opt_outs;
mod reload;
mod run;
mod start;
mod status;
mod systemd;
mod web;

pub use checkpoints::Checkpoints;
pub use live::Live;
pub use start::{Purpose, ServiceError, hub};

use crate::alert::Alerts;
use crate::aws::Hub;
use crate::config::{Config, Mode};
use crate::finding::Finding;
use crate::ingest::{FolderFeed, HandedIn, IntakeSender, Polls, QueueFeed, Seen, Sweep, WatchedRegions};
use crate::ledger::{Ledger, LedgerError, Lock, Reader};
use crate::notify::Notifier;
use crate::reconcile::Reconciler;
use crate::remediation::{Draft, Event, Origin};
use crate::triage::Types;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Everything that acts on one ledger.
pub struct Service {
    config: Config,
    ledger: Ledger,
    reader: Reader,
    hub: Hub,
    alerts: Arc<Alerts>,
    reconciler: Arc<Reconciler>,
    /// Where findings are handed over.
    intake: IntakeSender,
    /// What the rules could be for, as of now.
    types: watch::Sender<Types>,
    regions: Arc<WatchedRegions>,
    sweep: Arc<Sweep>,
    polls: Arc<Polls>,
    queue: Option<Arc<QueueFeed>>,
    folder: Option<Arc<FolderFeed>>,
    handed_in: HandedIn,
    /// Where it answers.
    listen: Arc<Mutex<Option<SocketAddr>>>,
    /// What it tells could not be written last.
    unpublished: AtomicBool,
    /// What it told of itself last.
    published: Arc<Mutex<Option<Live>>>,
    started: Timestamp,
    /// Why a changed file was rejected, if one was.
    refused: Mutex<Option<String>>,
    stop: CancellationToken,
    /// The last entry before this start.
    started_at: i64,
    lock: Option<Lock>,
    /// Who acts on a ledger tells what happens.
    notifier: Option<Notifier>,
    /// Who acts on a ledger signs how it stands.
    checkpoints: Option<Checkpoints>,
}

impl Service {
    /// The ledger, for reading.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The ledger, for writing.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What sends notifications, if there is a channel for them.
    #[must_use]
    pub fn notifier(&self) -> Option<&Notifier> {
        self.notifier.as_ref()
    }

    /// It acts, and does not only look.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.lock.is_some()
    }

    /// It was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
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

    /// How many regions are watched.
    #[must_use]
    pub fn region_count(&self) -> usize {
        self.regions.pollers().len()
    }

    /// What it reads beside the polls, in words.
    #[must_use]
    pub fn feeds(&self) -> Vec<String> {
        let confirmed = if self.config.confirm {
            "each is confirmed by GuardDuty before anything is done"
        } else {
            "NOT CONFIRMED: who can write there can have roles revoked"
        };
        let queue = self.queue.as_ref().map(|queue| format!("Events from {}; {confirmed}.", queue.name()));
        let folder = self
            .folder
            .as_ref()
            .map(|folder| format!("Exports from {}; {confirmed}.", folder.path().display()));
        queue.into_iter().chain(folder).collect()
    }

    /// The reconciler, for planning.
    #[must_use]
    pub fn reconciler(&self) -> &Arc<Reconciler> {
        &self.reconciler
    }

    /// What a person hands in.
    #[must_use]
    pub fn handed_in(&self) -> &HandedIn {
        &self.handed_in
    }

    /// The polls.
    #[must_use]
    pub fn polls(&self) -> &Polls {
        &self.polls
    }

    /// Polls every region once, side by side; does not wait for what comes of it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn poll(&self) -> Result<Seen, LedgerError> {
        self.polls.once(&self.intake).await
    }

    /// Takes up everything that an earlier run left unfinished; does not wait for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recover(&self) -> Result<(), LedgerError> {
        self.reconciler.resume()?;
        self.sweep.undecided(&Origin::Resumed).await
    }

    /// Decides again about recent findings that were only observed so far.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn take_up_observed(&self) -> Result<(), LedgerError> {
        self.sweep.observed(|finding| self.would_act_on(finding)).await
    }

    /// The regions were polled before: what comes from now on is new.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_watching(&self) -> Result<bool, LedgerError> {
        let pollers = self.regions.pollers();
        let each = pollers.iter().map(|poller| self.reader.watched_since(poller.region()));
        Ok(each.collect::<Result<Vec<_>, _>>()?.iter().all(Option::is_some))
    }

    /// The mode and the finding's age allow to act on it.
    #[must_use]
    pub fn would_act_on(&self, finding: &Finding) -> bool {
        self.config.mode <= Mode::Approve
            && self.hub.clock().now().duration_since(finding.last_seen()) <= self.config.max_finding_age
    }

    /// Records that it stops, and closes the ledger.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn stop(self, reason: &str) -> Result<(), LedgerError> {
        let drained = self.drained().await;
        if let Some(notifier) = self.notifier.as_ref().filter(|_| self.lock.is_some()) {
            Box::pin(notifier.flush()).await?;
        }
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
