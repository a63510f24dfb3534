//! A check that triage made, as the ledger has it.

use serde::{Deserialize, Serialize};

/// One check, and what it gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub check: String,
    /// What it gave.
    pub result: String,
    /// It decided: no check after it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
}
