//! The hourly budgets, and how much of them is used.

use super::keyed_queue::KeyedQueue;
use super::policy::CurrentPolicy;
use crate::aws::MemberSession;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Begun, Remediation};
use crate::triage::{BudgetExceeded, BudgetUsage, WINDOW};
use jiff::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many roles an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleCount {
    /// Nobody needed to know.
    NotAsked,
    /// AWS did not answer.
    Unreadable,
    Is(usize),
}

/// What was begun within the hour: the ledger's history, kept at hand.
pub(super) struct Budgets {
    policy: CurrentPolicy,
    usage: Mutex<BudgetUsage>,
}

impl Budgets {
    /// As the ledger has it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn from_ledger(reader: &Reader, policy: CurrentPolicy) -> Result<Self, LedgerError> {
        let since = Timestamp::now().saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
        let mut usage = BudgetUsage::default();
        reader.begun_since(since)?.into_iter().for_each(|begun| usage.add(begun));
        Ok(Self { policy, usage: Mutex::new(usage) })
    }

    pub fn usage(&self) -> MutexGuard<'_, BudgetUsage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn other_roles(&self, remediation: &Remediation) -> usize {
        let target = &remediation.target;
        self.usage().other_roles(&target.account, &target.key(), Timestamp::now())
    }

    /// How many roles the account has, when the budget will need it: nothing has to be known for the
    /// only role of an account. It is asked beside the other reads, so that nothing waits for it.
    pub async fn count_roles(
        &self,
        remediation: &Remediation,
        session: Option<&MemberSession>,
        queue: &KeyedQueue,
    ) -> RoleCount {
        let is_alone = self.other_roles(remediation) == 0 && queue.busy_in(&remediation.target.account) < 2;
        let Some(session) = session.filter(|_| !is_alone && self.counts_roles(remediation)) else {
            return RoleCount::NotAsked;
        };
        session.role_count().await.map_or(RoleCount::Unreadable, RoleCount::Is)
    }

    /// A share of the account's roles limits it.
    fn counts_roles(&self, remediation: &Remediation) -> bool {
        remediation.approved_at().is_none() && self.policy.get().budget.roles_percent.0 < 100
    }

    /// Counts a remediation as begun, if the budgets allow it: in one step, so that many at once
    /// cannot pass a budget together. A person's approval is above the budgets. `roles` is how many the account
    /// has, as far as it was asked.
    pub async fn begin(
        &self,
        remediation: &Remediation,
        session: Option<&MemberSession>,
        roles: RoleCount,
    ) -> Result<(), BudgetExceeded> {
        let is_needed = self.other_roles(remediation) > 0 && self.counts_roles(remediation);
        let roles = match roles {
            RoleCount::Is(roles) => Some(roles),
            RoleCount::NotAsked if is_needed => match session {
                Some(session) => session.role_count().await.ok(),
                None => None,
            },
            RoleCount::NotAsked | RoleCount::Unreadable => None,
        };
        let (now, target, policy) = (Timestamp::now(), &remediation.target, self.policy.get());
        let mut usage = self.usage();
        usage.forget(now);
        if remediation.approved_at().is_none() && !usage.has(&target.account, &remediation.id) {
            usage.allows(&target.account, &policy.budget, now)?;
            usage.allows_role(&target.account, &target.key(), roles, &policy.budget, now)?;
        }
        let (account, role_key) = (target.account.clone(), target.key());
        usage.add(Begun { remediation: remediation.id.clone(), account, role_key, at: now });
        Ok(())
    }
}
