//! Sees that the log answers, and says so when it does not: then nothing is done, and nothing can be recorded.

use crate::alert::Alert;
use crate::ledger::{Ledger, LedgerError};
use crate::notify::Notifier;
use crate::remediation::AlertCode;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Interval between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Time without an answer after which people are notified. Another host leads by then where only this one is cut off.
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);

/// Watches the log of the leader.
pub(super) struct LogWatch {
    pub ledger: Ledger,
    pub notifier: Option<Arc<Notifier>>,
    pub host: String,
    pub stop: CancellationToken,
}

impl LogWatch {
    /// Goes on until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut announced: Option<Timestamp> = None;
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match (self.ledger.log_fault(), announced) {
                (Some(fault), None) if Timestamp::now().duration_since(fault.since) >= PATIENCE => {
                    announced = Some(fault.since);
                    let text = format!(
                        "the log does not answer at {} since {:.0}: NOTHING IS DONE until it does: {}",
                        self.host, fault.since, fault.error
                    );
                    let what_to_do = "See DynamoDB's health, the hub's permissions and the network; `rescind status` on each host says who leads. If it lasts, contain by hand: docs/runbook.md.";
                    let alert = Alert::of_service(AlertCode::LogUnreachable, text, what_to_do).raised();
                    if let Some(notifier) = &self.notifier {
                        notifier.announce(alert).await?;
                    }
                }
                (None, Some(since)) => {
                    announced = None;
                    let text = format!(
                        "the log did not answer at {} from {since:.0} on, and answers again",
                        self.host
                    );
                    let what_to_do =
                        "Nothing was lost: what came meanwhile is being done. See how long thieves had.";
                    let alert = Alert::of_service(AlertCode::LogUnreachable, text, what_to_do);
                    self.ledger.append(alert.raised()).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
