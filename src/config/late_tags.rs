//! Whether a tag counts that was set when the theft had been seen already.

use schemars::JsonSchema;
use serde::Deserialize;

/// What becomes of a tag of a role, user or account that was set when the theft had been seen already. A thief who may
/// set tags could keep rescind from acting by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateTags {
    /// It does not count, and an alert says who set it.
    #[default]
    Ignore,
    /// It counts like any other, whoever set it.
    Count,
}
