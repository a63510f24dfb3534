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
    /// Also over a change that somebody else made since.
    pub force: bool,
    /// Also the other stolen keys that it takes care of.
    pub attached: bool,
    /// The state from which it is asked for.
    pub was: State,
}

/// An answer to a held remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Who answers for it, as they say.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The user of the operating system that it came from.
    pub os_user: String,
    /// The AWS identity that it came from, where it was asked for.
    pub aws_identity: Option<String>,
    /// The entry that was judged: what would be done.
    pub judged: Option<i64>,
}

/// Who answers when nobody does.
pub const NOBODY: &str = "nobody";
