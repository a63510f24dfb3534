//! Findings that a person hands in. GuardDuty is asked for those that only point to one of its own, as
//! Security Hub's do.

use super::Service;
use super::seen::Seen;
use crate::aws::hub_hint;
use crate::backoff::Backoff;
use crate::finding::{Decoded, Finding};
use crate::ingest::{Hint, Hints, Recorded, Source, Stopped, Verification, record};
use crate::ledger::LedgerError;
use crate::remediation::{Draft, Origin};
use std::collections::HashSet;
use std::time::Duration;

/// How often GuardDuty is asked that does not answer, and how long between.
const QUESTIONS: u32 = 4;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };

impl Service {
    /// Records and hands over what a person handed in; does not wait until it is done. Adds to `seen` the
    /// occurrences that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn take_in(
        &self,
        origin: &Origin,
        decoded: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
        let (pointers, decoded) = split(decoded);
        self.take_in_pointers(origin, pointers, seen).await?;
        let mut known = HashSet::new();
        let source = Source::handed_in(&origin.to_string());
        for recorded in record(&self.ledger, &source, decoded, None).await? {
            let finding = match recorded {
                Recorded::New(finding) => finding,
                Recorded::Undecodable(_) => continue,
                Recorded::Seen(finding) => {
                    seen.add(finding.clone());
                    finding
                }
            };
            if known.insert(finding.occurrence())
                && let Err(Stopped) = self.intake.send(finding, origin.clone()).await
            {
                break;
            }
        }
        Ok(())
    }

    /// The findings to which a pointer points. Nothing is recorded of them.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub async fn look_up(&self, pointer: &Finding) -> Result<Vec<Finding>, String> {
        let found = self.hints().look_up(pointer).await;
        found.map_err(|why| format!("{}: {why}", pointer.id))
    }

    /// Asks for what pointers point to, and carries it out as what a person handed in.
    async fn take_in_pointers(
        &self,
        origin: &Origin,
        pointers: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
        let source = &origin.to_string();
        let mut hints: Vec<Hint> = pointers.into_iter().map(|one| Hint::new(0, source, one)).collect();
        let with = Hints { patience: Hints::PATIENCE, handed_in: true, ..self.hints() };
        let mut tries = 0;
        while !hints.is_empty() && !self.is_stopping() {
            if tries > 0 {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(BACKOFF.after(tries)) => {}
                }
            }
            tries += 1;
            for (_, fate) in with.settle(source, std::mem::take(&mut hints)).await? {
                if let Verification::Seen(finding) = &fate {
                    seen.add(finding.clone());
                }
                match fate {
                    Verification::New(finding) | Verification::Seen(finding) => {
                        if let Err(Stopped) = self.intake.send(finding, origin.clone()).await {
                            return Ok(());
                        }
                    }
                    Verification::Open { hint, error: Some(error) } if hint.unanswered >= QUESTIONS => {
                        let what_to_do = hub_hint(&error, self.hub.identity());
                        let region = hint.decoded.as_ref().ok().map(|pointer| pointer.region.clone());
                        let text = format!("GuardDuty does not tell the finding in {source}: {error}");
                        self.ledger.append(Draft::feed_failed(region.as_ref(), text, what_to_do)).await?;
                    }
                    Verification::Open { hint, .. } => hints.push(*hint),
                    // It is recorded.
                    Verification::Unconfirmed { .. }
                    | Verification::Undecodable(_)
                    | Verification::Grows(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// Those that only point to a finding, and everything else.
fn split(decoded: Vec<Decoded>) -> (Vec<Decoded>, Vec<Decoded>) {
    decoded.into_iter().partition(|item| item.as_ref().is_ok_and(|finding| finding.pointer))
}
