//! The engine: decides about findings in the order of their roles, and carries decisions out.
//!
//! Each step is in the ledger before the next one begins: the finding, the decision, the
//! intent, the outcome, the proof. What a crash leaves open is taken up by [`Engine::resume`].
//! The engine does not know which remedy it carries out.

mod lanes;
mod plan;
mod remediate;

pub use plan::Planned;

use crate::aws::Hub;
use crate::config::{Config, Member, Mode};
use crate::finding::Finding;
use crate::ident::{AccountId, RoleName};
use crate::ledger::{Draft, Event, InForce, Ledger, LedgerError, Reader, State};
use crate::org::{AccountState, Placement, Snapshot};
use crate::remedy::Remedy;
use crate::triage::{Decision, Facts, Policy, SkipReason, Verdict, decide};
use jiff::{SignedDuration, Timestamp};
use lanes::{Again, Lanes};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A snapshot of the organization older than this is read again before the next poll.
const ORGANIZATION_AGE: SignedDuration = SignedDuration::from_hours(1);

/// An account that the snapshot does not have, or not as active, is looked for again at most this
/// often.
const DOUBTED_AGE: SignedDuration = SignedDuration::from_secs(60);

/// How long a finding waits for the organization to be read again by another one.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Carries out what triage decides.
pub struct Engine<R> {
    hub: Hub,
    ledger: Ledger,
    reader: Reader,
    remedy: R,
    member: Member,
    policy: Policy,
    organization: RwLock<Arc<Snapshot>>,
    /// When reading the organization failed last; none when the last try succeeded.
    refreshing: tokio::sync::Mutex<Option<Instant>>,
    /// Where accounts stand, as far as it was asked, and when.
    placements: Mutex<HashMap<AccountId, (Instant, Option<Placement>)>>,
    lanes: Lanes,
    stop: CancellationToken,
    fatal: Mutex<Option<LedgerError>>,
}

