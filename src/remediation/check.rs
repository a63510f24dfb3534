//! A check that triage made, as the ledger has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Name of the check, as listed in the decision's trace.
    pub check: String,
    /// The result of the check, in words.
    pub result: String,
    /// It decided: no check after it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
}
