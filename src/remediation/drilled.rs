//! How a fire drill went, as the main ledger has it.

use crate::ident::AccountId;
use serde::{Deserialize, Serialize};

/// One thing that must happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillStep {
    /// Its name: `stolen`, `decided`, `accepted`, `present`, `simulated`, `enforced`, `spared`, `released`,
    /// `restored`.
    pub name: String,
    /// It happened.
    pub passed: bool,
    /// After the finding was handed in, in milliseconds.
    pub after_ms: Option<u64>,
    /// What was seen.
    pub note: String,
}

/// How a drill went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// The account.
    pub account: AccountId,
    /// The role, with its path.
    pub role: String,
    /// Everything that must happen did.
    pub passed: bool,
    /// What happened, in order.
    pub steps: Vec<DrillStep>,
    /// The remediation in the drill's own ledger.
    pub remediation: Option<String>,
    /// The drill's own ledger.
    pub ledger: String,
    /// The last checkpoint of that ledger: by it one can tell later whether it was changed.
    pub checkpoint: Option<String>,
    /// Who held it.
    pub os_user: String,
}
