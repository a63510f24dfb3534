//! What the budgets allow.

use super::Reconciler;
use super::guards::RoleCount;
use crate::alert::contradictory_or_over_budget;
use crate::aws::MemberSession;
use crate::ledger::LedgerError;
use crate::remediation::Remediation;
use crate::triage::HoldReason;
use jiff::Timestamp;

impl Reconciler {
    /// How many roles the account has, when the budget will need it: nothing has to be known for the
    /// only role of an account. It is asked beside the other reads, so that nothing waits for it.
    pub(super) async fn count_roles(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        round: usize,
    ) -> RoleCount {
        let target = &remediation.target;
        let others = self.guards.spending().other_roles(&target.account, &target.key(), Timestamp::now());
        let is_alone = others == 0 && self.queue.busy_in(&target.account) < 2;
        if round > 0
            || is_alone
            || remediation.approved_at().is_some()
            || self.policy().budget.roles_percent.0 == 100
        {
            return RoleCount::NotAsked;
        }
        session.role_count().await.map_or(RoleCount::Unreadable, RoleCount::Is)
    }

    /// Whether the budgets allow to begin now. If they do not, the remediation is held. `roles` is how
    /// many the account has, as far as it was asked.
    pub(super) async fn within_budget(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        roles: RoleCount,
    ) -> Result<bool, LedgerError> {
        // What has begun and is not brought to an end is no new one.
        if !self.reader.state(&remediation.id)?.is_to_begin() {
            return Ok(true);
        }
        let (target, policy) = (&remediation.target, self.policy());
        let others = self.guards.spending().other_roles(&target.account, &target.key(), Timestamp::now());
        let is_needed =
            others > 0 && remediation.approved_at().is_none() && policy.budget.roles_percent.0 < 100;
        let roles = match roles {
            RoleCount::Is(roles) => Some(roles),
            RoleCount::NotAsked if is_needed => session.role_count().await.ok(),
            RoleCount::NotAsked | RoleCount::Unreadable => None,
        };
        match self.guards.begin(remediation, roles, &policy.budget) {
            Ok(()) => Ok(true),
            Err(tripped) => {
                let why = HoldReason::Budget(tripped);
                let alert = contradictory_or_over_budget(&target.account, &why)
                    .and_then(|alert| self.alerts.draft(alert));
                self.give_back(remediation, why.code(), why.to_string(), alert).await?;
                Ok(false)
            }
        }
    }
}
