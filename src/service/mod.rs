//! The service: feeds, reconciler and ledger put together; start, loop and stop.

mod checkpoints;
mod cosigning;
mod dispatcher;
mod face;
mod feeds;
mod following;
mod heartbeat;
mod host_key;
mod iam_watch;
mod key_offers;
mod limits;
mod live;
mod log_watch;
mod metrics;
mod opt_outs;
mod os_user;
mod reload;
mod rules;
mod run;
mod shared;
mod start;
mod status;
mod systemd;
mod upkeep;
mod witness;

pub use checkpoints::Checkpoints;
pub use face::Face;
pub use following::follow;
pub use host_key::HostKey;
pub use live::{Live, Role, WitnessLive};
pub use os_user::{login_name, os_user};
pub use rules::warn as warn_of_types;
pub use shared::{Actor, Shared};
pub use start::{Purpose, ServiceError, hub};

use crate::alert::Alerts;
use crate::aws::Hub;
use crate::config::{Config, Mode};
use crate::finding::Finding;
use crate::ingest::{HandedIn, Inbox, Polls, Seen, UndecidedSweep, joined};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::notify::{BackWriter, Notifier};
use crate::reconcile::Reconciler;
use crate::remediation::{Draft, Event, Origin, State};
use crate::replication::Acting;
use crate::triage::Types;
use crate::watch::Pursuit;
use crate::witness::Cosigner;
use cosigning::Cosigning;
use feeds::Feeds;
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use witness::Witnessing;

/// Maximum number of times that a command which ends by itself looks for the keys that a reading found.
const ROUNDS: usize = 8;

