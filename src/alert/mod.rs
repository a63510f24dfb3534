//! What needs a person's attention: raised once an hour about the same thing, and escalated while it lasts; a deny that
//! is fought over once a minute.
//!
//! [`Alerts`] writes an [`Alert`] to the ledger, from where it is notified. What an alert about a decision or a
//! remediation says is in a file of its own.

mod clock;
mod contested;
mod decision;
mod escalation;
mod outage;
mod remediation;
mod throttle;

pub use clock::clock_far_off;
pub use decision::{contradictory_or_over_budget, id_taken, recurring, skipped, tag_set_late};
pub use outage::{iam_changeable, iam_unchangeable};
pub use remediation::{
    deny_not_kept, foreign_policy, quarantine_altered, quarantine_stays, reheld, still_allowed,
};
pub use throttle::Throttle;

use crate::ident::AccountId;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{AlertCode, Draft, Event, Remediation, Subject};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Interval within which the same thing is raised once.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// Something that needs a person's attention.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub code: AlertCode,
    /// What it is about.
    pub subject: Subject,
    pub text: String,
    /// What to do about it.
    pub what_to_do: String,
}

impl Alert {
    /// An alert about `subject`.
    pub fn new(
        code: AlertCode,
        subject: Subject,
        text: impl Into<String>,
        what_to_do: impl Into<String>,
    ) -> Self {
        Self { code, subject, text: text.into(), what_to_do: what_to_do.into() }
    }

    /// An alert about a remediation, whose id stands at the end of the text.
    pub fn about(
        code: AlertCode,
        remediation: &Remediation,
        text: impl fmt::Display,
        what_to_do: impl Into<String>,
    ) -> Self {
        Self::new(code, remediation.subject(), format!("{text} ({})", remediation.id), what_to_do)
    }

    /// An alert about rescind itself, its feeds and its ledger.
    pub fn of_service(code: AlertCode, text: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self::new(code, Subject::default(), text, what_to_do)
    }

    /// The entry for the ledger; the alert is counted and logged. For what is raised each time.
    #[must_use]
    pub fn raised(self) -> Draft {
        let Self { code, subject, text, what_to_do } = self;
        metrics::counter!("rescind_alerts_total", "code" => code.name()).increment(1);
        let account = subject.account.as_ref().map(AccountId::as_str);
        tracing::error!(
            code = code.name(),
            remediation = subject.remediation,
            account,
            to_do = what_to_do,
            "ALERT: {text}"
        );
        Draft { subject, event: Event::Alert { code, text, what_to_do } }
    }
}

/// What two alerts about the same thing have in common.
type Key = (AlertCode, Option<AccountId>, Option<String>);

fn key(code: AlertCode, subject: &Subject) -> Key {
    (code, subject.account.clone(), subject.remediation.clone())
}

#[derive(Debug)]
pub struct Alerts {
    ledger: Ledger,
    reader: Reader,
    raised: Throttle<Key>,
    /// By remediation.
    contested: Throttle<String>,
}

impl Alerts {
    /// Alerts that know what was raised within the hour: a restart raises nothing twice.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(ledger: &Ledger) -> Result<Self, LedgerError> {
        let reader = ledger.reader()?;
        let raised = Throttle::new(INTERVAL);
        let since = Timestamp::now().saturating_sub(INTERVAL).unwrap_or(Timestamp::MIN);
        for entry in reader.alerts_since(since)? {
            if let Event::Alert { code, .. } = &entry.event {
                raised.note(key(*code, &entry.subject), entry.time);
            }
        }
        Ok(Self { ledger: ledger.clone(), reader, raised, contested: Throttle::new(contested::INTERVAL) })
    }

    /// Raises an alert, unless the same was raised within the hour.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn raise_alert(&self, alert: Alert) -> Result<(), LedgerError> {
        match self.draft(alert) {
            Some(draft) => self.ledger.append(draft).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// The entry of an alert that is to be written together with others; none when the same was raised within
    /// the hour.
    #[must_use]
    pub fn draft(&self, alert: Alert) -> Option<Draft> {
        self.raised.passes(key(alert.code, &alert.subject)).then(|| alert.raised())
    }
}
