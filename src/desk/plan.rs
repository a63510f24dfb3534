//! What would be done about a finding or an order, as a document.

use crate::org::AccountNames;
use crate::reconcile::Planned;
use crate::remediation::{Change, Check, Entry, Impact, ReasonCode, Recurrence};
use schemars::JsonSchema;
use serde::Serialize;

/// What would be done about a finding, as `rescind plan -o json` and the API give it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PlanDocument {
    /// Id of the finding.
    pub finding: String,
    /// The affected account.
    pub account: String,
    /// Name of that account, where it is known.
    pub account_name: Option<String>,
    /// The finding's type.
    #[serde(rename = "type")]
    pub finding_type: String,
    /// The finding's severity: 1 to 10, where it has one.
    pub severity: Option<f64>,
    /// What would be decided.
    pub decision: String,
    /// The reason as a code; docs/codes.md has them all.
    pub code: ReasonCode,
    /// The reason in words.
    pub reason: String,
    /// The rule that it follows.
    pub rule: Option<String>,
    /// The opt-outs that apply, by name.
    pub opt_outs: Vec<String>,
    /// What a person must do, where rescind does not act.
    pub what_to_do: Option<String>,
    /// Each check that was made, in order.
    pub checks: Vec<Check>,
    /// The change that would be made.
    pub change: Option<Change>,
    /// It follows an earlier remediation that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// The impact, where it was asked for.
    pub impact: Option<Impact>,
    /// The decision that the ledger has about this very occurrence.
    #[schemars(with = "serde_json::Value")]
    pub recorded: Option<Entry>,
    /// Why the change could not be made.
    pub refused: Option<String>,
}

impl PlanDocument {
    /// As it was planned.
    #[must_use]
    pub fn of(planned: &Planned, names: &AccountNames) -> Self {
        let Planned { finding, recorded, decision, change, impact } = planned;
        let change = change.as_ref();
        Self {
            finding: finding.id.clone(),
            account: finding.account.to_string(),
            account_name: names.of(&finding.account),
            finding_type: finding.finding_type.clone(),
            severity: finding.severity,
            decision: decision.verdict.name().to_string(),
            code: decision.verdict.code(),
            reason: decision.verdict.to_string(),
            rule: decision.rule.clone(),
            opt_outs: decision.opt_outs.clone(),
            what_to_do: decision.what_to_do.clone(),
            checks: decision.checks.clone(),
            change: change.and_then(|c| c.as_ref().ok()).cloned(),
            recurrence: decision.recurrence.clone(),
            impact: impact.clone(),
            recorded: recorded.as_ref().and_then(|r| r.decision.clone()),
            refused: change.and_then(|c| c.as_ref().err()).map(ToString::to_string),
        }
    }
}
