//! A report that was made, and what it is about.

use super::{Rung, State};
use crate::ident::AccountId;
use crate::identity::Identity;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A report that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// `csv`, `json`, `jsonl`, `ocsf`, `asff` or `html`.
    pub format: String,
    /// What it was to be about.
    pub selection: Selection,
    /// How many remediations it has.
    pub remediations: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// How many entries it was made from: those of the checkpoint in it.
    pub entries: u64,
    /// The user of the operating system who made it; empty where it was made over the network.
    pub os_user: String,
    /// Who made it by the console or the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// What a report is about. What is empty does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// What was decided at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// What was decided before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Only remediations in these accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub accounts: Vec<AccountId>,
    /// Only accounts in these organizational units, or below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ous: Vec<String>,
    /// Only remediations in these states.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
    /// Only remediations that are proved so far and no further.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Rung>,
    /// Only the remediations with these ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remediations: Vec<String>,
}

impl Selection {
    /// A remediation in this state may be selected.
    #[must_use]
    pub fn has_state(&self, state: State) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    /// One that is proved so far may be.
    #[must_use]
    pub fn has_proof(&self, proof: Option<Rung>) -> bool {
        self.proofs.is_empty() || proof.is_some_and(|rung| self.proofs.contains(&rung))
    }
}
