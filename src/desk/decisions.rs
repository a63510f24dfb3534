//! What was decided about a finding, in one line of JSON.

use crate::ident::AccountId;
use crate::ledger::Decided;
use crate::remediation::{Event, ReasonCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was decided about a finding, in one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DecisionLine {
    /// When the occurrence was recorded.
    pub seen: Timestamp,
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// Id of the finding; none when what came could not be read.
    pub finding: Option<String>,
    /// The affected account.
    pub account: Option<AccountId>,
    /// The verdict, or `unreadable`, `unconfirmed` or `undecided`.
    pub decision: String,
    /// The reason in words.
    pub reason: String,
    /// The reason as a code; docs/codes.md has them all.
    pub code: Option<ReasonCode>,
    /// The remediation that it led to.
    pub remediation: Option<String>,
}

/// What was decided about an occurrence.
#[must_use]
pub fn decision_line(decided: &Decided) -> DecisionLine {
    let Decided { seen, decision } = decided;
    let (verdict, reason) = match (&seen.event, decision.as_ref().map(|d| &d.event)) {
        (_, Some(Event::Decision { verdict, reason, .. })) => (verdict.name(), reason.clone()),
        (Event::Undecodable { undecodable, .. }, _) => ("unreadable", undecodable.to_string()),
        (Event::Unconfirmed { why, .. }, _) => ("unconfirmed", why.to_string()),
        _ => ("undecided", "resumed at the next start".to_owned()),
    };
    DecisionLine {
        seen: seen.time,
        entry: seen.seq,
        finding: seen.subject.finding.clone(),
        account: seen.subject.account.clone(),
        decision: verdict.to_owned(),
        reason,
        code: decision.as_ref().and_then(|d| match &d.event {
            Event::Decision { code, .. } => Some(*code),
            _ => None,
        }),
        remediation: decision.as_ref().and_then(|d| d.subject.remediation.clone()),
    }
}
