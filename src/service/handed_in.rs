//! Findings that a person hands in and that only point to one of GuardDuty's, as Security Hub's do:
//! GuardDuty is asked for it.

use super::run::PATIENCE;
use super::{Seen, Service};
use crate::aws::hub_hint;
use crate::backoff::Backoff;
use crate::feed::{Fate, Hint, Hints};
use crate::finding::{Decoded, Finding};
use crate::ledger::{Draft, LedgerError};
use std::time::Duration;

/// How often GuardDuty is asked that does not answer, and how long between.
const QUESTIONS: u32 = 4;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };

/// Those that only point to a finding, and everything else.
pub(super) fn split(decoded: Vec<Decoded>) -> (Vec<Decoded>, Vec<Decoded>) {
    decoded.into_iter().partition(|item| item.as_ref().is_ok_and(|finding| finding.pointer))
}

impl Service {
    /// The findings to which a pointer points. Nothing is recorded of them.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub async fn look_up(&self, pointer: &Finding) -> Result<Vec<Finding>, String> {
        let found = self.hints().look_up(pointer).await;
        found.map_err(|why| format!("{}: {why}", pointer.id))
    }

    /// Asks for what pointers point to, and carries it out as what a person handed in.
    pub(super) async fn take_in_pointers(
        &self,
        source: &str,
        pointers: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
        let mut hints: Vec<Hint> = pointers.into_iter().map(|one| Hint::new(0, source, one)).collect();
        let with = Hints { patience: PATIENCE, handed_in: true, ..self.hints() };
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
                self.engine.room().await;
                match fate {
                    Fate::New(finding) => self.engine.submit_asked(finding),
                    Fate::Seen(finding) => {
                        self.take_in_again(source, &finding).await?;
                        seen.add(finding);
                    }
                    Fate::Open { hint, error: Some(error) } if hint.unanswered >= QUESTIONS => {
                        let what_to_do = hub_hint(&error, self.hub.identity());
                        let region = hint.decoded.as_ref().ok().map(|pointer| pointer.region.clone());
                        let text = format!("GuardDuty does not tell the finding in {source}: {error}");
                        self.ledger.append(Draft::feed_failed(region.as_ref(), text, what_to_do)).await?;
                    }
                    Fate::Open { hint, .. } => hints.push(*hint),
                    // It is recorded.
                    Fate::Unconfirmed { .. } | Fate::Undecodable(_) | Fate::Grows(_) => {}
                }
            }
        }
        Ok(())
    }
}
