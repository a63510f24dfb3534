//! Files that appear in a folder.

use super::Service;
use crate::ledger::LedgerError;

impl Service {
    /// Reads what appears in the configured folder, until it is to stop.
    pub(super) async fn keep_reading(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}
