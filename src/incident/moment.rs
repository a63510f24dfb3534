//! What happened, in the order of time.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// When it happened, or was recorded.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The call of the thief, or the kind of the ledger's entry.
    pub event: String,
    /// What happened, in words.
    pub text: String,
    /// The remediation that the entry is about.
    pub remediation: Option<String>,
    /// Number of the ledger's entry.
    pub entry: Option<i64>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The thief, by CloudTrail.
    Thief,
    /// rescind, or a person through it.
    Rescind,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Thief => "thief",
            Self::Rescind => "rescind",
        })
    }
}
