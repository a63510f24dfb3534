//! Everything that brings findings in, and the channel into which it all goes.

use super::live::QueueLive;
use super::os_user;
use crate::alert::Alerts;
use crate::aws::Hub;
use crate::config::{Config, Events, QueueUrl};
use crate::ident::Region;
use crate::ingest::{
    Destination, FolderFeed, HandedIn, Health, IntakeSender, Pace, Polls, Products, QueueFeed,
    UndecidedSweep, Verifier, WatchedRegions,
};
use crate::ledger::{Ledger, LedgerError};
use crate::triage::Types;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Maximum interval between two sweeps for what was recorded and not decided.
const SWEEP: Duration = Duration::from_mins(1);

/// The feeds of one service. Clones are the same feeds.
#[derive(Clone)]
pub struct Feeds {
    pub intake: IntakeSender,
    pub regions: Arc<WatchedRegions>,
    pub polls: Arc<Polls>,
    pub sweep: Arc<UndecidedSweep>,
    pub queues: Vec<Arc<QueueFeed>>,
    pub folder: Option<Arc<FolderFeed>>,
    pub handed_in: Arc<HandedIn>,
    hub: Hub,
    confirm: bool,
}

/// What feeds need from the service.
pub struct Plumbing<'a> {
    pub hub: &'a Hub,
    pub ledger: &'a Ledger,
    pub alerts: &'a Arc<Alerts>,
    pub intake: IntakeSender,
    pub regions: WatchedRegions,
    /// The types that some rule could be for, as of now.
    pub types: watch::Receiver<Types>,
    pub stop: &'a CancellationToken,
    /// This process acts; if not, what is handed in is left to the one that does.
    pub acts: bool,
}

impl Feeds {
    /// The configured feeds; none of them has begun.
    ///
    /// # Errors
    /// When the ledger cannot be opened for reading.
    pub fn new(config: &Config, with: Plumbing) -> Result<Self, LedgerError> {
        let Plumbing { hub, ledger, alerts, intake, regions, types, stop, acts } = with;
        let regions = Arc::new(regions);
        let verifier = Arc::new(Verifier {
            hub: hub.clone(),
            ledger: ledger.clone(),
            reader: ledger.reader()?,
            regions: Arc::clone(&regions),
            alerts: Arc::clone(alerts),
            confirm: config.confirm,
            products: Products::new(hub.clone(), types.clone()),
        });
        let polls = Polls {
            hub: hub.clone(),
            ledger: ledger.clone(),
            reader: ledger.reader()?,
            regions: Arc::clone(&regions),
            types,
            pace: Pace::new(config.calls_per_second),
            interval: config.poll_interval,
        };
        let queue = |url: &QueueUrl, events: &Events| {
            let (queue, name) = (hub.queue(url), name_of(url, &events.queues, hub));
            let (verifier, intake) = (Arc::clone(&verifier), intake.clone());
            let receivers = events.receivers.count();
            Arc::new(QueueFeed::new(queue, name, receivers, verifier, intake, stop.clone()))
        };
        let queues =
            config.events.iter().flat_map(|events| events.queues.iter().map(|url| queue(url, events)));
        let queues = queues.collect();
        let folder = config.folder.clone().map(|path| {
            let verifier = Arc::clone(&verifier);
            Arc::new(FolderFeed::new(path, verifier, intake.clone(), config.raise_after, stop.clone()))
        });
        Ok(Self {
            polls: Arc::new(polls),
            sweep: Arc::new(UndecidedSweep::new(ledger.reader()?, intake.clone())),
            queues,
            folder,
            handed_in: Arc::new(HandedIn {
                verifier,
                to: if acts {
                    Destination::Intake(intake.clone())
                } else {
                    Destination::Ledger { os_user: os_user::os_user(), entries: Mutex::default() }
                },
                since: ledger.reader()?.last()?,
                foreign: Mutex::default(),
                stop: stop.clone(),
            }),
            intake,
            regions,
            hub: hub.clone(),
            confirm: config.confirm,
        })
    }

    /// Starts a task for each feed: one that hangs cannot stop another.
    pub fn spawn(&self, tasks: &mut JoinSet<Result<(), LedgerError>>, stop: &CancellationToken) {
        tasks.spawn(Arc::clone(&self.polls).run(self.intake.clone(), stop.clone()));
        tasks.spawn(Arc::clone(&self.sweep).run(self.polls.interval.min(SWEEP), stop.clone()));
        if let Some(folder) = self.folder.clone() {
            tasks.spawn(async move { folder.run().await });
        }
        for queue in self.queues.clone() {
            let measured = Arc::clone(&queue);
            tasks.spawn(async move { queue.run().await });
            tasks.spawn(async move {
                measured.measure().await;
                Ok(())
            });
        }
        let (regions, hub, stop) = (Arc::clone(&self.regions), self.hub.clone(), stop.clone());
        tasks.spawn(async move {
            regions.run(&hub, &stop).await;
            Ok(())
        });
    }

    /// The feeds beside the polls, one sentence each.
    pub fn describe(&self) -> Vec<String> {
        let confirmed = if self.confirm {
            "each is confirmed by GuardDuty before anything is done"
        } else {
            "NOT CONFIRMED: who can write there can have roles revoked"
        };
        let queues = self.queues.iter().map(|queue| format!("Events from {}; {confirmed}.", queue.name()));
        let folder = self
            .folder
            .as_ref()
            .map(|folder| format!("Exports from {}; {confirmed}.", folder.path().display()));
        queues.chain(folder).collect()
    }

    pub fn region_health(&self) -> BTreeMap<Region, Health> {
        let pollers = self.regions.pollers();
        pollers.iter().map(|one| (one.region().clone(), one.pulse().health())).collect()
    }

    pub fn queue_health(&self) -> Vec<QueueLive> {
        let health = |queue: &Arc<QueueFeed>| QueueLive {
            name: queue.name(),
            health: queue.pulse().health(),
            depth: queue.depth(),
        };
        self.queues.iter().map(health).collect()
    }

    pub fn folder_health(&self) -> Option<Health> {
        self.folder.as_ref().map(|folder| folder.health())
    }
}

/// The name under which a queue is known: its own; with the region where another one has that name as well.
fn name_of(queue: &QueueUrl, all: &[QueueUrl], hub: &Hub) -> String {
    if all.iter().filter(|other| other.name == queue.name).count() > 1 {
        format!("{} in {}", queue.name, hub.region_of(queue))
    } else {
        queue.name.clone()
    }
}
