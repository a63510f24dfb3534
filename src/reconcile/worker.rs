//! The work on one key of the queue: the steps for one principal, one after the other.
//!
//! A finding or a remediation can lead to more work. That is not done inside its own step: it comes next in the same
//! job, before anything else for that principal. A crash loses only this order: each piece of work is in the ledger.

use super::context::Context;
use super::decider::queue_key;
use super::keyed_queue::Priority;
use super::next::{Attempt, Next};
use super::work::{Case, Work};
use super::{contested, expire, hold, quarantine, release, revoke, verify};
use crate::chain::chain;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Remediation, State};
use crate::watch::{Recheck, Watchlist};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub(super) struct Worker {
    pub context: Context,
    pub recheck: Recheck,
    pub watchlist: Arc<Watchlist>,
    /// What was there before a region was watched is acted on as well.
    pub backlog: bool,
    pub stop: CancellationToken,
    pub fatal: Mutex<Option<LedgerError>>,
}

impl Worker {
    pub fn reader(&self) -> &Reader {
        &self.context.reader
    }

    /// Queues a remediation under its principal's key.
    pub fn submit(self: &Arc<Self>, id: String, key: String, priority: Priority) {
        let worker = Arc::clone(self);
        self.context.queue.submit(key, priority, async move {
            worker.work_off(vec![Work::Remediation(id)]).await;
        });
    }

    /// Does this, and what follows from it, in order.
    pub async fn work_off(&self, work: Vec<Work>) {
        let mut agenda = VecDeque::from(work);
        while let Some(work) = agenda.pop_front() {
            let follows = match work {
                Work::Finding(case) => self.decide(*case).await,
                Work::Remediation(id) => self.carry_out(&id).await,
            };
            match follows {
                Ok(follows) => follows.into_iter().rev().for_each(|work| agenda.push_front(work)),
                // What is left stands in the ledger.
                Err(error) => return self.note(error),
            }
        }
    }

    /// Brings a remediation as far as it goes, step by step; and keeps when it is tried again.
    async fn carry_out(&self, id: &str) -> Result<Vec<Work>, LedgerError> {
        let mut attempt = Attempt::default();
        let span = tracing::info_span!("remediation", remediation = id);
        let steps = async {
            let next = self.go_on(id, &mut attempt).await?;
            quarantine::go_on(&self.context, id, next).await
        };
        let next = steps.instrument(span).await?;
        if attempt.made > 0 {
            self.watchlist.note_change();
        }
        match next {
            Next::RequeueAfter(delay) => self.context.retries.put(id, delay),
            Next::Done | Next::AwaitPerson | Next::Continue => self.context.retries.done(id),
        }
        let freed = attempt.freed.into_iter().map(|finding| Work::Finding(Box::new(Case::again(finding))));
        // It waits its turn among those that the organization denies.
        if let Some(escalated) = contested::escalate(&self.context, id).await? {
            self.context.retries.put(&escalated, Duration::ZERO);
        }
        Ok(freed.collect())
    }

    async fn go_on(&self, id: &str, attempt: &mut Attempt) -> Result<Next, LedgerError> {
        loop {
            match self.reconcile(id, attempt).await {
                Ok(Next::Continue) => {}
                // Somebody else wrote meanwhile: the next try goes by what they wrote.
                Err(LedgerError::Illegal(step)) => {
                    tracing::error!(remediation = step.remediation, %step, "a step was refused by the ledger");
                    return Ok(self.context.try_again(id));
                }
                next => return next,
            }
        }
    }

    /// Brings a remediation one step forward. Which step follows from its state alone, so a remediation that
    /// was interrupted goes on where the ledger says it stands.
    async fn reconcile(&self, id: &str, attempt: &mut Attempt) -> Result<Next, LedgerError> {
        let context = &self.context;
        let remediation = &context.reader.remediation(id)?;
        match remediation.state {
            State::Held => hold::step(context, remediation).await,
            State::Contested if remediation.proof().is_some() => Ok(Next::Done),
            State::Queued
            | State::Approved
            | State::Retrying
            | State::Blocked
            | State::Lost
            | State::Contested => revoke::step(context, remediation, attempt).await,
            State::Revoking => verify::revoking(context, remediation, attempt).await,
            State::Verifying => verify::verifying(context, remediation, attempt).await,
            State::Expired => expire::step(context, remediation).await,
            State::Releasing | State::Retiring => release::step(context, remediation).await,
            State::Revoked
            | State::Unverified
            | State::Failed
            | State::Rejected
            | State::Superseded
            | State::DoneByHand
            | State::Released
            | State::Retired => Ok(Next::Done),
        }
    }

    /// What was in place is lost: it is put back before anything else.
    pub fn put_back(&self, lost: Vec<String>) -> Vec<Work> {
        for id in &lost {
            self.watchlist.forget(id);
        }
        lost.into_iter().map(Work::Remediation).collect()
    }

    /// Without its ledger rescind does nothing: a failure stops everything. A step that is not
    /// allowed costs only its own job.
    pub fn note(&self, error: LedgerError) {
        if let LedgerError::Illegal(step) = error {
            tracing::error!(remediation = step.remediation, %step, "a step was refused by the ledger");
            return;
        }
        tracing::error!(error = chain(&error), "stopping: nothing is done without a record");
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stop.cancel();
    }
}

/// The key of a remediation in the queue.
pub(super) fn key_of(remediation: &Remediation) -> String {
    queue_key(&remediation.target.account, &remediation.target.key())
}
