//! How much may be done without asking.

use super::bounded::Number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum number of remediations per hour without approval. The rest is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Maximum number in one account.
    pub account_per_hour: u32,
    /// Maximum number in the whole organization.
    pub organization_per_hour: u32,
    /// Maximum percentage of an account's roles. One role is always allowed.
    pub roles_percent: Number<10, 1, 100>,
}

impl Budget {
    /// Half of it, rounded up: what may be used for that which a thief opened.
    #[must_use]
    pub fn half(&self) -> Self {
        Self {
            account_per_hour: self.account_per_hour.div_ceil(2),
            organization_per_hour: self.organization_per_hour.div_ceil(2),
            roles_percent: self.roles_percent,
        }
    }

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
