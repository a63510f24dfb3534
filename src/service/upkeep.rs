//! What is looked at every minute: work that the schedule lost, and everything that takes too long.

use crate::alert::{Alert, Alerts, clock_far_off};
use crate::aws::Hub;
use crate::config::Config;
use crate::ingest::FolderFeed;
use crate::ledger::{LedgerError, Reader};
use crate::reconcile::Reconciler;
use crate::remediation::AlertCode;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Maximum interval between two rounds.
const ROUND: Duration = Duration::from_mins(1);

/// Takes up what the schedule does not know of, and raises alerts about what takes too long.
pub(super) struct Upkeep {
    pub config: Arc<Config>,
    pub reader: Reader,
    pub hub: Hub,
    pub alerts: Arc<Alerts>,
    pub reconciler: Arc<Reconciler>,
    pub folder: Option<Arc<FolderFeed>>,
    pub stop: CancellationToken,
}

impl Upkeep {
    /// Goes on until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(self.config.poll_interval.min(ROUND));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            // Nothing here waits for what is in flight: one slow account must not keep another's
            // theft from being seen.
            self.reconciler.resume()?;
            self.alerts.escalate(self.reconciler.policy().mode, self.config.raise_after).await?;
            if let Some(alert) = clock_far_off(self.hub.clock()) {
                self.alerts.raise_alert(alert).await?;
            }
            self.raise_undelivered().await?;
            if let Some(folder) = &self.folder {
                folder.raise_late().await?;
            }
            self.reconciler.keep_organization_fresh();
        }
        Ok(())
    }

    /// Raises an alert when a channel does not accept its messages: other channels may.
    async fn raise_undelivered(&self) -> Result<(), LedgerError> {
        let now = Timestamp::now();
        let failing: Vec<String> = self
            .reader
            .channels()?
            .into_iter()
            .filter(|state| self.config.channels.iter().any(|channel| channel.name == state.name))
            .filter(|state| {
                state.failed_since.is_some_and(|at| now.duration_since(at) >= self.config.raise_after)
            })
            .map(|state| format!("{} ({})", state.name, state.error.unwrap_or_default()))
            .collect();
        if failing.is_empty() {
            return Ok(());
        }
        let text = format!("notifications are not delivered: {}", failing.join("; "));
        let what_to_do =
            "Mend the channel: what waits for it is delivered then. `rescind notify test` tries it.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::NotNotified, text, what_to_do)).await
    }
}
