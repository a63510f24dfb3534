//! Why a drill cannot be held.

use crate::ident::BadName;
use crate::ledger::LedgerError;
use crate::remediation::CallError;
use crate::service::ServiceError;

/// Why a drill cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// What was asked for cannot be.
    #[error("{0}")]
    Asked(String),
    /// The drill's ledger, or the hub's AWS.
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A call of the hub.
    #[error(transparent)]
    Aws(#[from] CallError),
    #[error(transparent)]
    Name(#[from] BadName),
}
