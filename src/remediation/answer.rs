//! What a person answers.

use super::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A release that a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseAsked {
    /// Who asks, and why.
    #[serde(flatten)]
    pub answer: Answer,
    /// Also when somebody else changed the policy since.
    pub force: bool,
    /// Also for the other stolen keys that the remediation covers.
    pub attached: bool,
    /// The state of the remediation when it was asked for.
    pub was: State,
}

/// An answer to a held remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Who answers for it, as they say.
    pub by: String,
    /// Their reason, in their words.
    pub reason: String,
    /// The user of the operating system that it came from.
    pub os_user: String,
    /// The AWS identity that it came from, where it was asked for.
    pub aws_identity: Option<String>,
    /// The entry with the planned change that was judged.
    pub judged: Option<i64>,
}

/// Name in `by` of the answer that is recorded when nobody answers in time.
pub const NOBODY: &str = "nobody";
