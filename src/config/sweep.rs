//! What is done when nothing needs a deny any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to a deny once every token that it denies has expired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    /// Nothing happens: the deny stays.
    Off,
    /// It is recorded that nothing needs it any more.
    #[default]
    Report,
    /// It is recorded, and the deny is taken away.
    On,
}
