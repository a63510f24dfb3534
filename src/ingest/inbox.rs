//! The ledger's inbox: what a person handed in or ordered while this service runs. Another process wrote it into the
//! ledger; here it is read, and goes the way of every finding.

use super::intake::{IntakeSender, Stopped};
use crate::finding::Finding;
use crate::ledger::{Decided, LedgerError, Reader};
use crate::remediation::{Entry, Event, Origin};
use std::time::Duration;
use tokio::sync::oneshot;
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
    /// What was handed over and is not decided yet.
    open: Vec<Open>,
}

/// Something that was handed over.
#[derive(Debug)]
struct Open {
    finding: Finding,
    origin: Origin,
    decided: oneshot::Receiver<()>,
}

impl Inbox {
    /// An inbox that has not been read: what is in it from before this start, and was not taken up, comes first.
    #[must_use]
    pub fn new(reader: Reader, intake: IntakeSender) -> Self {
        Self { reader, intake, searched: 0, open: Vec::new() }
    }

    /// Hands over what comes, until `stop` is cancelled. What there was no room for is handed over again.
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

    /// Hands over once what is in it; does not wait for what comes of it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn once(mut self) -> Result<(), LedgerError> {
        self.take_up().await.map(|_| ())
    }

    async fn take_up(&mut self) -> Result<Result<(), Stopped>, LedgerError> {
        // What is new comes before what had no room.
        for entry in self.reader.handed_in_after(self.searched)? {
            self.searched = self.searched.max(entry.seq);
            let Event::HandedIn { origin, occurrence, .. } = &entry.event else { continue };
            let Some(decided) = self.reader.decided(occurrence)? else { continue };
            if self.is_taken_up(&decided, &entry)? {
                continue;
            }
            let is_new = decided.decision.is_none();
            let Event::Finding { finding, .. } = decided.seen.event else { continue };
            if is_new {
                metrics::counter!("rescind_findings_seen_total", "feed" => origin.name()).increment(1);
            }
            tracing::info!(finding = finding.id, %origin, "handed in through the ledger");
            self.intake.announce(&finding.account);
            if let Err(stopped) = self.hand_over(*finding, origin.clone()).await {
                return Ok(Err(stopped));
            }
        }
        for mut open in std::mem::take(&mut self.open) {
            match open.decided.try_recv() {
                Ok(()) => {}
                Err(oneshot::error::TryRecvError::Empty) => self.open.push(open),
                Err(oneshot::error::TryRecvError::Closed) => {
                    if let Err(stopped) = self.hand_over(open.finding, open.origin).await {
                        return Ok(Err(stopped));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    async fn hand_over(&mut self, finding: Finding, origin: Origin) -> Result<(), Stopped> {
        let decided = self.intake.send(finding.clone(), origin.clone()).await?;
        self.open.push(Open { finding, origin, decided });
        Ok(())
    }

    /// It was decided since it was handed in; or cannot be decided otherwise than it was; or what it had led to has gone on
    /// since.
    fn is_taken_up(&self, decided: &Decided, handed_in: &Entry) -> Result<bool, LedgerError> {
        let Some(decision) = &decided.decision else { return Ok(false) };
        if decision.seq > handed_in.seq || is_for_good(decision) {
            return Ok(true);
        }
        let Some(remediation) = decision.takes_care() else { return Ok(false) };
        let last = self.reader.entries_of(remediation)?.pop();
        Ok(last.is_some_and(|entry| entry.seq > handed_in.seq))
    }
}

/// The same finding cannot be decided otherwise.
fn is_for_good(decision: &Entry) -> bool {
    matches!(&decision.event, Event::Decision { code, .. } if code.is_for_good())
}
