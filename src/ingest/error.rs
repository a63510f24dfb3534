//! Why a feed could not be read.

use super::intake::Stopped;
use crate::ident::Region;
use crate::ledger::LedgerError;
use crate::remediation::CallError;

/// Why a feed could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A call to the hub's GuardDuty failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The same, and other findings could be read.
    #[error(transparent)]
    Partly(CallError),
    /// GuardDuty has no detector in the region.
    #[error("GuardDuty has no detector in {0}")]
    NoDetector(Region),
    /// The region is an opt-in region that is not enabled for the account.
    #[error("{region} is not enabled for the account ({status})")]
    NotEnabled {
        region: Region,
        /// What AWS calls it.
        status: String,
    },
    /// What was read cannot be handed over any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
