//! Feeds: where findings come from. A feed records what it read and hands on what is new; it
//! does not know what is done about it.

mod file;
mod guardduty;

pub use file::read_input;
pub use guardduty::{Poll, Poller};

use crate::aws::CallError;
use crate::finding::{Decoded, Finding};
use crate::ident::Region;
use crate::ledger::{Append, Beside, Cursor, Draft, Ledger, LedgerError};
use jiff::Timestamp;

/// Why a feed could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A call to the hub's GuardDuty failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// GuardDuty has no detector in the region.
    #[error("GuardDuty has no detector in {0}")]
    NoDetector(Region),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What a feed gave.
#[derive(Debug, Default)]
pub struct Received {
    /// Occurrences that were not in the ledger before. They are now.
    pub new: Vec<Finding>,
    /// Occurrences that had been recorded before.
    pub seen: Vec<Finding>,
    /// How many could not be decoded.
    pub undecodable: usize,
}

/// Where findings come from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The name under which the ledger knows it.
    pub name: String,
    /// The region, when it is that of one.
    pub region: Option<&'a Region>,
    /// Since when it is watched, when it is watched: what is older was there before.
    pub watched_since: Option<Timestamp>,
}

impl Source<'_> {
    /// Something that a person handed in.
    #[must_use]
    pub fn handed_in(name: &str) -> Self {
        Self { name: name.to_owned(), region: None, watched_since: None }
    }
}

/// Records what was decoded, and with it how far the feed has come.
///
/// # Errors
/// When the ledger cannot be written: then nothing of it was recorded.
pub async fn record(
    ledger: &Ledger,
    source: &Source<'_>,
    decoded: Vec<Decoded>,
    cursor: Option<Cursor>,
) -> Result<Received, LedgerError> {
    let entries = decoded
        .iter()
        .map(|item| match item {
            Ok(finding) => {
                let before_watch = source.watched_since.filter(|since| finding.updated_at < *since);
                Draft::finding(&source.name, finding.clone(), before_watch)
            }
            Err(undecodable) => Draft::undecodable(&source.name, source.region, undecodable.clone()),
        })
        .collect();
    let written = ledger
        .append(Append {
            entries,
            beside: cursor.map(Beside::Cursor).into_iter().collect(),
            ..Append::default()
        })
        .await?;
    let mut received = Received::default();
    for (item, seq) in decoded.into_iter().zip(written) {
        match (item, seq) {
            (Ok(finding), Some(_)) => received.new.push(finding),
            (Ok(finding), None) => received.seen.push(finding),
            (Err(undecodable), seq) => {
                received.undecodable += 1;
                if seq.is_some() {
                    tracing::warn!(
                        source = source.name,
                        finding = undecodable.finding_id,
                        "not a readable finding: {undecodable}"
                    );
                }
            }
        }
    }
    Ok(received)
}
