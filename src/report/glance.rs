//! A remediation in a row of the page's table.

use super::containment::Containment;
use super::remediation::RemediationReport;
use super::tally::severity_word;
use crate::remediation::{Rung, State};
use jiff::Timestamp;

/// Maximum number of remediations that the table has: where there are more, it is left out.
pub(super) const GLANCE: usize = 100;

/// A remediation in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glance {
    pub remediation: String,
    pub decided_at: Timestamp,
    pub state: State,
    pub containment: Containment,
    pub proof: Option<Rung>,
    pub who: String,
    pub account: String,
    pub account_name: Option<String>,
    pub severity: &'static str,
    pub finding_type: String,
    pub seconds_to_deny: Option<f64>,
    /// How long the deny was in force, in words.
    pub in_force: Option<String>,
}

impl Glance {
    pub fn of(report: &RemediationReport) -> Self {
        Self {
            remediation: report.remediation.clone(),
            decided_at: report.decision.at,
            state: report.state,
            containment: report.containment,
            proof: report.highest_proof,
            who: report.who(),
            account: report.account.clone(),
            account_name: report.account_name.clone(),
            severity: severity_word(report.finding.severity),
            finding_type: report.finding.finding_type.clone(),
            seconds_to_deny: report.seconds_to_deny,
            in_force: report.in_force_words(),
        }
    }
}
