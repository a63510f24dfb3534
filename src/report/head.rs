//! The head of a report: what it was made from.

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
    /// Number of entries that it was made from: all that there were.
    pub entries: i64,
    /// The latest checkpoint over them.
    pub checkpoint: Option<Signed>,
    /// What it is about.
    pub selection: Selection,
    /// Id of the account that the hub runs in.
    #[schemars(with = "Option<String>")]
    pub hub_account: Option<AccountId>,
}

/// A signed checkpoint of the ledger.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Signed {
    /// Number of entries that it covers.
    pub entries: u64,
    /// The checkpoint itself: a signed note.
    pub note: String,
}
