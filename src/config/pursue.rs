//! What is done about that which a thief opened and made with stolen credentials.

use super::mode::Mode;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is done about the sessions that were opened with stolen credentials, by CloudTrail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pursue {
    /// CloudTrail is not searched for them.
    Off,
    /// They are recorded, and what would be done.
    Observe,
    /// Each is held for approval.
    #[default]
    Approve,
    /// They are revoked without asking, within the hourly budget.
    Enforce,
}

impl Pursue {
    /// The mode that it allows at most.
    #[must_use]
    pub fn mode(self) -> Mode {
        match self {
            Self::Off => Mode::Off,
            Self::Observe => Mode::Observe,
            Self::Approve => Mode::Approve,
            Self::Enforce => Mode::Enforce,
        }
    }
}

/// What of that which a thief made is denied as well. The rest is only listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contain {
    /// Deactivate the access keys that were made.
    Keys,
    /// Attach the policy rescind/Quarantine to the users that were made.
    Users,
    /// Attach the policy rescind/Quarantine to the roles that were made.
    Roles,
}
