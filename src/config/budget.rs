//! How much may be done without asking.

use super::bounded::Number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much may be done in an hour without asking. What is beyond is held for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Remediations in one account.
    pub account_per_hour: u32,
    /// Remediations in the whole organization.
    pub organization_per_hour: u32,
    /// Of an account's roles, so many in a hundred; but always one.
    pub roles_percent: Number<10, 1, 100>,
}

impl Budget {
    /// Nothing is held because of it.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { account_per_hour: u32::MAX, organization_per_hour: u32::MAX, roles_percent: Number(100) }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { account_per_hour: 5, organization_per_hour: 25, roles_percent: Number::default() }
    }
}
