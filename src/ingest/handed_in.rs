//! Findings that a person hands in. GuardDuty is asked for those that only point to one of its own, as
//! Security Hub's do.

use super::claim::{Claim, Verification};
use super::intake::{IntakeSender, Stopped};
use super::record::{Recorded, Source, record};
use super::seen::Seen;
use super::verifier::Verifier;
use crate::aws::hub_hint;
use crate::backoff::Backoff;
use crate::finding::{Decoded, Finding};
use crate::ledger::LedgerError;
use crate::remediation::{Draft, Origin};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Maximum number of questions to GuardDuty without an answer.
const QUESTIONS: u32 = 4;

/// Backoff between these questions.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };

/// Where what a person hands in goes.
#[derive(Debug)]
pub enum Destination {
    /// This process decides about it.
    Intake(IntakeSender),
    /// Another one does, which reads it in the ledger.
    Ledger {
        /// The user of the operating system who hands it in.
        os_user: String,
        /// What was handed in by this process, by occurrence, with the number of the entry that says so.
        entries: Mutex<BTreeMap<String, i64>>,
    },
}

/// Takes in what a person hands in.
#[derive(Debug)]
pub struct HandedIn {
    pub verifier: Arc<Verifier>,
    pub to: Destination,
    /// The ledger's last entry when this run began.
    pub since: i64,
    /// The other products of which it was said that their findings are not acted on.
    pub foreign: Mutex<HashSet<String>>,
    /// It is to stop.
    pub stop: CancellationToken,
}

impl HandedIn {
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
        let (pointers, decoded) = split(self.admitted(decoded));
        self.take_in_pointers(origin, pointers, seen).await?;
        for recorded in record(&self.verifier.ledger, &Source::of(origin), decoded, None).await? {
            let finding = match recorded {
                Recorded::New(finding) => finding,
                Recorded::Undecodable(_) => continue,
                Recorded::Seen(finding) => {
                    seen.add(finding.clone());
                    finding
                }
            };
            if !self.is_taken_in(&finding)?
                && let Err(Stopped) = self.hand_over(finding, origin).await?
            {
                break;
            }
        }
        Ok(())
    }

    /// What was decoded, as the rules are now. What is not acted on is said once for each product.
    #[must_use]
    pub fn admitted(&self, decoded: Vec<Decoded>) -> Vec<Decoded> {
        let mut said = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = decoded.into_iter().map(|item| self.verifier.products.admitted(item));
        let is_news = |item: &Decoded| match item {
            Err(what) if what.is_of_whole_product() => said.insert(what.sha256.clone()),
            _ => true,
        };
        admitted.filter(is_news).collect()
    }

    /// Hands a recorded finding over to whoever decides.
    async fn hand_over(&self, finding: Finding, origin: &Origin) -> Result<Result<(), Stopped>, LedgerError> {
        match &self.to {
            Destination::Intake(intake) => Ok(intake.send(finding, origin.clone()).await.map(drop)),
            Destination::Ledger { os_user, entries } => {
                let draft = Draft::handed_in(origin, &finding, os_user);
                let seq = self.verifier.ledger.append(draft).await?.into_iter().flatten().next();
                locked(entries).insert(finding.occurrence(), seq.unwrap_or_default());
                Ok(Ok(()))
            }
        }
    }

    /// What was handed over to another process: by occurrence, with the number of the entry that says so.
    #[must_use]
    pub fn left_to_another(&self) -> BTreeMap<String, i64> {
        match &self.to {
            Destination::Intake(_) => BTreeMap::new(),
            Destination::Ledger { entries, .. } => locked(entries).clone(),
        }
    }

    /// It stood in this input before: who hands it in twice is asked about once.
    fn is_taken_in(&self, finding: &Finding) -> Result<bool, LedgerError> {
        let occurrence = finding.occurrence();
        match &self.to {
            Destination::Intake(intake) if intake.is_in_flight(&occurrence) => return Ok(true),
            Destination::Intake(_) => {}
            Destination::Ledger { entries, .. } => return Ok(locked(entries).contains_key(&occurrence)),
        }
        let decision = self.verifier.reader.decided(&occurrence)?.and_then(|decided| decided.decision);
        Ok(decision.is_some_and(|decision| decision.seq > self.since))
    }

    /// The findings to which a pointer points. Nothing is recorded of them.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub async fn look_up(&self, pointer: &Finding) -> Result<Vec<Finding>, String> {
        let found = self.verifier.look_up(pointer).await;
        found.map_err(|why| format!("{}: {why}", pointer.id))
    }

    /// Asks for what pointers point to, and carries it out as what a person handed in.
    async fn take_in_pointers(
        &self,
        origin: &Origin,
        pointers: Vec<Decoded>,
        seen: &mut Seen,
    ) -> Result<(), LedgerError> {
        let item = origin.to_string();
        let mut claims: Vec<Claim> = pointers.into_iter().map(|one| Claim::new(0, &item, one)).collect();
        let mut tries = 0;
        while !claims.is_empty() && !self.stop.is_cancelled() {
            if tries > 0 {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(BACKOFF.after(tries)) => {}
                }
            }
            tries += 1;
            for (_, verification) in self.verifier.verify(origin, std::mem::take(&mut claims)).await? {
                if let Verification::Seen(finding) = &verification {
                    seen.add(finding.clone());
                }
                match verification {
                    Verification::New(finding) | Verification::Seen(finding) => {
                        if let Err(Stopped) = self.hand_over(finding, origin).await? {
                            return Ok(());
                        }
                    }
                    Verification::Open { claim, error: Some(error) } if claim.unanswered >= QUESTIONS => {
                        let what_to_do = hub_hint(&error, self.verifier.hub.identity());
                        let region = claim.decoded.as_ref().ok().map(|pointer| pointer.region.clone());
                        let text = format!("GuardDuty did not answer for a finding in {origin}: {error}");
                        self.verifier
                            .ledger
                            .append(Draft::feed_failed(region.as_ref(), text, what_to_do))
                            .await?;
                    }
                    Verification::Open { claim, .. } => claims.push(*claim),
                    // It is recorded.
                    Verification::Unconfirmed { .. }
                    | Verification::Undecodable(_)
                    | Verification::Foreign { .. }
                    | Verification::Grows(_) => {}
                }
            }
        }
        Ok(())
    }
}

fn locked(entries: &Mutex<BTreeMap<String, i64>>) -> MutexGuard<'_, BTreeMap<String, i64>> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those that only point to a finding, and everything else.
fn split(decoded: Vec<Decoded>) -> (Vec<Decoded>, Vec<Decoded>) {
    decoded.into_iter().partition(|item| item.as_ref().is_ok_and(|finding| finding.pointer))
}
