//! What was recorded and not decided: a process was stopped, or what it takes to decide could not be read.

use super::intake::{IntakeSender, Stopped};
use crate::finding::Finding;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::Origin;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Hands over what the ledger has and nothing was decided about.
#[derive(Debug)]
pub struct UndecidedSweep {
    reader: Reader,
    intake: IntakeSender,
}

impl UndecidedSweep {
    #[must_use]
    pub fn new(reader: Reader, intake: IntakeSender) -> Self {
        Self { reader, intake }
    }

    /// Hands over at every `interval` what was left, until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn run(
        self: Arc<Self>,
        interval: Duration,
        stop: CancellationToken,
    ) -> Result<(), LedgerError> {
        self.intake.sweep();
        let mut origin = Origin::Resumed;
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            self.undecided(&origin).await?;
            origin = Origin::Swept;
        }
    }

    /// Hands over what is not decided and is not on its way already.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn undecided(&self, origin: &Origin) -> Result<(), LedgerError> {
        for finding in self.reader.undecided()? {
            if self.intake.is_in_flight(&finding.occurrence()) {
                continue;
            }
            tracing::info!(finding = finding.id, "recorded earlier and not decided: deciding now");
            if let Err(Stopped) = self.intake.send(finding, origin.clone()).await {
                break;
            }
        }
        Ok(())
    }

    /// Hands over what no rule was for when it was decided, since then, where one is now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn ruled(
        &self,
        since: Timestamp,
        is_ruled: impl Fn(&Finding) -> bool,
    ) -> Result<(), LedgerError> {
        for finding in self.reader.findings_without_rule(since)?.into_iter().filter(|one| is_ruled(one)) {
            if let Err(Stopped) = self.intake.send(finding, Origin::Ruled).await {
                break;
            }
        }
        Ok(())
    }

    /// Hands over what was only observed, where it is `wanted`, to be decided again.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn observed(&self, wanted: impl Fn(&Finding) -> bool) -> Result<(), LedgerError> {
        for finding in self.reader.observed()?.into_iter().filter(|finding| wanted(finding)) {
            if let Err(Stopped) = self.intake.send(finding, Origin::Observed).await {
                break;
            }
        }
        Ok(())
    }
}
