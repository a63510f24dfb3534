//! An entry of the log whose text is in an archive: what the ledger keeps of it.

use super::tree::Hash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is left of an entry whose text was moved to an archive before its ledger was put into the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hollow {
    /// Number of the `archive` entry.
    pub archived: i64,
    /// Its own number.
    pub seq: i64,
    /// When it was written.
    pub time: Timestamp,
    /// Its leaf hash, in base64.
    leaf: String,
}

/// How its line begins. No entry's does: `data`, `kind` and `account` are the first members of those.
const BEGINS: &[u8] = b"{\"archived\":";

impl Hollow {
    pub fn new(archived: i64, seq: i64, time: Timestamp, leaf: &Hash) -> Self {
        Self { archived, seq, time, leaf: BASE64.encode(leaf) }
    }

    /// The line that stands for it; none when it is an entry's.
    pub fn of(line: &[u8]) -> Option<Self> {
        line.starts_with(BEGINS).then(|| serde_json::from_slice(line).ok()).flatten()
    }

    /// The line that stands for it.
    pub fn line(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Its leaf hash.
    pub fn leaf(&self) -> Option<Hash> {
        BASE64.decode(&self.leaf).ok()?.try_into().ok()
    }

    /// The text that the ledger has in its place.
    pub fn body(&self) -> Vec<u8> {
        format!("{{\"archived\":{}}}", self.archived).into_bytes()
    }
}

/// The leaf hash that the line of an archived entry names; none when it is an entry's.
pub(super) fn leaf_of(line: &[u8]) -> Option<Hash> {
    Hollow::of(line)?.leaf()
}
