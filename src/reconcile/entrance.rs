//! The entrance to the reconciler: each finding is queued behind those of the same principal.

use super::Reconciler;
use super::find_role::{Search, find_role};
use super::keyed_queue::Priority;
use super::work::{Case, Work};
use crate::finding::Finding;
use crate::ident::AccountId;
use crate::ingest::{Incoming, Intake, IntakeReceiver};
use crate::ledger::LedgerError;
use crate::remediation::{Entry, Event, Origin, ReasonCode, State};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// Maximum time that a job waits for room in its account before it is left to the next sweep: the jobs behind
/// it may be for an account in which nothing hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Time for which an account that had no room is not waited for again.
const FULL: Duration = Duration::from_mins(1);

impl Reconciler {
    /// Takes findings in as long as there is room for them, until the feeds are gone or it is to stop. What is
    /// in the channel then stays without an answer.
    pub async fn receive(self: Arc<Self>, mut intakes: IntakeReceiver) {
        // A feed that nobody listens to any more is to stop, and be seen to.
        let stop_on_panic = self.stop.clone().drop_guard();
        let mut full = HashMap::new();
        loop {
            let incoming = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                incoming = intakes.recv() => incoming,
            };
            let intake = match incoming {
                Some(Incoming::Finding(intake)) => *intake,
                Some(Incoming::Announced(account)) => {
                    self.expect(&account);
                    continue;
                }
                None => break,
            };
            let stays = intakes.are_swept() || intake.origin == Origin::Resumed;
            let can_come_again = stays && !matches!(intake.origin, Origin::Drill | Origin::Observed);
            if self.has_room(&intake.finding.account, can_come_again, &mut full).await {
                self.take(intake);
            } else {
                tracing::warn!(
                    finding = intake.finding.id, account = %intake.finding.account,
                    "too much waits in this account: left to the next sweep"
                );
            }
        }
        stop_on_panic.disarm();
    }

    /// Waits until there is room in an account, or for as long as one waits for what can come again. `full`
    /// are the accounts that had none, and since when.
    async fn has_room(
        &self,
        account: &AccountId,
        can_come_again: bool,
        full: &mut HashMap<AccountId, Instant>,
    ) -> bool {
        if !can_come_again {
            self.queue().ready(account).await;
            return true;
        }
        full.retain(|_, since| since.elapsed() < FULL);
        let patience = if full.contains_key(account) { Duration::ZERO } else { PATIENCE };
        let has_room = tokio::time::timeout(patience, self.queue().ready(account)).await.is_ok();
        if !has_room {
            full.entry(account.clone()).or_insert_with(Instant::now);
        }
        has_room
    }

    /// Decides about a finding that is in the ledger, and carries the decision out. What is decided already is
    /// left, unless a person asks for it again.
    pub fn take(self: &Arc<Self>, intake: Intake) {
        let key = self.context().decider.key_of(&intake.finding);
        let priority = if intake.origin == Origin::Swept { Priority::Again } else { Priority::New };
        let finding = &intake.finding;
        let span = tracing::info_span!("finding", finding = finding.id, account = %finding.account);
        let reconciler = Arc::clone(self);
        let job = async move {
            match reconciler.begin(intake).await {
                Ok(Some(case)) => {
                    reconciler.worker.work_off(vec![Work::Finding(Box::new(case))]).await;
                }
                Ok(None) => {}
                Err(error) => reconciler.worker.note(error),
            }
        };
        self.queue().submit(key, priority, job.instrument(span));
    }

    /// What is to be decided about a finding that came in; none when nothing is, or when it waits its turn
    /// elsewhere.
    async fn begin(self: &Arc<Self>, intake: Intake) -> Result<Option<Case>, LedgerError> {
        let Intake { finding, origin, ack } = intake;
        if !self.is_to_decide(&finding, &origin).await? {
            ack.decided();
            return Ok(None);
        }
        let (context, is_asked) = (self.context(), origin.is_asked());
        let before_watch = self.worker.before_watch(&finding, is_asked)?;
        let in_vain = match find_role(&context.decider, &context.access, &finding, before_watch).await? {
            // From here on it waits its turn among the findings of that role.
            Search::Found(named) => {
                self.take(Intake { finding: *named, origin, ack });
                return Ok(None);
            }
            Search::NotMade => None,
            Search::InVain(why) => Some(why),
        };
        Ok(Some(Case { is_asked, in_vain, ack: Some(ack), ..Case::again(finding) }))
    }

    /// Whether a decision is to be made: there is none, or a person asks again about one that can change. What
    /// had failed, or was rejected, is tried again instead.
    async fn is_to_decide(&self, finding: &Finding, origin: &Origin) -> Result<bool, LedgerError> {
        let (occurrence, reader) = (finding.occurrence(), &self.context().reader);
        if *origin == Origin::Ruled {
            let decision = reader.decided(&occurrence)?.and_then(|decided| decided.decision);
            let code = |entry: &Entry| matches!(&entry.event, Event::Decision { code, .. } if *code == ReasonCode::OtherType);
            return Ok(decision.is_some_and(|decision| code(&decision)));
        }
        if !origin.is_asked() {
            // A sweep may have found it in the ledger before the feed that had put it there handed it over.
            return Ok(!reader.is_decided(&occurrence)?);
        }
        let Some(decision) = reader.decided(&occurrence)?.and_then(|decided| decided.decision) else {
            return Ok(true);
        };
        if let Some(id) = decision.takes_care() {
            if matches!(reader.remediation(id)?.state, State::Failed | State::Rejected) {
                self.reopen(id, &origin.to_string()).await?;
            }
            return Ok(false);
        }
        Ok(can_change(&decision))
    }
}

/// Whether the same finding can be decided otherwise by now: what it rested on is not the finding alone.
fn can_change(decision: &Entry) -> bool {
    matches!(&decision.event, Event::Decision { code, .. } if !code.is_for_good())
}
