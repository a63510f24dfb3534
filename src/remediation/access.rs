//! Who came by the console or the API, and what they were refused.

use crate::identity::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody logged in to the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedIn {
    /// Who it is.
    pub identity: Identity,
    /// The address that it came from.
    pub from: String,
    /// The highest role that they have somewhere; none when they may do nothing.
    pub role: Option<String>,
}

/// A request that carried an identity was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestRefused {
    /// Who it is; none when that is not proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Who it claims to be, where that is not proved: an access key's id, or a subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The address that it came from.
    pub from: String,
    /// The method and the path.
    pub request: String,
    /// Why it was refused, as a code: docs/api.md has them all.
    pub code: String,
    /// Why it was refused, in words.
    pub why: String,
    /// How many of the same were refused since the entry before, which are not recorded one by one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
