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
use crate::org::{AccountState, Snapshot};
use crate::remedy::Remedy;
use crate::triage::{Policy, SkipReason, Verdict, decide};
use jiff::{SignedDuration, Timestamp};
use lanes::Lanes;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio_util::sync::CancellationToken;

/// A snapshot of the organization older than this is read again before the next poll.
const ORGANIZATION_AGE: SignedDuration = SignedDuration::from_hours(1);

/// An account that the snapshot does not have, or not as active, is looked for again at most this
/// often.
const DOUBTED_AGE: SignedDuration = SignedDuration::from_secs(60);

/// Carries out what triage decides.
pub struct Engine<R> {
    hub: Hub,
    ledger: Ledger,
    reader: Reader,
    remedy: R,
    member: Member,
    policy: Policy,
    organization: RwLock<Arc<Snapshot>>,
    refreshing: tokio::sync::Mutex<()>,
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
            hub,
            ledger,
            remedy,
            stop,
            fatal: Mutex::default(),
        }))
    }

    /// Decides about a finding that is in the ledger, and carries the decision out.
    pub fn submit(self: &Arc<Self>, finding: Finding) {
        let lane = lane_of(&finding);
        let engine = Arc::clone(self);
        self.lanes.submit(lane, async move {
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
            self.lanes.submit(lane, async move {
                let done = engine.carry_out(&remediation.id).await;
                engine.note(done);
            });
        }
        for finding in self.reader.undecided()? {
            if !busy.contains(&lane_of(&finding)) {
                tracing::info!(finding = finding.id, "recorded earlier and not decided: taken up now");
                self.submit(finding);
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
        self.lanes.submit(lane(&remediation.target.account, &remediation.target.role), async move {
            let done = engine.carry_out(&remediation.id).await;
            engine.note(done);
        });
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
        let Some(organization) = self.organization_for(&finding.account).await? else {
            tracing::warn!(finding = finding.id, "not decided: the account cannot be looked up; tried again");
            return Ok(());
        };
        // What is half done is brought to an end first: its cutoff decides about this finding.
        for earlier in self.history(finding)?.iter().filter(|earlier| earlier.state.has_fixed_cutoff()) {
            self.carry_out(&earlier.remediation).await?;
        }
        let history = self.history(finding)?;
        let decision = decide(finding, &organization, &self.policy, &history, Timestamp::now());
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

    /// Reads the organization again when the snapshot is old. If that fails, the old one stays.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn keep_organization_fresh(&self) -> Result<(), LedgerError> {
        self.refresh_organization(ORGANIZATION_AGE).await.map(|_| ())
    }

    /// Whether the snapshot is now younger than `older_than`.
    async fn refresh_organization(&self, older_than: SignedDuration) -> Result<bool, LedgerError> {
        let _one_at_a_time = self.refreshing.lock().await;
        if Timestamp::now().duration_since(self.organization().read_at) < older_than {
            return Ok(true);
        }
        match read_organization(&self.hub).await {
            Ok((snapshot, draft)) => {
                *self.organization.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
                self.ledger.append(draft).await.map(|_| true)
            }
            Err(error) => {
                let hint = crate::service::hub_hint(&error, self.hub.identity());
                tracing::warn!(%error, hint, "the organization cannot be read; the last snapshot is used");
                self.ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await.map(|_| false)
            }
        }
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
