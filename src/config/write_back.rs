//! What is written back about a finding whose remediation is revoked and whose incident is closed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is written back about a finding whose remediation is revoked and whose incident is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WriteBack {
    /// What is done with the finding in GuardDuty. "archive" needs guardduty:ArchiveFindings.
    pub guardduty: GuardDutyBack,
    /// What is done with it in Security Hub. It needs securityhub:BatchUpdateFindings.
    pub security_hub: SecurityHubBack,
}

/// What is done with a finding in GuardDuty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardDutyBack {
    /// Nothing.
    #[default]
    Off,
    /// It is archived.
    Archive,
}

/// What is done with a finding in Security Hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecurityHubBack {
    /// Nothing.
    #[default]
    Off,
    /// It gets a note.
    Note,
    /// It gets a note, and its workflow status becomes RESOLVED.
    Resolve,
}

impl WriteBack {
    /// Nothing is written back.
    #[must_use]
    pub fn is_off(self) -> bool {
        self == Self::default()
    }

    /// Findings are archived in GuardDuty.
    #[must_use]
    pub fn archives(self) -> bool {
        self.guardduty == GuardDutyBack::Archive
    }

    /// Findings are changed in Security Hub.
    #[must_use]
    pub fn updates_security_hub(self) -> bool {
        self.security_hub != SecurityHubBack::Off
    }
}
