//! The reconciler: decides about findings in the order of their roles, and brings remediations forward, one step
//! at a time.
//!
//! Each step is in the ledger before the next one begins: the finding, the decision, the
//! intent, the outcome, the proof. Which step is next follows from the state, so what a crash leaves open is
//! taken up by [`Reconciler::resume`]. A step says what comes next ([`Next`]); one loop goes on from there.

mod budgets;
mod contested;
mod context;
mod decider;
mod entrance;
mod expire;
mod find_role;
mod findings;
mod hold;
mod keyed_queue;
mod look;
mod look_ahead;
mod next;
mod organization;
mod placement;
mod plan;
mod policy;
mod principal_tag;
mod quarantine;
mod rechecks;
mod release;
mod retries;
mod revoke;
mod schedule;
mod verify;
mod work;
mod worker;

pub use organization::{ORGANIZATION_AGE, read_organization};
pub use plan::Planned;
pub use rechecks::Rechecker;
pub use retries::Retry;

use crate::alert::{Alerts, Throttle};
use crate::aws::Hub;
use crate::config::{Config, OptOuts};
use crate::finding::Finding;
use crate::ident::AccountId;
use crate::ledger::{Ledger, LedgerError, Open};
use crate::org::Snapshot;
use crate::remediation::{Draft, Event, State};
use crate::remedy::MemberAccess;
use crate::triage::{Policy, Ruling};
use crate::watch::{Evidence, Recheck, Watchlist};
use budgets::Budgets;
use context::Context;
use decider::{Decider, queue_key};
use jiff::{SignedDuration, Timestamp};
use keyed_queue::{KeyedQueue, Priority};
use organization::Accounts;
use placement::Placements;
use policy::CurrentPolicy;
use retries::Retries;
use schedule::{Item, Schedule};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use worker::{Worker, key_of};

/// Interval between two looks at what a held remediation would change.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Carries out what triage decides.
pub struct Reconciler {
    worker: Arc<Worker>,
    rechecks: Arc<Rechecker>,
    evidence: Arc<Evidence>,
    schedule: Arc<Schedule>,
    hub: Hub,
    stop: CancellationToken,
}

impl Reconciler {
    /// A reconciler for the accounts of `organization`. With `backlog` it acts on what was there before
    /// a region was watched as well. A cancelled `stop` keeps work that has not begun from beginning;
    /// the reconciler itself cancels it when the ledger cannot be written.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(
        config: &Config,
        backlog: bool,
        hub: Hub,
        ledger: Ledger,
        alerts: Arc<Alerts>,
        organization: Arc<Snapshot>,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, LedgerError> {
        let (reader, clock) = (Arc::new(ledger.reader()?), hub.clock().clone());
        let access = MemberAccess::new(hub.clone(), config.member.clone());
        let policy = CurrentPolicy::new(Policy::new(config, hub.identity()));
        let budgets = Arc::new(Budgets::from_ledger(&reader, policy.clone())?);
        let schedule = Arc::new(Schedule::default());
        let recheck = Recheck::new(ledger.clone(), Arc::clone(&reader), access.clone(), Arc::clone(&alerts));
        let evidence = Arc::new(Evidence::new(
            ledger.clone(),
            Arc::clone(&reader),
            access.clone(),
            Arc::clone(&alerts),
            clock.clone(),
            config.regions.clone(),
        ));
        let decider = Decider {
            policy: policy.clone(),
            accounts: Arc::new(Accounts::new(hub.clone(), ledger.clone(), stop.clone(), organization)),
            placements: Arc::new(Placements::new(
                hub.clone(),
                ledger.clone(),
                Arc::clone(&reader),
                policy.clone(),
                stop.clone(),
            )),
            budgets: Arc::clone(&budgets),
            reader: Arc::clone(&reader),
            clock: clock.clone(),
        };
        let context = Context {
            ledger,
            reader,
            clock,
            access,
            alerts,
            policy,
            decider,
            budgets,
            queue: KeyedQueue::new(config.concurrency, stop.clone()),
            retries: Retries::new(Arc::clone(&schedule)),
            looks: Throttle::new(LOOK_AHEAD),
            approval_timeout: config.approval_timeout,
            evidence: Arc::clone(&evidence),
        };
        let worker = Arc::new(Worker {
            context,
            recheck,
            watchlist: Arc::new(Watchlist::new(Timestamp::now())),
            backlog,
            stop: stop.clone(),
            fatal: Mutex::default(),
        });
        let rechecks = Arc::new(Rechecker::new(
            Arc::clone(&worker),
            Arc::clone(&schedule),
            Arc::clone(&evidence),
            config.concurrency,
        ));
        Ok(Arc::new(Self { worker, rechecks, evidence, schedule, hub, stop }))
    }

