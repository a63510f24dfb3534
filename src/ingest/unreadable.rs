//! How much each feed brought of late that cannot be read.

use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Event, Origin};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a feed brought that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreadable {
    /// The feed: a queue, the folder, or GuardDuty in a region.
    pub feed: String,
    pub count: usize,
    /// What is wrong with the latest.
    pub latest: String,
}

impl Unreadable {
    /// Of each feed that brought some since then. What a person handed in, they saw themselves.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn since(reader: &Reader, since: Timestamp) -> Result<Vec<Self>, LedgerError> {
        let mut feeds: BTreeMap<String, Self> = BTreeMap::new();
        for entry in reader.unreadable_since(since)? {
            let Event::Undecodable { origin, undecodable } = entry.event else { continue };
            // It can be read, and no rule is for it.
            if undecodable.is_of_whole_product() {
                continue;
            }
            let feed = match &origin {
                Origin::Folder { .. } => "folder".to_owned(),
                Origin::Queue { .. } | Origin::Poll { .. } => origin.to_string(),
                _ => continue,
            };
            let known = feeds.entry(feed.clone()).or_insert(Self { feed, count: 0, latest: String::new() });
            known.count += 1;
            known.latest = undecodable.to_string();
        }
        Ok(feeds.into_values().collect())
    }
}
