//! What the budgets allow, and the alerts that say when they are used up.

use super::Reconciler;
use super::guards::RoleCount;
use crate::aws::MemberSession;
use crate::ident::AccountId;
use crate::ledger::LedgerError;
use crate::remediation::{Draft, Event, Remediation, Subject};
use crate::triage::{BudgetExceeded, HoldReason};
use jiff::Timestamp;

impl Reconciler {
    /// What a person is told: once an hour at most about the same thing.
    pub(super) fn alert(
        &self,
        subject: Subject,
        code: &str,
        text: String,
        what_to_do: &str,
    ) -> Option<Draft> {
        self.guards.is_news(code, &subject).then(|| Self::alert_each(subject, code, text, what_to_do))
    }

    /// What a person is told each time.
    pub(super) fn alert_each(subject: Subject, code: &str, text: String, what_to_do: &str) -> Draft {
        metrics::counter!("rescind_alerts_total", "code" => code.to_owned()).increment(1);
        let account = subject.account.as_ref().map(ToString::to_string);
        tracing::error!(
            code,
            remediation = subject.remediation,
            account,
            to_do = what_to_do,
            "ALERT: {text}"
        );
        let event = Event::Alert { code: code.to_owned(), text, what_to_do: what_to_do.to_owned() };
        Draft { subject, event }
    }

    /// A used-up budget is told, and a finding that contradicts itself; that a rule asks for approval is
    /// not: that is every day's work.
    pub(super) fn alert_of_hold(&self, account: &AccountId, why: &HoldReason) -> Option<Draft> {
        let tripped = match why {
            HoldReason::Budget(tripped) => tripped,
            HoldReason::Doubtful { .. } => {
                let subject = Subject { account: Some(account.clone()), ..Subject::default() };
                let what_to_do = "Find out whose credentials these are: `rescind show` tells what the finding says. Approved, the \
                     sessions of the role that it names are revoked.";
                return self.alert(
                    subject,
                    why.code(),
                    format!("NOT revoked in {account}: {why}"),
                    what_to_do,
                );
            }
            _ => return None,
        };
        let of_account = !matches!(tripped, BudgetExceeded::Organization { .. });
        let subject = Subject { account: of_account.then(|| account.clone()), ..Subject::default() };
        let what_to_do = "Find out whether this is an attack on many roles, or a fault in what reports them. Everything beyond \
             the budget is held: `rescind list` names it, `rescind approve` lets it go on, `budget` in rescind.toml sets the limits.";
        let text = if of_account { format!("account {account}: {tripped}") } else { tripped.to_string() };
        self.alert(subject, tripped.code(), text, what_to_do)
    }

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
                let alert = self.alert_of_hold(&target.account, &why);
                self.give_back(remediation, why.code(), why.to_string(), alert).await?;
                Ok(false)
            }
        }
    }
}
