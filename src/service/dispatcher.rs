//! The loop that begins what is due: approvals, retries, rechecks.

use super::heartbeat::Heartbeat;
use crate::ledger::LedgerError;
use crate::reconcile::Reconciler;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Interval between two looks at what is due.
const TICK: Duration = Duration::from_secs(1);

/// Begins what is due. It never waits for what it began.
pub(super) struct Dispatcher {
    pub reconciler: Arc<Reconciler>,
    /// The last entry that was searched for approvals.
    pub searched: i64,
    pub heartbeat: Arc<Heartbeat>,
    pub stop: CancellationToken,
}

impl Dispatcher {
    /// Goes on until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(mut self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.searched = self.reconciler.take_up_approved(self.searched)?;
            Box::pin(self.reconciler.do_what_is_due()).await?;
            self.heartbeat.beat();
        }
        Ok(())
    }
}
