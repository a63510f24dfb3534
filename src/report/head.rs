//! What stands above a report: what it was made from.

use crate::ident::AccountId;
use crate::remediation::Selection;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What stands above a report.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Head {
    /// When it was made.
    pub generated_at: Timestamp,
    /// The version of rescind that made it.
    pub version: String,
    /// It was made from so many entries: all that there were.
    pub entries: i64,
    /// The latest checkpoint over them.
    pub checkpoint: Option<Signed>,
    /// What it is about.
    pub selection: Selection,
    /// The hub's account.
    #[schemars(with = "Option<String>")]
    pub hub_account: Option<AccountId>,
}

/// A checkpoint.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Signed {
    /// It is over so many entries.
    pub entries: u64,
    /// The signed note.
    pub note: String,
}
