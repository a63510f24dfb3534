//! What may be done about a finding, from bold to cautious.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What may be done about a finding. The order is that of caution: where several modes apply,
/// the most cautious, the greatest, wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Revoke without asking, within the hourly budget.
    Enforce,
    /// Ask a person first: nothing is changed until somebody approves.
    Approve,
    /// Record what would be done; change nothing.
    Observe,
    /// Record that nothing is done.
    Off,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Enforce => "enforce",
            Self::Approve => "approve",
            Self::Observe => "observe",
            Self::Off => "off",
        })
    }
}
