//! The reconciler: decides about findings in the order of their roles, and carries decisions out.
//!
//! Each step is in the ledger before the next one begins: the finding, the decision, the
//! intent, the outcome, the proof. What a crash leaves open is taken up by [`Reconciler::resume`].

mod budgets;
mod entrance;
mod guards;
mod held;
mod keyed_queue;
mod known;
mod organization;
mod place;
mod plan;
mod question;
mod release;
mod remediate;
mod retries;
mod timetable;
mod traces;
mod watchdog;

pub use known::{ORGANIZATION_AGE, read_organization};
pub use plan::Planned;
pub use retries::Retry;
pub use timetable::Rechecks;

use crate::alert::{self, Alert, Alerts, Throttle};
use crate::aws::Hub;
use crate::config::{Budget, Config, Mode, OptOuts};
use crate::finding::Finding;
use crate::ident::{AccountId, Region};
use crate::ingest::Ack;
use crate::ledger::{Append, Ledger, LedgerError, Open, Reader};
use crate::org::Snapshot;
use crate::remediation::{AlertCode, Draft, Event, PriorRemediation, Proof, State, Subject};
use crate::remedy::MemberAccess;
use crate::triage::{Decision, Placed, Policy, SkipReason, Stage, Types, UNPLACED, Verdict};
use guards::Guards;
use jiff::{SignedDuration, Timestamp};
use keyed_queue::{Again, KeyedQueue};
use known::Known;
use question::Question;
use retries::Retries;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use timetable::Timetable;
use tokio_util::sync::CancellationToken;

