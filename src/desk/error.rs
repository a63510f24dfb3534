//! Why something cannot be read or done.

use crate::ledger::LedgerError;
use crate::service::ServiceError;

/// Why something cannot be read or done. But for the last two, nothing was changed, and the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// It names several things.
    #[error("{0}")]
    Ambiguous(String),
    /// What was asked for is not well formed.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
    /// What somebody approves is not what is planned by now.
    #[error("{0}: another change is planned by now, and nothing was recorded: look at it again")]
    PlanChanged(String),
    /// Another person must do it.
    #[error("{0}")]
    Forbidden(String),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The hub's AWS cannot be used.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl DeskError {
    /// It was refused as things stand, and nothing was changed: what else was asked for may still be done.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Ledger(_) | Self::Service(_))
    }
}
