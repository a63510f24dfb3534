//! Guards against doing too much: the budgets of the hour.

use super::question::Question;
use crate::config::Budget;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Begun, Remediation};
use crate::triage::{
    BudgetExceeded, BudgetUsage, Decision, DecisionContext, Placed, PlacementNeeded, Policy, WINDOW, decide,
};
use jiff::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many roles an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleCount {
    /// Nobody needed to know.
    NotAsked,
    /// AWS did not tell.
    Unreadable,
    /// So many.
    Is(usize),
}

/// What was begun within the hour: the ledger's history, kept at hand.
pub(super) struct Guards {
    spending: Mutex<BudgetUsage>,
}

impl Guards {
    /// As the ledger has it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn recall(reader: &Reader) -> Result<Self, LedgerError> {
        let since = Timestamp::now().saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
        let mut spending = BudgetUsage::default();
        reader.begun_since(since)?.into_iter().for_each(|begun| spending.add(begun));
        Ok(Self { spending: Mutex::new(spending) })
    }

    pub fn spending(&self) -> MutexGuard<'_, BudgetUsage> {
        self.spending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides.
    pub fn judge(
        &self,
        question: Question<'_>,
        policy: &Policy,
        placement: Placed<'_>,
        now: Timestamp,
    ) -> Result<Decision, PlacementNeeded> {
        let Question { finding, organization, history, before_watch, stage } = question;
        let spending = self.spending();
        let (spending, here) = (&*spending, Timestamp::now());
        let facts =
            DecisionContext { organization, placement, history, spending, before_watch, stage, now, here };
        decide(finding, policy, facts)
    }

    /// Counts a remediation as begun, if the budgets allow it: in one step, so that many at once
    /// cannot pass a budget together. A person's approval is above the budgets.
    pub fn begin(
        &self,
        remediation: &Remediation,
        roles: Option<usize>,
        budget: &Budget,
    ) -> Result<(), BudgetExceeded> {
        let (now, target) = (Timestamp::now(), &remediation.target);
        let mut spending = self.spending();
        spending.forget(now);
        if remediation.approved_at().is_none() && !spending.has(&target.account, &remediation.id) {
            spending.allows(&target.account, budget, now)?;
            spending.allows_role(&target.account, &target.key(), roles, budget, now)?;
        }
        let (account, role_key) = (target.account.clone(), target.key());
        spending.add(Begun { remediation: remediation.id.clone(), account, role_key, at: now });
        Ok(())
    }
}