impl<R: Remedy + 'static> Engine<R> {
    /// An engine for the accounts of `organization`. A cancelled `stop` keeps work that has not
    /// begun from beginning; the engine itself cancels it when the ledger cannot be written.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(
        config: &Config,
        hub: Hub,
        ledger: Ledger,
        remedy: R,
        organization: Snapshot,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, LedgerError> {
        Ok(Arc::new(Self {
            reader: ledger.reader()?,
            policy: Policy::new(config, hub.identity()),
            member: config.member.clone(),
            lanes: Lanes::new(config.concurrency, stop.clone()),
            organization: RwLock::new(Arc::new(organization)),
            refreshing: tokio::sync::Mutex::default(),
            placements: Mutex::default(),
            hub,
            ledger,
            remedy,
            stop,
            fatal: Mutex::default(),
        }))
    }

    /// Decides about a finding that is in the ledger, and carries the decision out.
    pub fn submit(self: &Arc<Self>, finding: Finding) {
        self.submit_as(finding, Again::No);
    }

    fn submit_as(self: &Arc<Self>, finding: Finding, again: Again) {
        let lane = lane_of(&finding);
        let engine = Arc::clone(self);
        self.lanes.submit(lane, again, async move {
            let done = engine.handle(&finding).await;
            engine.note(done);
        });
    }

    /// Takes up what is not finished: remediations in a state that `wanted` names, then findings
    /// without a decision. What is being worked on already is left to that.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn resume(self: &Arc<Self>, wanted: impl Fn(State) -> bool) -> Result<(), LedgerError> {
        let busy = self.lanes.busy();
        for remediation in self.reader.remediations(|state| state.is_open() && wanted(state))? {
            let lane = lane(&remediation.target.account, &remediation.target.role);
            if busy.contains(&lane) {
                continue;
            }
            let engine = Arc::clone(self);
            self.lanes.submit(lane, Again::Yes, async move {
                let done = engine.carry_out(&remediation.id).await;
                engine.note(done);
            });
        }
        for finding in self.reader.undecided()? {
            if !busy.contains(&lane_of(&finding)) {
                tracing::info!(finding = finding.id, "recorded earlier and not decided: taken up now");
                self.submit_as(finding, Again::Yes);
            }
        }
        Ok(())
    }

    /// Tries a remediation again that had failed.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn reopen(self: &Arc<Self>, id: &str, by: &str) -> Result<(), LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let subject = remediation.subject();
        self.ledger.append(Draft { subject, event: Event::Reopened { by: by.to_owned() } }).await?;
        let engine = Arc::clone(self);
        self.lanes.submit(
            lane(&remediation.target.account, &remediation.target.role),
            Again::No,
            async move {
                let done = engine.carry_out(&remediation.id).await;
                engine.note(done);
            },
        );
        Ok(())
    }

    /// Waits until everything that was submitted is done, or left because of `stop`.
    ///
    /// # Errors
    /// When the ledger could not be written or read meanwhile.
    pub async fn drained(&self) -> Result<(), LedgerError> {
        self.lanes.drained().await;
        self.fault()
    }

    /// The failure of the ledger that stopped the engine, if one did.
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
            Err(LedgerError::Illegal(step)) => tracing::error!(%step, "a step was refused by the ledger"),
            Err(error) => {
                tracing::error!(%error, "stopping: nothing is done without a record");
                self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                self.stop.cancel();
            }
        }
    }

    async fn handle(&self, finding: &Finding) -> Result<(), LedgerError> {
        let old = Timestamp::now().duration_since(finding.last_seen()) > self.policy.max_finding_age;
        let organization = self.organization_for(&finding.account).await?;
        let Some(organization) = organization.or_else(|| old.then(|| self.organization())) else {
            tracing::warn!(finding = finding.id, "not decided: the account cannot be looked up; tried again");
            return Ok(());
        };
        // What is half done is brought to an end first: its cutoff decides about this finding.
        for earlier in self.history(finding)?.iter().filter(|earlier| earlier.state.has_fixed_cutoff()) {
            self.carry_out(&earlier.remediation).await?;
        }
        let history = self.history(finding)?;
        let Some(decision) = self.decide(finding, &organization, &history).await? else {
            tracing::warn!(finding = finding.id, "not decided: an opt-out cannot be evaluated; tried again");
            return Ok(());
        };
        if let Verdict::Remediate { remediation, .. } = &decision.verdict
            && history.iter().any(|earlier| earlier.remediation == *remediation)
        {
            // The same occurrence, handed in twice at once.
            return self.carry_out(remediation).await;
        }
        self.ledger.append(Draft::decision(finding, &decision, self.remedy.name())).await?;
        tracing::info!(
            finding = finding.id, account = %finding.account, verdict = decision.verdict.name(),
            code = decision.verdict.code(), "{}", decision.verdict
        );
        match decision.verdict {
            // New activity is a reason to try again at once what is not finished.
            Verdict::Remediate { remediation, .. } | Verdict::Skip(SkipReason::UnderWay { remediation }) => {
                self.carry_out(&remediation).await
            }
            Verdict::Observe { .. } | Verdict::Skip(_) => Ok(()),
        }
    }

    /// The decision about a finding. None when an opt-out might apply and it cannot be found out
    /// whether it does: then nothing is done, and it is tried again.
    async fn decide(
        &self,
        finding: &Finding,
        organization: &Snapshot,
        history: &[InForce],
    ) -> Result<Option<Decision>, LedgerError> {
        let facts = Facts { organization, placement: None, history, now: Timestamp::now() };
        let needed = match decide(finding, &self.policy, facts) {
            Ok(decision) => return Ok(Some(decision)),
            Err(needed) => needed,
        };
        let Some(placement) = self.placement(&finding.account, &needed.to_string()).await? else {
            return Ok(None);
        };
        Ok(decide(finding, &self.policy, Facts { placement: Some(&placement), ..facts }).ok())
    }

    /// What was done to the finding's role before.
    fn history(&self, finding: &Finding) -> Result<Vec<InForce>, LedgerError> {
        match finding.principal.as_ref().and_then(|p| p.role().ok()) {
            Some(role) => self.reader.history(&finding.account, &role.name),
            None => Ok(Vec::new()),
        }
    }

    /// What may be changed at all.
    fn may_change(&self) -> bool {
        self.policy.mode == Mode::Enforce
    }

    fn organization(&self) -> Arc<Snapshot> {
        Arc::clone(&self.organization.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The snapshot, read again first when it does not have `account` as an active one. None when
    /// that failed: then it is not known whether the account is one of ours.
    async fn organization_for(&self, account: &AccountId) -> Result<Option<Arc<Snapshot>>, LedgerError> {
        let is_active = |snapshot: &Snapshot| {
            snapshot.account(account).is_some_and(|account| account.state == AccountState::Active)
        };
        if is_active(&self.organization()) || self.refresh_organization(DOUBTED_AGE).await? {
            return Ok(Some(self.organization()));
        }
        Ok(None)
    }

    /// Begins to read the organization again when the snapshot is old. If that fails, the old one
    /// stays. It does not wait: a hanging Organizations must not keep thefts from being seen.
    pub fn keep_organization_fresh(self: &Arc<Self>) {
        let lane = "organization".to_owned();
        if self.organization_age() < ORGANIZATION_AGE || self.lanes.busy().contains(&lane) {
            return;
        }
        let engine = Arc::clone(self);
        self.lanes.submit(lane, Again::No, async move {
            let done = engine.refresh_organization(ORGANIZATION_AGE).await.map(|_| ());
            engine.note(done);
        });
    }

    fn organization_age(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.organization().read_at)
    }

    /// Whether the snapshot is now younger than `older_than`. What failed a moment ago is not tried
    /// again at once, and nobody waits long for another's try.
    async fn refresh_organization(&self, older_than: SignedDuration) -> Result<bool, LedgerError> {
        if self.organization_age() < older_than {
            return Ok(true);
        }
        let Ok(mut failed) = tokio::time::timeout(LONGEST_WAIT, self.refreshing.lock()).await else {
            return Ok(false);
        };
        if self.organization_age() < older_than {
            return Ok(true);
        }
        if failed.is_some_and(|at| at.elapsed() < DOUBTED_AGE.unsigned_abs()) {
            return Ok(false);
        }
        // Reading changes nothing, so a stop need not wait for it.
        let read = tokio::select! {
            read = read_organization(&self.hub) => read,
            () = self.stop.cancelled() => return Ok(false),
        };
        match read {
            Ok((snapshot, draft)) => {
                *self.organization.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
                *failed = None;
                self.ledger.append(draft).await.map(|_| true)
            }
            Err(error) => {
                let hint = crate::aws::hub_hint(&error, self.hub.identity());
                tracing::warn!(%error, hint, "the organization cannot be read; the last snapshot is used");
                // One entry for an outage, not one for each try.
                if failed.replace(Instant::now()).is_none() {
                    self.ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
                }
                Ok(false)
            }
        }
    }

    /// Where an account stands; none when that could not be read, now or a moment ago.
    async fn placement(&self, account: &AccountId, needed: &str) -> Result<Option<Placement>, LedgerError> {
        let known = self.placements.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned();
        if let Some((at, placement)) = known
            && at.elapsed() < DOUBTED_AGE.unsigned_abs()
        {
            return Ok(placement);
        }
        let read = tokio::select! {
            read = self.hub.placement(account) => read,
            () = self.stop.cancelled() => return Ok(None),
        };
        let placement = match read {
            Ok(placement) => Some(placement),
            Err(error) => {
                let hint = crate::aws::hub_hint(&error, self.hub.identity());
                tracing::error!(%error, hint, "{needed}");
                self.ledger.append(Draft::feed_failed(None, format!("{needed}: {error}"), hint)).await?;
                None
            }
        };
        let mut placements = self.placements.lock().unwrap_or_else(PoisonError::into_inner);
        placements.insert(account.clone(), (Instant::now(), placement.clone()));
        Ok(placement)
    }
}

/// Reads the accounts, and the entry that says so.
///
/// # Errors
/// As the calls'.
pub async fn read_organization(hub: &Hub) -> Result<(Snapshot, Draft), crate::aws::CallError> {
    let (accounts, management) = hub.organization().await?;
    let snapshot = Snapshot::new(accounts, management, Timestamp::now());
    let (accounts, active) = snapshot.count();
    let management = snapshot.management.clone();
    Ok((snapshot, Draft::of_service(Event::Organization { accounts, active, management })))
}

/// The lane of a finding: that of its role, or one of its own.
fn lane_of(finding: &Finding) -> String {
    match finding.principal.as_ref().map(crate::finding::Principal::role) {
        Some(Ok(role)) => lane(&finding.account, &role.name),
        _ => finding.occurrence(),
    }
}

fn lane(account: &AccountId, role: &RoleName) -> String {
    format!("{account}/{}", role.key())
}