/// Carries out what triage decides.
pub struct Reconciler {
    hub: Hub,
    ledger: Ledger,
    reader: Reader,
    access: MemberAccess,
    /// How long a person is waited for.
    approval_timeout: SignedDuration,
    /// What was there before a region was watched is acted on as well.
    backlog: bool,
    policy: RwLock<Arc<Policy>>,
    known: Known,
    guards: Guards,
    alerts: Arc<Alerts>,
    /// What a held remediation would change is looked at once an hour.
    looks: Throttle<String>,
    queue: KeyedQueue,
    retries: Retries,
    watchdog: Arc<Timetable>,
    /// How many roles are worked on at once.
    width: usize,
    /// Where instances and calls are looked for.
    regions: RwLock<Vec<Region>>,
    stop: CancellationToken,
    fatal: Mutex<Option<LedgerError>>,
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
        let reader = ledger.reader()?;
        Ok(Arc::new(Self {
            guards: Guards::recall(&reader)?,
            alerts,
            looks: Throttle::new(SignedDuration::from_hours(1)),
            policy: RwLock::new(Arc::new(Policy::new(config, hub.identity()))),
            access: MemberAccess::new(hub.clone(), config.member.clone()),
            approval_timeout: config.approval_timeout,
            backlog,
            queue: KeyedQueue::new(config.concurrency, stop.clone()),
            known: Known::new(organization),
            retries: Retries::default(),
            watchdog: Arc::new(Timetable::new(Timestamp::now())),
            width: config.concurrency,
            regions: RwLock::new(config.regions.clone()),
            reader,
            hub,
            ledger,
            stop,
            fatal: Mutex::default(),
        }))
    }

    /// AWS's time: what findings, cutoffs and tokens go by. Entries and budgets go by this machine's.
    fn now(&self) -> Timestamp {
        self.hub.clock().now()
    }

    /// What may be done, as of now.
    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these opt-outs apply, also to what was decided and has not begun.
    pub fn use_opt_outs(&self, opt_outs: &OptOuts) {
        let mut policy = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        *policy = Arc::new(policy.with_opt_outs(opt_outs));
    }

    /// What may be done at most, as of now.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.policy().mode
    }

    /// From now on this is what may be done, in one step. How members are entered stays.
    pub fn use_config(&self, config: &Config, opt_outs: Option<&OptOuts>) {
        let mut policy = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        *policy = Arc::new(policy.reloaded(config, opt_outs, self.hub.identity()));
    }

    /// Which types of findings the rules could be for.
    #[must_use]
    pub fn types(&self) -> Types {
        self.policy().rules.types()
    }

    /// How many findings and remediations wait or are being worked on.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.queue.jobs()
    }

    /// What failed and is tried again, the next one first.
    #[must_use]
    pub fn retries(&self) -> Vec<Retry> {
        self.retries.all()
    }

    /// Brings a remediation as far as it goes, in its turn.
    fn submit_remediation(self: &Arc<Self>, id: String, lane: String, again: Again) {
        let engine = Arc::clone(self);
        self.queue.submit(lane, again, async move {
            let done = engine.carry_out(&id).await;
            engine.note(done);
        });
    }

    /// Takes up the remediations that are not finished. What is being worked on already is left to that, and
    /// what has a time at which it is tried again to [`Self::retry`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn resume(self: &Arc<Self>) -> Result<(), LedgerError> {
        let busy = self.queue.busy();
        for Open { remediation, account, role_key, state, .. } in self.reader.unfinished()? {
            let lane = lane(&account, &role_key);
            if !busy.contains(&lane) && !self.retries.knows(&remediation) {
                // What was never tried is as new as it was.
                let again =
                    if matches!(state, State::Queued | State::Approved) { Again::No } else { Again::Yes };
                self.submit_remediation(remediation, lane, again);
            }
        }
        Ok(())
    }

    /// Tries again what failed and whose time has come.
    pub fn retry(self: &Arc<Self>) {
        for (remediation, lane) in self.retries.take_due() {
            self.submit_remediation(remediation, lane, Again::Yes);
        }
    }

    /// Tries again at once whatever waits: something has changed that it may have waited for.
    pub fn retry_all(self: &Arc<Self>) {
        self.retries.wake();
        self.retry();
    }

    /// Gives up what is in flight, wherever it is.
    pub async fn give_up(&self) {
        self.queue.give_up().await;
    }

    /// How much may be done in an hour, as of now.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.policy().budget.clone()
    }

    /// Brings a remediation as far as it goes, because a person asked for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn carry_out_now(self: &Arc<Self>, id: &str) -> Result<(), LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let lane = lane(&remediation.target.account, &remediation.target.key());
        self.submit_remediation(remediation.id, lane, Again::No);
        Ok(())
    }

    /// Tries a remediation again that had failed, or asks again about one that was rejected.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn reopen(self: &Arc<Self>, id: &str, by: &str) -> Result<(), LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let subject = remediation.subject();
        self.ledger.append(Draft { subject, event: Event::Reopened { by: by.to_owned() } }).await?;
        let lane = lane(&remediation.target.account, &remediation.target.key());
        self.submit_remediation(remediation.id, lane, Again::No);
        Ok(())
    }

    /// Waits until everything that was submitted is done, or left because of `stop`.
    ///
    /// # Errors
    /// When the ledger could not be written or read meanwhile.
    pub async fn drained(&self) -> Result<(), LedgerError> {
        self.queue.drained().await;
        self.fault()
    }

    /// The failure of the ledger that stopped the reconciler, if one did.
    ///
    /// # Errors
    /// That failure.
    pub fn fault(&self) -> Result<(), LedgerError> {
        let fault = self.fatal.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), Err)
    }

    /// Without its ledger rescind does nothing: a failure stops everything. A step that is not
    /// allowed costs only its own job.
    fn note(&self, done: Result<(), LedgerError>) {
        match done {
            Ok(()) => {}
            Err(LedgerError::Illegal(step)) => {
                tracing::error!(remediation = step.remediation, %step, "a step was refused by the ledger");
            }
            Err(error) => {
                tracing::error!(%error, "stopping: nothing is done without a record");
                self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                self.stop.cancel();
            }
        }
    }

    /// Decides about a finding, acknowledges that where somebody waits for it, and carries the decision out.
    /// `in_vain`: why a search for the role that the finding is about found nothing.
    async fn handle(
        &self,
        finding: &Finding,
        asked: bool,
        in_vain: Option<String>,
        ack: Option<Ack>,
    ) -> Result<(), LedgerError> {
        let old = self.now().duration_since(finding.last_seen()) > self.policy().max_finding_age;
        let organization = self.organization_for(&finding.account).await?;
        let Some(organization) = organization.or_else(|| old.then(|| self.organization())) else {
            tracing::warn!(finding = finding.id, "not decided: the account cannot be looked up; tried again");
            let account = &finding.account;
            let subject = Subject { account: Some(account.clone()), ..Subject::default() };
            let text = format!(
                "nothing is decided about account {account}: Organizations does not answer, and it is not known as one of ours"
            );
            let what_to_do = "Make Organizations readable for the hub. The findings wait, and are tried again at each poll.";
            return self
                .alerts
                .raise_alert(Alert::new(AlertCode::AccountUnknown, subject, text, what_to_do))
                .await;
        };
        // What is half done is brought to an end first: its cutoff decides about this finding.
        for earlier in self.history(finding)?.iter().filter(|earlier| earlier.state.is_half_done()) {
            self.carry_out(&earlier.remediation).await?;
        }
        let question = Question {
            finding,
            organization: &organization,
            history: &self.history(finding)?,
            before_watch: if asked || self.backlog { None } else { self.before_watch(finding)? },
            stage: Stage::New,
        };
        let mut decision = self.decide(question).await?;
        // What the ledger says is in force is looked at before it is relied on against later activity.
        let mut history = question.history.to_vec();
        if self.doubt(finding, &decision, &mut history).await? {
            decision = self.decide(Question { history: &history, ..question }).await?;
        }
        if self.stop.is_cancelled() && decision.verdict.code() == UNPLACED {
            // It could be read, if there were time: at the next start.
            return Ok(());
        }
        if let Some(id) = decision.verdict.remediation()
            && let Some(taken) = self.reader.occurrence_of(id)?
        {
            if taken != finding.occurrence() {
                // The finding stays undecided.
                tracing::error!(
                    finding = finding.id,
                    remediation = id,
                    "NOT decided: the id is that of another theft"
                );
                return self.alerts.raise_alert(alert::id_taken(finding, id)).await;
            }
            // The same occurrence, handed in twice at once.
            if let Some(ack) = ack {
                ack.decided();
            }
            return self.carry_out(id).await;
        }
        if let (Some(why), Some(to_do)) = (in_vain, decision.what_to_do.as_mut()) {
            *to_do = format!("{why} {to_do}");
        }
        let mut entries = vec![Draft::decision(finding, &decision)];
        entries.extend(self.evidence(&decision)?);
        let held = match &decision.verdict {
            Verdict::Hold { why, .. } => alert::contradictory_or_over_budget(&finding.account, why),
            _ => None,
        };
        let alerts = [alert::recurring(finding, &decision), alert::skipped(finding, &decision), held];
        entries.extend(alerts.into_iter().flatten().filter_map(|alert| self.alerts.draft(alert)));
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        if let Some(ack) = ack {
            ack.decided();
        }
        let (verdict, code) = (decision.verdict.name(), decision.verdict.code());
        metrics::counter!("rescind_decisions_total", "verdict" => verdict, "code" => code).increment(1);
        tracing::info!(
            remediation = decision.verdict.remediation(), finding = finding.id, account = %finding.account, verdict = decision.verdict.name(),
            code = decision.verdict.code(), "{}", decision.verdict
        );
        match decision.verdict {
            // New activity is a reason to try again at once what is not finished.
            Verdict::Remediate { remediation, .. }
            | Verdict::Hold { remediation, .. }
            | Verdict::Skip(SkipReason::UnderWay { remediation }) => self.carry_out(&remediation).await,
            Verdict::Skip(SkipReason::AwaitingApproval { remediation }) => {
                tracing::warn!(
                    remediation,
                    finding = finding.id,
                    "HELD for approval: there is more activity"
                );
                Ok(())
            }
            Verdict::Observe { .. } | Verdict::Skip(_) => Ok(()),
        }
    }

    /// When a finding is to be left because an earlier remediation is in force, and tells of activity after
    /// that: looks whether it is. Tells whether there is something new to decide by.
    async fn doubt(
        &self,
        finding: &Finding,
        decision: &Decision,
        history: &mut Vec<PriorRemediation>,
    ) -> Result<bool, LedgerError> {
        let Verdict::Skip(
            SkipReason::AlreadyRevoked { remediation, .. } | SkipReason::Denied { remediation, .. },
        ) = &decision.verdict
        else {
            return Ok(false);
        };
        let is_later = |one: &&PriorRemediation| {
            one.remediation == *remediation
                && one.state.is_in_place()
                && one.accepted_at.is_some_and(|at| at < finding.last_seen())
        };
        let Some(relied_on) = history.iter().find(is_later).map(|one| one.remediation.clone()) else {
            return Ok(false);
        };
        let is_there = self.look_after(&relied_on).await?;
        *history = self.history(finding)?;
        for one in history.iter_mut().filter(|one| one.remediation == relied_on) {
            one.is_doubted = !is_there;
        }
        Ok(true)
    }

    /// Since when the finding's region is watched, when the finding was there before that.
    fn before_watch(&self, finding: &Finding) -> Result<Option<Timestamp>, LedgerError> {
        let seen = self.reader.decided(&finding.occurrence())?.map(|decided| decided.seen.event);
        Ok(match seen {
            Some(Event::Finding { before_watch, .. }) => before_watch,
            _ => None,
        })
    }

    /// The decision about a finding. Where the account stands is read when the decision depends on it.
    async fn decide(&self, question: Question<'_>) -> Result<Decision, LedgerError> {
        let policy = self.policy();
        let needed = match self.guards.judge(question, &policy, Placed::NotAsked, self.now()) {
            Ok(decision) => return Ok(decision),
            Err(needed) => needed,
        };
        let placement = self.placement(&question.finding.account, &needed.to_string()).await?;
        let placed = placement.as_ref().map_or(Placed::Unreadable, Placed::At);
        match self.guards.judge(question, &policy, placed, self.now()) {
            Ok(decision) => Ok(decision),
            // What was read does not tell what is needed: as if it could not be read.
            Err(_) => {
                self.guards.judge(question, &policy, Placed::Unreadable, self.now()).map_err(|needed| {
                    LedgerError::Foreign { path: "triage".to_owned(), why: needed.to_string() }
                })
            }
        }
    }

    /// The lane of a finding: that of its principal, or one of its own.
    fn lane_of(&self, finding: &Finding) -> String {
        self.policy()
            .key_of(finding, &self.organization())
            .map_or_else(|| finding.occurrence(), |key| lane(&finding.account, &key))
    }

    /// What was done to the finding's principal before.
    fn history(&self, finding: &Finding) -> Result<Vec<PriorRemediation>, LedgerError> {
        match self.policy().key_of(finding, &self.organization()) {
            Some(key) => self.reader.history(&finding.account, &key),
            None => Ok(Vec::new()),
        }
    }

    /// A denied call that was seen proves that an earlier remediation is enforced: recorded once.
    fn evidence(&self, decision: &Decision) -> Result<Option<Draft>, LedgerError> {
        let Verdict::Skip(SkipReason::Denied { remediation, call }) = &decision.verdict else {
            return Ok(None);
        };
        let earlier = self.reader.remediation(remediation)?;
        let proof = Proof::enforced((**call).clone(), self.now());
        let is_higher = earlier.state.is_in_place() && earlier.rung() < Some(proof.rung);
        Ok(is_higher.then(|| Draft { subject: earlier.subject(), event: Event::Proof(proof) }))
    }
}

fn lane(account: &AccountId, key: &str) -> String {
    format!("{account}/{key}")
}
