//! A theft that an earlier remediation should have ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An earlier remediation of the same principal should have ended this, and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrence {
    /// Id of the earlier remediation.
    pub of: String,
    /// What the recurrence shows about the theft.
    pub sign: Sign,
}

/// What a recurrence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Another access key, used after the cutoff: the source still leaks.
    NewKey,
    /// The same access key, used after the cutoff and not denied: the deny does not work.
    SameKey,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sign {
            Sign::NewKey => {
                write!(f, "another key was used after the cutoff of {}: the source still leaks", self.of)
            }
            Sign::SameKey => {
                write!(
                    f,
                    "the same key was used after the cutoff of {} and not denied: its deny does not work",
                    self.of
                )
            }
        }
    }
}
