//! What CloudTrail has of an access key that a thief holds, as it was read.

use super::Answer;
use crate::finding::Link;
use crate::ident::{AccountId, Region};
use crate::trail::Activity;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a reading of CloudTrail by one access key added to what was recorded before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The access key.
    pub access_key: String,
    /// The account of its credentials, whose CloudTrail was read.
    pub account: AccountId,
    /// How it came from the stolen credentials to this key, those first; empty for the stolen ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Link>,
    /// Calls that matter and were not recorded before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    /// What was read to its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<RegionRead>,
    /// What cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<RegionUnread>,
    /// The key is dead and everything that CloudTrail has of it was read: it is not looked for any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// How far CloudTrail was read in a region, and what was counted there since the reading before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegionRead {
    /// The region.
    pub region: Region,
    /// Up to this time everything was read. A record that comes later than CloudTrail's delay is found by the last
    /// reading.
    pub until: Timestamp,
    /// All calls by their names, those that matter among them.
    pub calls: BTreeMap<String, CallCount>,
    /// Calls that matter and are not recorded one by one: there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub beyond: u64,
    /// Records that could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u64,
    /// Calls before this time were not read: there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// How often something was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallCount {
    /// Calls that AWS carried out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub worked: u64,
    /// Calls that failed or were denied.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
}

impl CallCount {
    /// Counts one call more.
    pub fn add(&mut self, worked: bool) {
        *(if worked { &mut self.worked } else { &mut self.failed }) += 1;
    }

    /// All of them.
    #[must_use]
    pub fn all(self) -> u64 {
        self.worked + self.failed
    }
}

/// A region whose CloudTrail cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegionUnread {
    /// The region.
    pub region: Region,
    /// Why it cannot be read.
    pub error: String,
    /// What to do about it.
    pub what_to_do: String,
}

/// A person closed doors that a thief had opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorsClosed {
    /// The ids of the doors: CloudTrail's ids of the calls that opened them.
    pub doors: Vec<String>,
    /// Who says so, and what was done.
    #[serde(flatten)]
    pub answer: Answer,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
