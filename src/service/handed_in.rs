//! Findings that a person hands in. GuardDuty is asked for those that only point to one of its own, as
//! Security Hub's do.

use super::Service;
use super::seen::Seen;
use crate::aws::hub_hint;
use crate::backoff::Backoff;
use crate::feed::{Hint, Hints, Recorded, Source, Verification, record};
use crate::finding::{Decoded, Finding};
use crate::ledger::{Decided, LedgerError};
use crate::remediation::{Draft, Entry, Event, State};
use std::collections::HashSet;
use std::time::Duration;

/// How often GuardDuty is asked that does not answer, and how long between.
const QUESTIONS: u32 = 4;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };

impl Service {
    /// Records and carries out what was decoded from `source`; does not wait until it is done. Somebody
    /// handed it in: so what was only observed is decided again, and what had failed is tried again.
    /// Adds to `seen` the occurrences that had been seen before.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn take_in(
        &self,
        source: &str,
        decoded: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
        let (pointers, decoded) = split(decoded);
        self.take_in_pointers(source, pointers, seen).await?;
        let mut known = HashSet::new();
        for recorded in record(&self.ledger, &Source::handed_in(source), decoded, None).await? {
            self.engine.ready().await;
            match recorded {
                Recorded::New(finding) => self.engine.submit_asked(finding),
                Recorded::Undecodable(_) => {}
                Recorded::Seen(finding) => {
                    if known.insert(finding.occurrence()) {
                        self.take_in_again(source, &finding).await?;
                    }
                    seen.add(finding);
                }
            }
        }
        Ok(())
    }

    /// What was seen before: decided again where that can change, and reopened where it had failed.
    async fn take_in_again(&self, source: &str, finding: &Finding) -> Result<(), LedgerError> {
        let decision = self.decision(finding)?;
        let remediation = decision.as_ref().and_then(Entry::takes_care);
        match (decision.as_ref().map(|d| &d.event), remediation) {
            (Some(Event::Decision { code, .. }), None) if can_change(code) => {
                self.engine.submit_asked(finding.clone());
            }
            (_, Some(id))
                if matches!(self.reader.remediation(id)?.state, State::Failed | State::Rejected) =>
            {
                self.engine.reopen(id, source).await?;
            }
            _ => {}
        }
        Ok(())
    }

    fn decision(&self, finding: &Finding) -> Result<Option<Entry>, LedgerError> {
        Ok(self.reader.decided(&finding.occurrence())?.and_then(|decided: Decided| decided.decision))
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
        source: &str,
        pointers: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
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
                self.engine.ready().await;
                match fate {
                    Verification::New(finding) => self.engine.submit_asked(finding),
                    Verification::Seen(finding) => {
                        self.take_in_again(source, &finding).await?;
                        seen.add(finding);
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

/// Whether the same finding can be decided otherwise by now: what it rested on is not the finding alone.
fn can_change(code: &str) -> bool {
    let for_good = ["sample", "archived", "no_principal", "own_role", "denied", "released", "done_by_hand"];
    !for_good.contains(&code)
}
