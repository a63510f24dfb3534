//! The regions that are watched.

use super::error::FeedError;
use super::poller::{Found, Poller};
use crate::aws::{Hub, RegionStatus};
use crate::backoff::Backoff;
use crate::ident::{Partition, Region};
use crate::remediation::{CallError, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Minimum interval between two questions to AWS about which regions are enabled, whoever wants to know.
const ANSWERED: Duration = Duration::from_secs(30);

/// Minimum interval after a question that was not answered.
const UNANSWERED: Duration = Duration::from_secs(3);

/// Interval between two looks for regions that were enabled.
const FIND: Duration = Duration::from_hours(1);

/// Backoff between these looks while AWS does not answer.
const FIND_AGAIN: Backoff = Backoff { first: Duration::from_secs(30), longest: Duration::from_mins(5) };

/// The regions that are watched, each with its poller.
#[derive(Debug)]
pub struct WatchedRegions {
    pollers: watch::Sender<Vec<Arc<Poller>>>,
    /// Those that are enabled are watched as well.
    finds: bool,
    /// When AWS was asked last which are, and what it answered instead if it did not.
    asked: Mutex<Option<(Instant, Option<CallError>)>>,
    /// The service runs: what is found from now on is found late.
    runs: AtomicBool,
}

impl WatchedRegions {
    /// These regions; and every other one of their partition that is enabled for the account, if it
    /// finds them.
    #[must_use]
    pub fn of(named: &[Region], finds: bool) -> Self {
        let pollers =
            named.iter().cloned().map(|region| Arc::new(Poller::new(region, Found::Named))).collect();
        Self {
            pollers: watch::Sender::new(pollers),
            finds,
            asked: Mutex::default(),
            runs: AtomicBool::new(false),
        }
    }

    /// Their pollers, in order.
    #[must_use]
    pub fn pollers(&self) -> Vec<Arc<Poller>> {
        self.pollers.borrow().clone()
    }

    /// The regions, in order.
    #[must_use]
    pub fn regions(&self) -> Vec<Region> {
        self.pollers().iter().map(|poller| poller.region().clone()).collect()
    }

    /// Their pollers, and when there are more.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Vec<Arc<Poller>>> {
        self.pollers.subscribe()
    }

    /// Looks for regions that nobody named, if that is wanted, until `stop` is cancelled.
    pub async fn run(&self, hub: &Hub, stop: &CancellationToken) {
        if !self.finds {
            return;
        }
        let mut failures = 0;
        loop {
            // The start has asked once.
            let delay = if self.is_known().await { FIND } else { FIND_AGAIN.after(failures) };
            let found = async {
                tokio::time::sleep(delay).await;
                self.find(hub).await
            };
            tokio::select! {
                () = stop.cancelled() => return,
                found = found => match found {
                    Ok(()) => failures = 0,
                    Err(error) => {
                        failures += 1;
                        tracing::warn!("not known which regions are enabled: {error}");
                    }
                },
            }
        }
    }

    /// AWS answered the last question which regions are enabled.
    async fn is_known(&self) -> bool {
        matches!(&*self.asked.lock().await, Some((_, None)))
    }

    /// The service begins: which regions there are at the start is known as far as it can be.
    pub fn begin(&self) {
        self.runs.store(true, Ordering::Relaxed);
    }

    /// Watches these as well.
    pub fn add(&self, regions: impl IntoIterator<Item = Region>) {
        let found = if self.runs.load(Ordering::Relaxed) { Found::Late } else { Found::AtStart };
        self.pollers.send_if_modified(|pollers| {
            let before = pollers.len();
            for region in regions {
                if !pollers.iter().any(|poller| *poller.region() == region) {
                    pollers.push(Arc::new(Poller::new(region, found)));
                }
            }
            pollers.len() > before
        });
    }

    /// Asks AWS which regions are enabled, and watches them.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn find(&self, hub: &Hub) -> Result<(), CallError> {
        let mut asked = self.asked.lock().await;
        self.ask(hub, &mut asked).await
    }

    async fn ask(
        &self,
        hub: &Hub,
        asked: &mut Option<(Instant, Option<CallError>)>,
    ) -> Result<(), CallError> {
        let answer = hub.regions().await;
        *asked = Some((Instant::now(), answer.as_ref().err().cloned()));
        let partition = hub.identity().partition;
        let enabled = answer?.into_iter().filter(RegionStatus::is_enabled).map(|found| found.region);
        self.add(enabled.filter(|region| Partition::of_region(region) == partition));
        Ok(())
    }

    /// The poller of a region, if the region is watched, or is to be because it is enabled by now.
    ///
    /// # Errors
    /// When that depends on which regions are enabled, and AWS does not answer.
    pub async fn region(&self, hub: &Hub, region: &Region) -> Result<Option<Arc<Poller>>, CallError> {
        let known = || self.pollers().into_iter().find(|poller| poller.region() == region);
        if known().is_some() || !self.finds {
            return Ok(known());
        }
        let mut asked = self.asked.lock().await;
        match &*asked {
            Some((at, None)) if at.elapsed() < ANSWERED => {}
            Some((at, Some(error))) if at.elapsed() < UNANSWERED && known().is_none() => {
                return Err(error.clone());
            }
            _ => self.ask(hub, &mut asked).await?,
        }
        Ok(known())
    }
}

impl Poller {
    /// A region that is not enabled refuses the credentials. AWS is asked whether that is why.
    pub async fn why_refused(&self, hub: &Hub, error: FeedError) -> FeedError {
        let FeedError::Call(call) = &error else { return error };
        if !matches!(call.kind, ErrorKind::BadCredentials | ErrorKind::RegionDisabled) {
            return error;
        }
        let all = hub.regions().await.unwrap_or_default();
        match all.into_iter().find(|one| one.region == *self.region()) {
            Some(found) if !found.is_enabled() => {
                FeedError::NotEnabled { region: found.region, status: found.status }
            }
            _ => error,
        }
    }
}

impl FeedError {
    /// Nothing is wrong: there is nothing to be read there.
    #[must_use]
    pub fn is_as_it_should_be(&self, poller: &Poller) -> bool {
        match self {
            Self::NotEnabled { .. } => true,
            // Nobody said that there should be one.
            Self::NoDetector(_) => poller.is_found(),
            Self::Call(_) | Self::Partly(_) | Self::Stopped(_) | Self::Ledger(_) => false,
        }
    }
}
