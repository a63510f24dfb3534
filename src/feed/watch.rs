//! The regions that are watched.

use super::{FeedError, Poller};
use crate::aws::{CallError, ErrorKind, Hub, RegionStatus};
use crate::ident::{Partition, Region};

/// The regions that are watched, each with its poller.
#[derive(Debug)]
pub struct Watch(Vec<Poller>);

impl Watch {
    /// These regions.
    #[must_use]
    pub fn of(named: &[Region]) -> Self {
        Self(named.iter().cloned().map(|region| Poller::new(region, false)).collect())
    }

    /// These regions, and behind them every other one of their partition that is enabled for the
    /// account.
    ///
    /// # Errors
    /// When AWS does not tell which are enabled.
    pub async fn of_all(named: &[Region], hub: &Hub) -> Result<Self, CallError> {
        let mut watch = Self::of(named);
        let partition = hub.identity().partition;
        let found = hub.regions().await?.into_iter().filter(RegionStatus::is_enabled);
        for RegionStatus { region, .. } in found {
            if !named.contains(&region) && Partition::of_region(&region) == partition {
                watch.0.push(Poller::new(region, true));
            }
        }
        Ok(watch)
    }

    /// Their pollers, in order.
    pub fn pollers(&self) -> impl Iterator<Item = &Poller> {
        self.0.iter()
    }

    /// The poller of a region, if the region is watched.
    #[must_use]
    pub fn region(&self, region: &Region) -> Option<&Poller> {
        self.0.iter().find(|poller| poller.region() == region)
    }
}

impl Poller {
    /// A region that is not enabled refuses the credentials. Whether that is why, AWS tells.
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
            Self::Call(_) | Self::Ledger(_) => false,
        }
    }
}