/// Everything that acts on one ledger.
pub struct Service {
    config: Arc<Config>,
    ledger: Ledger,
    reader: Reader,
    hub: Hub,
    alerts: Arc<Alerts>,
    reconciler: Arc<Reconciler>,
    pursuit: Pursuit,
    feeds: Feeds,
    /// The types that some rule could be for, as of now.
    types: watch::Sender<Types>,
    /// What its tasks know and its status shows.
    shared: Arc<Shared>,
    /// The last entry before this start.
    started_at: i64,
    stop: CancellationToken,
    /// Takes findings in, from the start on.
    receiver: JoinHandle<()>,
    /// The right to act on the ledger, and the lead of its log.
    acting: Option<Acting>,
    notifier: Option<Arc<Notifier>>,
    /// Only who acts on a ledger signs it.
    checkpoints: Option<Arc<Checkpoints>>,
    /// Puts what is signed where nobody can replace it.
    witnessing: Option<Arc<Witnessing>>,
    /// Witnesses that cosign what is signed.
    cosigners: Vec<Cosigner>,
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
        self.notifier.as_deref()
    }

    /// It acts, and does not only look.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.acting.is_some()
    }

    /// It was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

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
        self.feeds.regions.pollers().len()
    }

    /// The feeds beside the polls, one sentence each.
    #[must_use]
    pub fn describe_feeds(&self) -> Vec<String> {
        self.feeds.describe()
    }

    /// The reconciler, for planning.
    #[must_use]
    pub fn reconciler(&self) -> &Arc<Reconciler> {
        &self.reconciler
    }

    /// What was opened with stolen credentials and waits for a person: no poll brings it again.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn held_of_pursuit(&self) -> Result<Vec<Finding>, LedgerError> {
        let held = self.reader.remediations(|state| state == State::Held)?;
        let findings = held.into_iter().map(|one| one.finding);
        Ok(findings.filter(|finding| finding.derived().is_some()).collect())
    }

    /// Reads once what CloudTrail has of each key that a thief holds, and carries out what follows, until that finds
    /// no more keys.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn pursue(&self) -> Result<(), LedgerError> {
        for _ in 0..ROUNDS {
            let begun = self.pursuit.begin_due(&self.reconciler.policy()).await?;
            self.pursuit.drained().await;
            self.drained().await?;
            if begun == 0 || self.is_stopping() {
                break;
            }
        }
        Ok(())
    }

    /// Writes back once what became of findings, where the configuration says so.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn write_back(&self) -> Result<(), LedgerError> {
        match self.back_writer()? {
            Some(mut writer) if !self.is_stopping() => writer.round().await,
            _ => Ok(()),
        }
    }

    /// What writes back to GuardDuty and Security Hub, if the configuration says so.
    fn back_writer(&self) -> Result<Option<BackWriter>, LedgerError> {
        let (hub, ledger) = (self.hub.clone(), self.ledger.clone());
        BackWriter::new(self.config.write_back, self.config.cloudtrail, hub, ledger, Arc::clone(&self.alerts))
    }

    /// What asks the witnesses, one each.
    fn cosigning(&self) -> Result<Vec<Cosigning>, LedgerError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(Vec::new()) };
        let all = self.cosigners.iter().map(|cosigner| {
            Ok(Cosigning {
                cosigner: cosigner.clone(),
                checkpoints: Arc::clone(checkpoints),
                ledger: self.ledger.clone(),
                reader: self.ledger.reader()?,
                alerts: Arc::clone(&self.alerts),
                raise_after: self.config.raise_after,
                stop: self.stop.clone(),
            })
        });
        all.collect()
    }

    /// What a person hands in.
    #[must_use]
    pub fn handed_in(&self) -> &HandedIn {
        &self.feeds.handed_in
    }

    #[must_use]
    pub fn polls(&self) -> &Polls {
        &self.feeds.polls
    }

    /// Polls every region once, side by side; does not wait for what comes of it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn poll(&self) -> Result<Seen, LedgerError> {
        self.feeds.polls.once(&self.feeds.intake).await
    }

    /// Takes up everything that an earlier run left unfinished; does not wait for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recover(&self) -> Result<(), LedgerError> {
        // A person waits for what they handed in; what an earlier run left may hang.
        Inbox::new(self.ledger.reader()?, self.feeds.intake.clone()).once().await?;
        self.reconciler.resume()?;
        self.feeds.sweep.undecided(&Origin::Resumed).await
    }

    /// Decides again about recent findings that no rule was for, where one is now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn take_up_ruled(&self) -> Result<(), LedgerError> {
        take_up_ruled(&self.feeds.sweep, &self.reconciler).await
    }

    /// Decides again about recent findings that were only observed so far.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn take_up_observed(&self) -> Result<(), LedgerError> {
        self.feeds.sweep.observed(would_act_on(&self.config, &self.hub)).await
    }

    /// The mode and the finding's age allow to act on it.
    #[must_use]
    pub fn would_act_on(&self, finding: &Finding) -> bool {
        would_act_on(&self.config, &self.hub)(finding)
    }

    /// The regions were polled before: what comes from now on is new.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_watching(&self) -> Result<bool, LedgerError> {
        let pollers = self.feeds.regions.pollers();
        let each = pollers.iter().map(|poller| self.reader.watched_since(poller.region()));
        Ok(each.collect::<Result<Vec<_>, _>>()?.iter().all(Option::is_some))
    }

    /// Records that it stops, and closes the ledger.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn stop(mut self, reason: &str) -> Result<(), LedgerError> {
        // A log that does not answer keeps nobody from stopping: what is missing in it is done at the next start.
        if self.stop.is_cancelled() && self.ledger.log_fault().is_some() {
            self.ledger.give_up_on_log();
        }
        let drained = self.drained().await;
        // A fault in it stopped everything, and is no end in good order.
        if self.receiver.is_finished() {
            joined((&mut self.receiver).await.map(Ok))?;
        }
        if let Some(notifier) = self.notifier.as_ref().filter(|_| self.acting.is_some()) {
            Box::pin(notifier.flush()).await?;
        }
        let done = if self.acting.is_some() {
            self.ledger
                .append(Draft::of_service(Event::Stopped { reason: reason.to_owned() }))
                .await
                .map(|_| ())
        } else {
            Ok(())
        };
        let signed = Box::pin(self.sign()).await;
        self.ledger.close();
        if let Some(acting) = self.acting {
            acting.end().await;
        }
        drained.and(done).and(signed)
    }

    /// Signs the ledger as it stands, and has that witnessed. What that adds is signed as well, and needs no witness.
    async fn sign(&self) -> Result<(), LedgerError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(()) };
        checkpoints.make(&self.ledger, &self.reader).await?;
        if self.ledger.log_fault().is_some() {
            return Ok(());
        }
        // Who asked for the end does not wait for those that cosign: the next start asks them.
        let cosigning = if self.is_stopping() { Vec::new() } else { self.cosigning()? };
        futures::future::try_join_all(cosigning.iter().map(Cosigning::once)).await?;
        if let Some(witnessing) = &self.witnessing {
            witnessing.put_last().await?;
        }
        if cosigning.is_empty() && self.witnessing.is_none() {
            return Ok(());
        }
        checkpoints.make(&self.ledger, &self.reader).await
    }
}

/// What is counted, as Prometheus reads it; none when somebody else counts.
#[must_use]
pub fn metrics() -> Option<String> {
    metrics::start().map(|counters| {
        counters.run_upkeep();
        counters.render()
    })
}

/// Hands over again what no rule was for when it was decided, and one is now; unless it is too old anyway.
async fn take_up_ruled(sweep: &UndecidedSweep, reconciler: &Reconciler) -> Result<(), LedgerError> {
    let since =
        Timestamp::now().saturating_sub(reconciler.policy().max_finding_age).unwrap_or(Timestamp::MIN);
    sweep.ruled(since, |finding| reconciler.is_ruled(finding)).await
}

/// Whether the mode and a finding's age allow to act on it.
fn would_act_on(config: &Arc<Config>, hub: &Hub) -> impl Fn(&Finding) -> bool + Send + use<> {
    let (config, clock) = (Arc::clone(config), hub.clock().clone());
    move |finding| {
        config.mode <= Mode::Approve
            && clock.now().duration_since(finding.last_seen()) <= config.max_finding_age
    }
}
