//! The verdicts by their names alone, as entries and reports have them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was decided about an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    /// Its sessions are revoked.
    Remediate,
    /// A person is asked first.
    Hold,
    /// It is recorded what would be done.
    Observe,
    /// Nothing is done about it.
    Skip,
}

impl VerdictName {
    /// The name in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Remediate => "remediate",
            Self::Hold => "hold",
            Self::Observe => "observe",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for VerdictName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
