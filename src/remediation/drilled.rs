//! How a fire drill went, as the main ledger has it.

use crate::ident::AccountId;
use serde::{Deserialize, Serialize};

/// One thing that must happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillStep {
    /// Its name: `stolen`, `decided`, `accepted`, `present`, `simulated`, `enforced`, `spared`, `released`,
    /// `restored`.
    pub name: String,
    /// Whether it happened in time.
    pub passed: bool,
    /// After the finding was handed in, in milliseconds.
    pub after_ms: Option<u64>,
    /// What was seen, in words.
    pub note: String,
}

/// How a drill went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// The account in which the drill was held.
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
    /// The last checkpoint of that ledger, with which it can be verified later.
    pub checkpoint: Option<String>,
    /// The operating system's user who ran the drill.
    pub os_user: String,
}
