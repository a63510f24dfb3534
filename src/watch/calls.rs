//! The calls that were made with an access key, in all regions.

use crate::aws::{Lookup, MemberSession};
use crate::ident::Region;
use crate::remediation::CallError;
use crate::trail::TrailEvent;
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

/// CloudTrail's times are whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Maximum number of regions that are asked concurrently: LookupEvents is limited for each region on its own.
const AT_ONCE: usize = 8;

/// Maximum number of pages of 50 calls that are read of one key in one region: only its latest calls matter.
const PAGES: usize = 4;

/// Calls with one key, in all regions.
pub(super) struct Calls {
    pub all: Vec<TrailEvent>,
    /// From here on none is missing.
    complete_from: Timestamp,
}

impl Calls {
    /// The calls with this key since a time.
    ///
    /// # Errors
    /// When a region cannot be read: what is not known everywhere is not known.
    pub async fn with_key(
        session: &MemberSession,
        key: &str,
        regions: Vec<Region>,
        since: Timestamp,
    ) -> Result<Self, CallError> {
        let each = futures::stream::iter(regions)
            .map(async |region| session.events(&region, Lookup::AccessKey(key), since, PAGES).await);
        // To their end also when one fails: the calls are recorded with what came of them.
        let listed: Vec<_> = each.buffer_unordered(AT_ONCE).collect().await;
        let mut calls = Self { all: Vec::new(), complete_from: since };
        for page in listed {
            let page = page?;
            // The newest come first, and what was not read is as old as the last one or older.
            let oldest = page.items.last().filter(|_| page.unreadable == 0).map(|call| call.time);
            if page.cut_short || page.unreadable > 0 {
                let after = oldest.map(|at| at.saturating_add(SECOND).unwrap_or(Timestamp::MAX));
                calls.complete_from = calls.complete_from.max(after.unwrap_or(Timestamp::MAX));
            }
            calls.all.extend(page.items.into_iter().filter(|call| call.time >= since));
        }
        Ok(calls)
    }

    pub fn is_complete_from(&self, since: Timestamp) -> bool {
        self.complete_from <= since
    }
}
