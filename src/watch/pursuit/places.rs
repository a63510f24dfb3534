//! How many requests pursuit makes at once, and how fast.

use crate::ident::Region;
use crate::ingest::Pace;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of requests at once, of all keys and regions: a width of its own, which leaves a theft the rest.
const AT_ONCE: usize = 24;

/// Maximum number of them in one region: one that does not answer leaves room for the others.
const IN_REGION: usize = 8;

/// Maximum number of pages in a second. A page is some milliseconds' work for a processor, which a deny may need.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// The requests that may be made. Whoever waits for CloudTrail's pace has no place, so that all keys come forward, each by
/// a page after the other.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    regions: Mutex<HashMap<Region, Arc<Semaphore>>>,
    pace: Pace,
}

/// One request that is being made.
pub(super) struct Place {
    _in_region: Option<OwnedSemaphorePermit>,
    _in_all: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            regions: Mutex::default(),
            pace: Pace::new(PER_SECOND),
        }
    }
}

impl Places {
    /// A place for a request in a region, as soon as there is one.
    pub async fn take(&self, region: &Region) -> Place {
        let of_region = {
            let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
            let of_region =
                regions.entry(region.clone()).or_insert_with(|| Arc::new(Semaphore::new(IN_REGION)));
            Arc::clone(of_region)
        };
        // Neither is ever closed.
        let in_region = of_region.acquire_owned().await.ok();
        let in_all = Arc::clone(&self.all).acquire_owned().await.ok();
        self.pace.next().await;
        Place { _in_region: in_region, _in_all: in_all }
    }
}
