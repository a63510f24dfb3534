//! What denies a principal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What denies a principal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// An inline policy of the role or user.
    #[default]
    InlinePolicy,
    /// The managed policy `rescind/Quarantine`, attached to the role or user.
    Quarantine,
    /// The service control policy `rescind-ACCOUNT` on the account.
    ServiceControlPolicy,
}

impl Means {
    /// It is an inline policy, as most are.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        *self == Self::InlinePolicy
    }

    /// A policy of this kind and the principal that it is for, in words.
    #[must_use]
    pub fn policy(self, name: &str, arn: &str) -> String {
        match self {
            Self::InlinePolicy => format!("inline policy {name} of {arn}"),
            Self::Quarantine => format!("managed policy {name} on {arn}"),
            Self::ServiceControlPolicy => format!("service control policy {name}, for {arn}"),
        }
    }
}