    fn context(&self) -> &Context {
        &self.worker.context
    }

    fn queue(&self) -> &KeyedQueue {
        &self.worker.context.queue
    }

    /// What may be done, as of now.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.context().policy()
    }

    /// From now on these opt-outs apply, also to what was decided and has not begun.
    pub fn use_opt_outs(&self, opt_outs: &OptOuts) {
        self.context().policy.change(|policy| policy.with_opt_outs(opt_outs));
    }

    /// From now on this is what may be done, in one step. How members are entered stays.
    pub fn use_config(&self, config: &Config, opt_outs: Option<&OptOuts>) {
        let identity = self.hub.identity();
        self.context().policy.change(|policy| policy.reloaded(config, opt_outs, identity));
        // What was put off by a longer interval.
        let longest = Watchlist::longest_wait(config.recheck_interval);
        self.schedule.hasten(|item, wait| matches!(item, Item::Recheck(_)) && wait > longest);
    }

    /// AWS's time, as far as its answers say it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.context().now()
    }

    /// Looks at denies in force.
    #[must_use]
    pub fn rechecks(&self) -> &Arc<Rechecker> {
        &self.rechecks
    }

    /// What AWS knows about denies in force.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// How many findings and remediations wait or are being worked on.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.queue().jobs()
    }

    /// What failed and is tried again, the next one first.
    #[must_use]
    pub fn retries(&self) -> Vec<Retry> {
        self.context().retries.all()
    }

    /// Takes up the remediations that are not finished, and those that are quarantined. What is being worked on already is left to that, and
    /// so is what has a time at which it is tried again.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn resume(&self) -> Result<(), LedgerError> {
        self.resume_where(|_| true)
    }

    /// Takes up the remediations whose change was begun and is not finished, and those that are quarantined.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn finish_begun(&self) -> Result<(), LedgerError> {
        self.resume_where(State::is_half_done)
    }

    fn resume_where(&self, wanted: impl Fn(State) -> bool) -> Result<(), LedgerError> {
        let (reader, mut taken) = (&self.context().reader, HashSet::new());
        // Several can have one key: what is submitted here does not keep the next one from it.
        let mut busy = HashMap::new();
        let open = reader.unfinished()?.into_iter().filter(|one| wanted(one.state));
        // A quarantine is lifted whatever became of its remediation.
        for Open { remediation, account, role_key, state, .. } in open.chain(reader.quarantined()?) {
            let key = queue_key(&account, &role_key);
            let is_busy = *busy.entry(key.clone()).or_insert_with(|| self.queue().is_busy(&key));
            if taken.insert(remediation.clone()) && !is_busy && !self.context().retries.knows(&remediation) {
                // What was never tried is as new as it was.
                let is_new = matches!(state, State::Queued | State::Approved);
                let priority = if is_new { Priority::New } else { Priority::Again };
                self.worker.submit(remediation, key, priority);
            }
        }
        Ok(())
    }

    /// Does what is due by now: tries again what failed, and looks at denies in force.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn do_what_is_due(&self) -> Result<(), LedgerError> {
        self.rechecks.refresh()?;
        self.take_due()?;
        self.rechecks.look_at_due().await
    }

    fn take_due(&self) -> Result<(), LedgerError> {
        let mut rechecks = Vec::new();
        for item in self.schedule.take_due() {
            match item {
                Item::Retry(id) => self.submit(&id, Priority::Again)?,
                Item::Recheck(id) => rechecks.push(id),
            }
        }
        self.rechecks.note_due(rechecks);
        Ok(())
    }

    /// Looks at the denies in force whose time has come; returns when all of them are being looked at.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn recheck_due(&self) -> Result<(), LedgerError> {
        self.rechecks.refresh()?;
        self.take_due()?;
        self.rechecks.look_at_all_due().await
    }

    /// Tries again at once whatever waits: something has changed that it may have waited for.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn retry_all(&self) -> Result<(), LedgerError> {
        self.context().retries.wake();
        self.take_due()
    }

    /// Gives up what is in flight, wherever it is.
    pub async fn give_up(&self) {
        self.queue().give_up().await;
    }

    fn submit(&self, id: &str, priority: Priority) -> Result<(), LedgerError> {
        let remediation = self.context().reader.remediation(id)?;
        let key = key_of(&remediation);
        self.worker.submit(remediation.id, key, priority);
        Ok(())
    }

    /// Brings a remediation as far as it goes, because a person asked for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn carry_out_now(&self, id: &str) -> Result<(), LedgerError> {
        self.submit(id, Priority::New)
    }

    /// Tries a remediation again that had failed, or asks again about one that was rejected.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn reopen(&self, id: &str, by: &str) -> Result<(), LedgerError> {
        let subject = self.context().reader.remediation(id)?.subject();
        let event = Event::Reopened { by: by.to_owned() };
        self.context().ledger.append(Draft { subject, event }).await?;
        self.submit(id, Priority::New)
    }

    /// Takes up what was approved, or is to be released, after entry `seq`; gives the last entry that it saw.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn take_up_approved(&self, seq: i64) -> Result<i64, LedgerError> {
        let mut last = seq;
        for entry in self.context().reader.answered_after(seq)? {
            last = last.max(entry.seq);
            let Some(id) = entry.subject.remediation else { continue };
            tracing::info!(remediation = id, "{}: taken up", entry.event.kind());
            self.submit(&id, Priority::New)?;
        }
        Ok(last)
    }

    /// Whether a rule is for a finding, or may be.
    #[must_use]
    pub fn is_ruled(&self, finding: &Finding) -> bool {
        let organization = self.context().decider.accounts.snapshot();
        self.policy().ruling(finding, &organization) != Ruling::None
    }

    /// Waits until everything that was submitted is done, or left because of `stop`.
    ///
    /// # Errors
    /// When the ledger could not be written or read meanwhile.
    pub async fn drained(&self) -> Result<(), LedgerError> {
        self.queue().drained().await;
        self.take_fault()
    }

    /// The failure of the ledger that stopped the reconciler, if one did. Whoever takes it is to report it.
    ///
    /// # Errors
    /// That failure.
    pub fn take_fault(&self) -> Result<(), LedgerError> {
        let fault = self.worker.fatal.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), Err)
    }

    /// Begins to read the organization again when the snapshot is old. It does not wait: a hanging Organizations
    /// must not keep thefts from being seen.
    pub fn keep_organization_fresh(&self) {
        let key = "organization";
        let accounts = Arc::clone(&self.context().decider.accounts);
        if accounts.age() < ORGANIZATION_AGE || self.queue().is_busy(key) {
            return;
        }
        let worker = Arc::clone(&self.worker);
        self.queue().submit(key.to_owned(), Priority::New, async move {
            if let Err(error) = accounts.refresh(ORGANIZATION_AGE).await {
                worker.note(error);
            }
        });
    }

    /// A finding about this account may be on its way: what the decision will need is read meanwhile.
    pub fn expect(&self, account: &AccountId) {
        let (worker, account) = (Arc::clone(&self.worker), account.clone());
        tokio::spawn(async move {
            if let Err(error) = worker.context.decider.expect(&account).await {
                worker.note(error);
            }
        });
    }
}
