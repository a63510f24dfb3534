//! Sees that denies can be written, and says so when none can: then only what is regional contains a theft.

use crate::alert::{Alerts, iam_changeable, iam_unchangeable};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{AlertCode, Event};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Interval between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// Time after which an alert of an earlier process is of another outage.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// Watches the denies that wait for IAM.
pub(super) struct IamWatch {
    pub ledger: Ledger,
    pub reader: Reader,
    pub alerts: Arc<Alerts>,
    /// Time after which what is not done is raised, whatever the cause.
    pub raise_after: SignedDuration,
    pub stop: CancellationToken,
}

impl IamWatch {
    /// Goes on until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut announced = self.announced()?;
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let (now, unchanged) = (Timestamp::now(), self.reader.unchanged()?);
            for one in unchanged.iter().filter(|one| one.outage.needs_person(now, self.raise_after)) {
                let remediation = self.reader.remediation(&one.remediation.remediation)?;
                self.alerts.raise_alert(iam_unchangeable(&remediation, one, unchanged.len() - 1)).await?;
                announced.get_or_insert(one.outage.since);
            }
            if unchanged.is_empty()
                && let Some(since) = announced.take()
            {
                self.ledger.append(iam_changeable(since).raised()).await?;
            }
        }
        Ok(())
    }

    /// When an outage was announced, by whichever process, whose end was not.
    fn announced(&self) -> Result<Option<Timestamp>, LedgerError> {
        let since = Timestamp::now().saturating_sub(RECENT).unwrap_or(Timestamp::MIN);
        let mut announced = None;
        for entry in self.reader.alerts_since(since)? {
            if matches!(entry.event, Event::Alert { code: AlertCode::IamUnchangeable, .. }) {
                // Its end is about no remediation.
                announced = entry.subject.remediation.map(|_| announced.unwrap_or(entry.time));
            }
        }
        Ok(announced)
    }
}
