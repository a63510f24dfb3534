//! The context that the steps of a remediation share.

use super::budgets::Budgets;
use super::decider::Decider;
use super::keyed_queue::KeyedQueue;
use super::next::{Attempt, Next};
use super::policy::CurrentPolicy;
use super::retries::Retries;
use crate::alert::{Alert, Alerts, Throttle, contradictory_or_over_budget, reheld};
use crate::aws::AwsClock;
use crate::ledger::{Append, Ledger, LedgerError, Reader};
use crate::remediation::{
    Change, Disposition, Draft, Event, PriorRemediation, ReasonCode, Refusal, Refused, Remediation, State,
    Target,
};
use crate::remedy::{Expected, MemberAccess};
use crate::triage::{BudgetExceeded, HoldReason, Policy};
use crate::watch::Evidence;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What the steps of a remediation work with.
pub(super) struct Context {
    pub ledger: Ledger,
    pub reader: Arc<Reader>,
    pub clock: AwsClock,
    pub access: MemberAccess,
    pub alerts: Arc<Alerts>,
    pub policy: CurrentPolicy,
    pub decider: Decider,
    pub budgets: Arc<Budgets>,
    pub queue: KeyedQueue,
    pub retries: Retries,
    /// What a held remediation would change is looked at once an hour.
    pub looks: Throttle<String>,
    /// How long a person is waited for.
    pub approval_timeout: SignedDuration,
    /// What CloudTrail has.
    pub evidence: Arc<Evidence>,
}

impl Context {
    /// AWS's time: what findings, cutoffs and tokens go by. Entries and budgets go by this machine's.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn policy(&self) -> Arc<Policy> {
        self.policy.get()
    }

    pub async fn write(&self, remediation: &Remediation, event: Event) -> Result<(), LedgerError> {
        self.ledger.append(Draft { subject: remediation.subject(), event }).await.map(|_| ())
    }

    /// The same with other entries, in one append.
    pub async fn write_with(
        &self,
        remediation: &Remediation,
        event: Event,
        more: impl IntoIterator<Item = Draft>,
    ) -> Result<(), LedgerError> {
        let entry = Draft { subject: remediation.subject(), event };
        let entries = std::iter::once(entry).chain(more).collect();
        self.ledger.append(Append { entries, ..Append::default() }).await.map(|_| ())
    }

    /// What should be under our name at the principal with this unique id.
    pub fn expected(&self, target: &Target, id: &str) -> Result<Expected, LedgerError> {
        Ok(Expected::after(target.means, &self.reader.past(target, id)?))
    }

    /// It is tried again, the later the more often it failed.
    pub fn try_again(&self, remediation: &str) -> Next {
        Next::RequeueAfter(self.retries.delay(remediation, false))
    }

    /// AWS, or the account's configuration, does not let it be done.
    pub async fn refuse(
        &self,
        remediation: &Remediation,
        refusal: &Refusal,
        attempt: &mut Attempt,
    ) -> Result<Next, LedgerError> {
        let refused = Refused::new(refusal, &self.access.role_arn(&remediation.target));
        tracing::error!(
            remediation = remediation.id, account = %remediation.target.account, principal = remediation.target.name(),
            code = refused.code.name(), to_do = refused.what_to_do, "NOT revoked: {refusal}"
        );
        self.give_up(remediation, refused, attempt).await
    }

    /// Records why it is not done now, or not at all.
    pub async fn give_up(
        &self,
        remediation: &Remediation,
        refused: Refused,
        attempt: &mut Attempt,
    ) -> Result<Next, LedgerError> {
        let disposition = refused.disposition;
        if refused.frees_covered() {
            attempt.freed = self.reader.attached(&remediation.id)?;
        }
        self.write(remediation, Event::Refused(refused)).await?;
        Ok(match disposition {
            Disposition::Final => Next::Done,
            Disposition::Retry => self.try_again(&remediation.id),
            Disposition::Blocked => self.blocked(&remediation.id),
        })
    }

    /// A person must change something first.
    pub fn blocked(&self, remediation: &str) -> Next {
        Next::RequeueAfter(self.retries.delay(remediation, true))
    }

    /// It was about to begin, and a person must judge it (again).
    pub async fn hold_again(
        &self,
        remediation: &Remediation,
        code: ReasonCode,
        reason: String,
    ) -> Result<Next, LedgerError> {
        let alert = reheld(remediation, &reason).map(Alert::raised);
        self.hold(remediation, code, reason, alert).await
    }

    /// The budgets do not allow that it begins now.
    pub async fn hold_over_budget(
        &self,
        remediation: &Remediation,
        exceeded: BudgetExceeded,
    ) -> Result<Next, LedgerError> {
        let why = HoldReason::Budget(exceeded);
        let alert = contradictory_or_over_budget(&remediation.target.account, &why);
        let alert = alert.and_then(|alert| self.alerts.draft(alert));
        self.hold(remediation, why.code(), why.to_string(), alert).await
    }

    async fn hold(
        &self,
        remediation: &Remediation,
        code: ReasonCode,
        reason: String,
        alert: Option<Draft>,
    ) -> Result<Next, LedgerError> {
        tracing::warn!(remediation = remediation.id, %code, "held: {reason}");
        self.write_with(remediation, Event::Reheld { code, reason }, alert).await?;
        Ok(Next::Continue)
    }

    /// Another remediation of the same role whose deny is in place and covers this one.
    pub fn superseded_by(&self, remediation: &Remediation) -> Result<Option<String>, LedgerError> {
        let target = &remediation.target;
        let history = self.reader.history_beside(&target.account, &target.key(), &remediation.id)?;
        // One that expired before its time was about a principal that is gone, and this may be its successor.
        let is_of_another = |other: &PriorRemediation| other.state == State::Expired && target.id().is_none();
        let covers = |other: &PriorRemediation| {
            other.is_for(target)
                && !is_of_another(other)
                && other.has_revoked(remediation.last_seen).is_some()
        };
        Ok(history.into_iter().find(covers).map(|other| other.remediation))
    }

    /// A person's approval makes it as fresh as the activity did, and so does a fight about another deny.
    pub fn is_too_old(&self, remediation: &Remediation) -> bool {
        // The session that was opened has an end of its own.
        if remediation.finding.derived().is_some() {
            return false;
        }
        let max = self.policy().max_finding_age;
        if remediation.is_escalated() {
            // By the clock of the entries.
            return Timestamp::now().duration_since(remediation.opened_at) > max;
        }
        let fresh = remediation.last_seen.max(remediation.approved_at().unwrap_or(Timestamp::MIN));
        self.now().duration_since(fresh) > max
    }
}

/// The change that a remediation has begun.
pub(super) fn change_of(remediation: &Remediation) -> Result<&Change, LedgerError> {
    // The state machine allows these states only after an intent.
    remediation.change.as_ref().ok_or_else(|| LedgerError::Inconsistent {
        remediation: remediation.id.clone(),
        state: remediation.state.to_string(),
    })
}
