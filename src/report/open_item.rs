//! What needs attention, as the figures list it.

use super::containment::Containment;
use super::remediation::RemediationReport;
use crate::remediation::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OpenItem {
    /// Id of the remediation.
    pub remediation: String,
    /// State of the remediation.
    pub state: State,
    /// How far the theft is contained.
    pub containment: Containment,
    /// Id of the affected account.
    pub account: String,
    /// The account's name, as it was last in the organization.
    pub account_name: Option<String>,
    /// The principal, in words.
    pub principal: String,
    /// GuardDuty's severity of the finding.
    pub severity: Option<f64>,
    /// GuardDuty's type of the finding.
    pub finding_type: String,
    /// Since when it needs a person.
    pub since: Timestamp,
    /// Why it needs a person.
    pub why: String,
    /// What that person should do.
    pub what_to_do: String,
}

impl OpenItem {
    pub(super) fn of(report: &RemediationReport) -> Option<Self> {
        let attention = report.attention.as_ref()?;
        Some(Self {
            remediation: report.remediation.clone(),
            state: report.state,
            containment: report.containment,
            account: report.account.clone(),
            account_name: report.account_name.clone(),
            principal: report.who(),
            severity: report.finding.severity,
            finding_type: report.finding.finding_type.clone(),
            since: attention.since,
            why: attention.why.clone(),
            what_to_do: attention.what_to_do.clone(),
        })
    }
}
