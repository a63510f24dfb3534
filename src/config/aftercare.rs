//! What is done after a deny is in force.

use super::raw::span;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

/// What becomes of a deny when no token that it denies can be alive any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    /// Nothing.
    Off,
    /// It is recorded that nothing needs it any more.
    #[default]
    Report,
    /// It is recorded, and the deny is taken away.
    On,
}

/// 1 s to 24 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RecheckInterval(pub SignedDuration);

impl Default for RecheckInterval {
    fn default() -> Self {
        Self(SignedDuration::from_mins(15))
    }
}

impl TryFrom<String> for RecheckInterval {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (least, most) = (SignedDuration::from_secs(1), SignedDuration::from_hours(24));
        span(&text, least, most, "between 1s and 24h").map(Self)
    }
}
