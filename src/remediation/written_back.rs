//! What is written back about a finding, into GuardDuty or Security Hub.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a finding is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackTo {
    /// GuardDuty: the finding is archived.
    Guardduty,
    /// Security Hub: the finding gets a note, and its workflow status may be set.
    SecurityHub,
}

impl BackTo {
    /// What is done there, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Guardduty => "archived in GuardDuty",
            Self::SecurityHub => "updated in Security Hub",
        }
    }
}

/// What is written back about one update of a finding. The entry's subject has the finding's id and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenBack {
    /// Where it is written.
    pub to: BackTo,
    /// The update of the finding that it is about, as GuardDuty wrote it (`updatedAt`).
    pub updated_at: String,
    /// What Security Hub did not take; none when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
