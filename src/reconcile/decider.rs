//! What is decided about a finding, with everything that a decision rests on.

use super::budgets::Budgets;
use super::organization::Accounts;
use super::placement::Placements;
use super::policy::CurrentPolicy;
use crate::aws::AwsClock;
use crate::finding::{Finding, NotARole};
use crate::ident::{AccountId, RoleId, RoleName};
use crate::ledger::{LedgerError, Reader};
use crate::org::{Placement, Snapshot};
use crate::remediation::{Event, PriorRemediation, Remediation, Target};
use crate::triage::{Decision, DecisionContext, SkipReason, Stage, Undecided, Verdict, decide};
use jiff::Timestamp;
use std::sync::Arc;

/// Decides, by the policy in effect.
pub(super) struct Decider {
    pub policy: CurrentPolicy,
    pub accounts: Arc<Accounts>,
    pub placements: Arc<Placements>,
    pub budgets: Arc<Budgets>,
    pub reader: Arc<Reader>,
    pub clock: AwsClock,
}

/// What a decision rests on beside the finding, as far as who asks for it knows.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub organization: &'a Snapshot,
    pub history: &'a [PriorRemediation],
    pub before_watch: Option<Timestamp>,
    pub stage: Stage,
}

impl Decider {
    /// The decision about a finding. Where the account stands is read when the decision depends on it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn decide(
        &self,
        finding: &Finding,
        circumstances: Circumstances<'_>,
    ) -> Result<Decision, LedgerError> {
        let is_archived_here = finding.archived && self.reader.is_archived_here(&finding.id)?;
        let undecided = match self.judge(finding, circumstances, is_archived_here, None) {
            Ok(decision) => return Ok(decision),
            Err(undecided) => undecided,
        };
        let placement = self.placements.of(&finding.account, &undecided.needed.to_string()).await?;
        let Some(placement) = placement else { return Ok(*undecided.otherwise) };
        // What was read may still lack what is needed: then it is as if it could not be read.
        let decided = self.judge(finding, circumstances, is_archived_here, Some(&placement));
        Ok(decided.unwrap_or_else(|undecided| *undecided.otherwise))
    }

    fn judge(
        &self,
        finding: &Finding,
        circumstances: Circumstances<'_>,
        is_archived_here: bool,
        placement: Option<&Placement>,
    ) -> Result<Decision, Undecided> {
        let Circumstances { organization, history, before_watch, stage } = circumstances;
        let usage = self.budgets.usage();
        let context = DecisionContext {
            organization,
            placement,
            history,
            usage: &usage,
            before_watch,
            is_archived_here,
            stage,
            now: self.clock.now(),
            here: Timestamp::now(),
        };
        decide(finding, &self.policy.get(), context)
    }

    /// What would be decided now about a remediation: about its finding, and about those that were
    /// attached to it. One that may be acted on is enough.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn verdict(&self, remediation: &Remediation, stage: Stage) -> Result<Verdict, LedgerError> {
        let mut own = remediation.finding.clone();
        own.evidence.last_seen = Some(remediation.last_seen);
        let mut first = None;
        for finding in std::iter::once(own).chain(self.reader.attached(&remediation.id)?) {
            let finding = named_as(finding, &remediation.target);
            let organization = &self.accounts.snapshot();
            let circumstances = Circumstances { organization, history: &[], before_watch: None, stage };
            let verdict = self.decide(&finding, circumstances).await?.verdict;
            if matches!(verdict, Verdict::Remediate { .. }) {
                return Ok(verdict);
            }
            first.get_or_insert(verdict);
        }
        // There is always the finding that led to it.
        Ok(first.unwrap_or(Verdict::Skip(SkipReason::NoPrincipal)))
    }

    /// The key of a finding in the queue: that of its principal, or one of its own.
    pub fn key_of(&self, finding: &Finding) -> String {
        self.policy
            .get()
            .key_of(finding, &self.accounts.snapshot())
            .map_or_else(|| finding.occurrence(), |key| queue_key(&finding.account, &key))
    }

    /// What was done to the finding's principal before.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(&self, finding: &Finding) -> Result<Vec<PriorRemediation>, LedgerError> {
        match self.policy.get().key_of(finding, &self.accounts.snapshot()) {
            Some(key) => self.reader.history(&finding.account, &key),
            None => Ok(Vec::new()),
        }
    }

    /// Since when the finding's region is watched, when the finding was there before that.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn before_watch(&self, finding: &Finding) -> Result<Option<Timestamp>, LedgerError> {
        let seen = self.reader.decided(&finding.occurrence())?.map(|decided| decided.seen.event);
        Ok(match seen {
            Some(Event::Finding { before_watch, .. }) => before_watch,
            _ => None,
        })
    }

    /// A finding about this account may be on its way: where the account stands is read meanwhile, so
    /// that the decision need not wait for it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn expect(&self, account: &AccountId) -> Result<(), LedgerError> {
        let policy = self.policy.get();
        let is_needed = policy.account_tag.is_some() || policy.opt_outs.uses_placement();
        if !is_needed || !self.accounts.is_active(account) {
            return Ok(());
        }
        let needed =
            format!("a finding about account {account} was announced, and its tags and OUs cannot be read");
        self.placements.of(account, &needed).await.map(|_| ())
    }
}

/// The key in the queue of what is about a principal: `key` is as [`Target::key`] gives it.
pub(super) fn queue_key(account: &AccountId, key: &str) -> String {
    format!("{account}/{}", Target::document_key(key))
}

/// The id of the role that a finding is about and does not name.
pub(super) fn nameless(finding: &Finding) -> Option<RoleId> {
    match finding.principal.as_ref()?.role(&finding.account) {
        Err(NotARole::Unclear { id, .. }) => id,
        _ => None,
    }
}

/// The finding with the name of its role.
pub(super) fn with_name(mut finding: Finding, name: &RoleName) -> Finding {
    if let Some(principal) = &mut finding.principal {
        principal.user_name = Some(name.to_string());
    }
    finding
}

/// The finding as it was decided about: with the name of the target, when that was found by the id in it.
fn named_as(finding: Finding, target: &Target) -> Finding {
    match target.role_with_id() {
        Some((role, id)) if nameless(&finding).as_ref() == Some(id) => with_name(finding, role),
        _ => finding,
    }
}
