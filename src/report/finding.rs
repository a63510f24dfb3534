//! The finding that led to a remediation, as reports show it: without its full text.

use crate::finding::{Cause, Evidence, Finding, Principal};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A finding. `principal` and `evidence` are as `rescind show -o json` has them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportedFinding {
    /// GuardDuty's id of the finding.
    pub id: String,
    /// The entry that recorded it.
    pub entry: i64,
    /// When it was recorded.
    pub seen_at: Timestamp,
    /// GuardDuty's type of the finding.
    #[serde(rename = "type")]
    pub finding_type: String,
    /// The region whose detector made it.
    pub region: String,
    /// GuardDuty's severity: 0.1 to 10.
    pub severity: Option<f64>,
    /// GuardDuty's title of the finding.
    pub title: Option<String>,
    /// When GuardDuty first made it.
    pub created_at: Option<Timestamp>,
    /// When GuardDuty last wrote it.
    pub updated_at: Timestamp,
    /// The last activity that GuardDuty saw: `evidence.last_seen`, else `updated_at`. Times are counted from it.
    pub last_activity: Timestamp,
    /// Whose credentials were used.
    pub principal: Option<Principal>,
    /// What GuardDuty saw of the activity.
    pub evidence: Evidence,
    /// What says that the credentials are stolen: `guardduty`, `pursuit` with how it was opened or made, or `order` with
    /// who gave it and why.
    pub cause: Cause,
    /// SHA-256 of the finding's canonical JSON as it was received.
    pub sha256: String,
}

impl ReportedFinding {
    pub(super) fn of(finding: Finding, entry: i64, seen_at: Timestamp) -> Self {
        Self {
            entry,
            seen_at,
            last_activity: finding.last_seen(),
            id: finding.id,
            finding_type: finding.finding_type,
            region: finding.region.to_string(),
            severity: finding.severity,
            title: finding.title,
            created_at: finding.created_at,
            updated_at: finding.updated_at,
            principal: finding.principal,
            evidence: finding.evidence,
            cause: finding.cause,
            sha256: finding.sha256,
        }
    }

    /// The stolen access key's id, where the finding has it. Every text of a finding is foreign: one that is
    /// empty says no more than one that is missing.
    pub(super) fn access_key(&self) -> Option<&str> {
        self.principal.as_ref().and_then(|principal| known(principal.access_key_id.as_ref()))
    }

    /// For a role its id, a colon and the session's name.
    pub(super) fn principal_id(&self) -> Option<&str> {
        self.principal.as_ref().and_then(|principal| known(principal.principal_id.as_ref()))
    }

    /// Where the call came from.
    pub(super) fn remote_ip(&self) -> Option<&str> {
        known(self.evidence.remote_ip.as_ref())
    }

    /// The instance that the credentials were made for.
    pub(super) fn instance(&self) -> Option<&str> {
        known(self.evidence.instance_id.as_ref())
    }
}

/// A text that says something.
pub(super) fn known(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}
