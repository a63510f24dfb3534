//! Feeds are tasks of their own.

use crate::ledger::LedgerError;
use tokio::task::JoinError;

/// What became of a task. A fault in it is no reason to go on as if it were there.
///
/// # Errors
/// The task's.
pub fn joined(done: Result<Result<(), LedgerError>, JoinError>) -> Result<(), LedgerError> {
    match done.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(fault)) => std::panic::resume_unwind(fault),
        // It was given up.
        Err(Err(_)) => Ok(()),
    }
}
