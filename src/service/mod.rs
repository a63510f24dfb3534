//! The service: feed, engine and ledger put together; start, loop and stop.

mod checkpoints;
mod folder;
mod limits;
mod live;
mod metrics;
mod opt_outs;
mod pointers;
mod polls;
mod reload;
mod run;
mod seen;
mod start;
mod systemd;
mod taker;
mod web;

pub use checkpoints::{Checkpoints, Rotated};
pub use live::{Live, QueueLive};
pub use seen::Seen;
pub use start::{Purpose, ServiceError, hub};

use crate::aws::{Depth, Hub};
use crate::config::{Config, Mode};
use crate::engine::Engine;
use crate::feed::{Folder, Pace, QueueFeed, Recorded, Source, Watch, record};
use crate::finding::{Decoded, Finding};
use crate::ledger::{Decided, Draft, Entry, Event, Ledger, LedgerError, Lock, Reader, State};
use crate::notify::Courier;
use jiff::Timestamp;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Everything that acts on one ledger.
pub struct Service {
    config: Config,
    ledger: Ledger,
    reader: Reader,
    hub: Hub,
    engine: Arc<Engine>,
    watch: Watch,
    pace: Pace,
    queue: Option<QueueFeed>,
    folder: Option<Arc<Folder>>,
    /// How much is in the queue, as SQS said last.
    depth: Mutex<Option<Depth>>,
    /// Where it answers.
    listen: Arc<Mutex<Option<SocketAddr>>>,
    /// What it tells could not be written last.
    untold: AtomicBool,
    /// What it told of itself last.
    told: Arc<Mutex<Option<Live>>>,
    started: Timestamp,
    /// Why a file was not taken over, if one was not.
    refused: Mutex<Option<String>>,
    stop: CancellationToken,
    /// The last entry before this start.
    started_at: i64,
    lock: Option<Lock>,
    /// Who acts on a ledger tells what happens.
    courier: Option<Courier>,
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

    /// Who carries notifications, if somebody is to be told.
    #[must_use]
    pub fn courier(&self) -> Option<&Courier> {
        self.courier.as_ref()
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
        self.watch.pollers().len()
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

    /// The engine, for planning.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Takes up everything that an earlier run left unfinished; does not wait for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn recover(&self) -> Result<(), LedgerError> {
        self.engine.resume(true)
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
        let pollers = self.watch.pollers();
        let each = pollers.iter().map(|poller| self.reader.watched_since(poller.region()));
        Ok(each.collect::<Result<Vec<_>, _>>()?.iter().all(Option::is_some))
    }

    /// The mode and the finding's age allow to act on it.
    #[must_use]
    pub fn would_act_on(&self, finding: &Finding) -> bool {
        self.config.mode <= Mode::Approve
            && self.hub.clock().now().duration_since(finding.last_seen()) <= self.config.max_finding_age
    }

    /// Records and carries out what was decoded from `source`; does not wait until it is done. Somebody
    /// handed it in: so what was only observed is decided again, and what had failed is tried again.
    /// Adds to `seen` the occurrences that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn take_in(
        &self,
        source: &str,
        decoded: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
        let (pointers, decoded) = pointers::split(decoded);
        self.take_in_pointers(source, pointers, seen).await?;
        let mut known = HashSet::new();
        for recorded in record(&self.ledger, &Source::handed_in(source), decoded, None).await? {
            self.engine.room().await;
            match recorded {
                Recorded::New(finding) => self.engine.submit_asked(finding),
                Recorded::Undecodable(_) => {}
                Recorded::Seen(finding) => {
                    if known.insert(finding.occurrence()) {
                        self.take_in_again(source, &finding).await?;
                    }
                    seen.add(finding);
                }
            }
        }
        Ok(())
    }

    async fn take_in_again(&self, source: &str, finding: &Finding) -> Result<(), LedgerError> {
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
        Ok(())
    }

    fn decision(&self, finding: &Finding) -> Result<Option<Entry>, LedgerError> {
        Ok(self.reader.decided(&finding.occurrence())?.and_then(|decided: Decided| decided.decision))
    }

    /// Records that it stops, and closes the ledger.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn stop(self, reason: &str) -> Result<(), LedgerError> {
        let drained = self.drained().await;
        if let Some(courier) = self.courier.as_ref().filter(|_| self.lock.is_some()) {
            Box::pin(courier.flush()).await?;
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

/// Whether the same finding can be decided otherwise by now: what it rested on is not the finding alone.
fn can_change(code: &str) -> bool {
    let for_good = ["sample", "archived", "no_principal", "own_role", "denied", "released", "done_by_hand"];
    !for_good.contains(&code)
}
