//! The states of a remediation. [`super::lifecycle`] says what leads from one to another.
//!
//! Each state has one name, the same in the ledger, on screens and in reports. There are two between the decision
//! and the proof, because they need different work after a crash: for `revoking` rescind checks whether the change
//! was made, and for `verifying` it verifies it.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::de::value::Error as Unknown;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a remediation stands.
// The texts of the states are what `--help` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum State {
    /// waiting for a person's answer
    Held,
    /// waiting for its turn; no approval needed
    Queued,
    /// approved by a person, waiting for its turn
    Approved,
    /// the change is being made; its outcome is not known yet
    Revoking,
    /// AWS accepted the change; it was not seen in place yet
    Verifying,
    /// the deny was seen in place
    Revoked,
    /// the deny is in place; the simulator does not confirm
    Unverified,
    /// the deny was removed or altered; it is being put back
    Lost,
    /// the deny is removed again and again; rescind puts it back each time
    Contested,
    /// failed for now; rescind retries by itself
    Retrying,
    /// refused; a person must change something first
    Blocked,
    /// refused for good; it is not retried
    Failed,
    /// rejected by a person, or nobody answered in time
    Rejected,
    /// another remediation has revoked these sessions
    Superseded,
    /// a person did it by hand
    DoneByHand,
    /// a person asked for its release
    Releasing,
    /// released by a person: the previous state is restored
    Released,
    /// every token that it denies has expired
    Expired,
    /// no longer needed; the deny is being removed
    Retiring,
    /// no longer needed; the deny was removed
    Retired,
}

impl State {
    /// Where it is back when it was not released, and this is where that was asked for. What is there then
    /// is not what was written: so it is not in place.
    #[must_use]
    pub fn after_release_in_vain(self) -> Self {
        if self.is_in_place() { Self::Lost } else { self }
    }

    /// There is still something to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(
            self,
            Self::Revoked
                | Self::Unverified
                | Self::Failed
                | Self::Rejected
                | Self::Superseded
                | Self::DoneByHand
                | Self::Released
                | Self::Expired
                | Self::Retired
        )
    }

    /// The deny was seen on the principal, and is needed.
    #[must_use]
    pub fn is_in_place(self) -> bool {
        matches!(self, Self::Revoked | Self::Unverified | Self::Contested)
    }

    /// What is from before its cutoff is revoked, or dead anyway.
    #[must_use]
    pub fn has_revoked(self) -> bool {
        self.is_in_place() || matches!(self, Self::Expired | Self::Retiring | Self::Retired)
    }

    /// What it wrote is, or may be, still there.
    #[must_use]
    pub fn is_live(self) -> bool {
        self.is_in_place() || self.is_half_done() || self == Self::Expired
    }

    /// What was begun is brought to an end before anything else is decided about the principal.
    #[must_use]
    pub fn is_half_done(self) -> bool {
        self.has_fixed_cutoff()
            || matches!(self, Self::Lost | Self::Contested | Self::Releasing | Self::Retiring)
    }

    /// Its cutoff is chosen, and not yet seen in force.
    #[must_use]
    pub fn has_fixed_cutoff(self) -> bool {
        matches!(self, Self::Revoking | Self::Verifying)
    }

    /// Its cutoff is yet to be chosen.
    #[must_use]
    pub fn is_to_begin(self) -> bool {
        matches!(self, Self::Queued | Self::Approved | Self::Retrying | Self::Blocked)
    }

    /// A refusal led to it, and is what keeps it from being carried out.
    #[must_use]
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Retrying | Self::Blocked | Self::Failed)
    }

    /// Every state, in the order of a life.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for State {
    type Err = Unknown;
    /// The state of this name; the error lists the names that there are.
    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::deserialize(text.into_deserializer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_an_unknown_one_lists_those_that_there_are() {
        let unknown = "simulated".parse::<State>().expect_err("no state").to_string();
        for state in State::all() {
            let name = state.to_string();
            assert_eq!(name.parse(), Ok(*state));
            assert_eq!(<State as ValueEnum>::from_str(&name, false), Ok(*state));
            assert!(unknown.contains(&format!("`{name}`")), "{unknown}");
        }
    }
}
