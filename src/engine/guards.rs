//! Guards against doing too much: budgets, and the alerts that say that one is used up.

use super::{Engine, Question};
use crate::aws::MemberSession;
use crate::finding::Finding;
use crate::ledger::{Begun, Draft, Event, LedgerError, Reader, Remediation, Subject};
use crate::remedy::Remedy;
use crate::triage::{
    Decision, Facts, HoldReason, Placed, PlacementNeeded, Policy, Spending, Tripped, Verdict, WINDOW, decide,
    most_roles,
};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was begun and what was told within the hour: the ledger's history, kept at hand.
pub(super) struct Guards {
    spending: Mutex<Spending>,
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
        let mut spending = Spending::default();
        reader.begun_since(since)?.into_iter().for_each(|begun| spending.add(begun));
        let mut alerts = HashMap::new();
        for entry in reader.alerts_since(since)? {
            if let Event::Alert { code, .. } = &entry.event {
                alerts.insert(about(code, &entry.subject), entry.time);
            }
        }
        Ok(Self { spending: Mutex::new(spending), alerts: Mutex::new(alerts) })
    }

    fn spending(&self) -> MutexGuard<'_, Spending> {
        self.spending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides; and counts what is begun in the same moment, so that many at once cannot pass a
    /// budget together.
    pub fn judge(
        &self,
        question: Question<'_>,
        policy: &Policy,
        placement: Placed<'_>,
    ) -> Result<Decision, PlacementNeeded> {
        let now = Timestamp::now();
        let Question { finding, organization, history, before_watch, stage, counts } = question;
        let mut spending = self.spending();
        spending.forget(now);
        let facts = Facts { organization, placement, history, spending: &spending, before_watch, stage, now };
        let decision = decide(finding, policy, facts)?;
        if let (true, Verdict::Remediate { remediation, target }) = (counts, &decision.verdict)
            && !history.iter().any(|earlier| earlier.remediation == *remediation)
        {
            let (remediation, account, role_key) =
                (remediation.clone(), target.account.clone(), target.role.key());
            spending.add(Begun { remediation, account, role_key, at: now });
        }
        Ok(decision)
    }

    /// A person approved one: it is begun now.
    pub fn count(&self, remediation: &Remediation, at: Timestamp) {
        let (account, role_key) = (remediation.target.account.clone(), remediation.target.role.key());
        self.spending().add(Begun { remediation: remediation.id.clone(), account, role_key, at });
    }

    /// One is held after all.
    pub fn take_back(&self, remediation: &Remediation) {
        self.spending().take_back(&remediation.target.account, &remediation.id);
    }

    /// Whether this is to be told now: not when it was told within the hour.
    fn is_news(&self, code: &str, subject: &Subject) -> bool {
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

impl<R: Remedy + 'static> Engine<R> {
    /// Tells a person, once an hour at most about the same thing.
    pub(super) async fn alert(
        &self,
        subject: Subject,
        code: &str,
        text: String,
        what_to_do: &str,
    ) -> Result<(), LedgerError> {
        if !self.guards.is_news(code, &subject) {
            return Ok(());
        }
        tracing::error!(code, to_do = what_to_do, "ALERT: {text}");
        let event = Event::Alert { code: code.to_owned(), text, what_to_do: what_to_do.to_owned() };
        self.ledger.append(Draft { subject, event }).await.map(|_| ())
    }

    /// A used-up budget is told; that a rule asks for approval is not: that is every day's work.
    pub(super) async fn alert_of_hold(&self, finding: &Finding, why: &HoldReason) -> Result<(), LedgerError> {
        let HoldReason::Budget(tripped) = why else { return Ok(()) };
        self.alert_of_budget(&finding.account, tripped).await
    }

    async fn alert_of_budget(
        &self,
        account: &crate::ident::AccountId,
        tripped: &Tripped,
    ) -> Result<(), LedgerError> {
        let of_account = !matches!(tripped, Tripped::Organization { .. });
        let subject = Subject { account: of_account.then(|| account.clone()), ..Subject::default() };
        let what_to_do = "Find out whether this is an attack on many roles, or a fault in what reports them. Everything beyond \
             the budget is held: `rescind list` names it, `rescind approve` lets it go on, `budget` in rescind.toml sets the limits.";
        self.alert(subject, tripped.code(), tripped.to_string(), what_to_do).await
    }

    /// Whether the account's share of roles allows this one. If it does not, the remediation is held.
    pub(super) async fn within_share(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
    ) -> Result<bool, LedgerError> {
        let target = &remediation.target;
        let roles = self.guards.spending().place(&target.account, &target.role, Timestamp::now());
        // One is always allowed, so nothing has to be asked for the first.
        if roles <= 1 || remediation.approved_at().is_some() {
            return Ok(true);
        }
        let of = session.role_count().await.ok();
        let most = most_roles(of.unwrap_or(0), &self.policy().budget);
        if roles <= most {
            return Ok(true);
        }
        let tripped = Tripped::Roles { roles, of, most };
        self.give_back(remediation, tripped.code(), tripped.to_string()).await?;
        self.alert_of_budget(&target.account, &tripped).await?;
        Ok(false)
    }
}
