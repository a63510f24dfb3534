//! Guards against doing too much: budgets, and the alerts that say that one is used up.

use super::question::Question;
use crate::config::Budget;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Begun, Event, Remediation, Subject};
use crate::triage::{
    BudgetExceeded, BudgetUsage, Decision, DecisionContext, Placed, PlacementNeeded, Policy, WINDOW, decide,
};
use jiff::Timestamp;
use std::collections::HashMap;
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

/// What was begun and what was told within the hour: the ledger's history, kept at hand.
pub(super) struct Guards {
    spending: Mutex<BudgetUsage>,
    /// When an alert was raised last, by what it is about.
    alerts: Mutex<HashMap<String, Timestamp>>,
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
        let mut alerts = HashMap::new();
        for entry in reader.alerts_since(since)? {
            if let Event::Alert { code, .. } = &entry.event {
                alerts.insert(about(code, &entry.subject), entry.time);
            }
        }
        Ok(Self { spending: Mutex::new(spending), alerts: Mutex::new(alerts) })
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

    /// Whether this is to be told now: not when it was told within the hour.
    pub fn is_news(&self, code: &str, subject: &Subject) -> bool {
        let now = Timestamp::now();
        let mut alerts = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        alerts.retain(|_, at| now.duration_since(*at) < WINDOW);
        let about = about(code, subject);
        !alerts.contains_key(&about) && alerts.insert(about, now).is_none()
    }
}

fn about(code: &str, subject: &Subject) -> String {
    let account = subject.account.as_ref().map_or("", crate::ident::AccountId::as_str);
    format!("{code} {account} {}", subject.remediation.as_deref().unwrap_or_default())
}
