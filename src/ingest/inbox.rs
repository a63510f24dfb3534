//! The ledger's inbox: what a person handed in or ordered while this service runs. Another process wrote it into the
//! ledger; here it is read, and goes the way of every finding.

use super::intake::{IntakeSender, Stopped};
use crate::ledger::{LedgerError, Reader};
use crate::remediation::Event;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Interval between two looks into the inbox.
const TICK: Duration = Duration::from_millis(500);

/// Reads what is handed in through the ledger.
#[derive(Debug)]
pub struct Inbox {
    reader: Reader,
    intake: IntakeSender,
    /// The last entry that was searched.
    searched: i64,
}

impl Inbox {
    /// An inbox that has not been read: what is in it from before this start, and was not decided, comes first.
    #[must_use]
    pub fn new(reader: Reader, intake: IntakeSender) -> Self {
        Self { reader, intake, searched: 0 }
    }

    /// Hands over what comes, until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if self.take_up().await?.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Hands over what was handed in since the last look and is not decided since then.
    async fn take_up(&mut self) -> Result<Result<(), Stopped>, LedgerError> {
        for entry in self.reader.handed_in_after(self.searched)? {
            self.searched = self.searched.max(entry.seq);
            let Event::HandedIn { origin, occurrence, .. } = entry.event else { continue };
            let Some(decided) = self.reader.decided(&occurrence)? else { continue };
            if decided.decision.as_ref().is_some_and(|decision| decision.seq > entry.seq) {
                continue;
            }
            let Event::Finding { finding, .. } = decided.seen.event else { continue };
            if decided.decision.is_none() {
                metrics::counter!("rescind_findings_seen_total", "feed" => origin.name()).increment(1);
            }
            tracing::info!(finding = finding.id, %origin, "handed in through the ledger");
            self.intake.announce(&finding.account);
            if let Err(stopped) = self.intake.send(*finding, origin).await {
                return Ok(Err(stopped));
            }
        }
        Ok(Ok(()))
    }
}
