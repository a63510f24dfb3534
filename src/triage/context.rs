//! What a decision rests on, beside the finding.

use super::BudgetUsage;
use crate::org::{Placement, Snapshot};
use crate::remediation::PriorRemediation;
use jiff::Timestamp;

/// How far the matter is when it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// For the first time.
    New,
    /// It was decided to revoke, and that is about to begin: what was decided must still hold.
    Begin,
    /// As [`Self::Begin`], after a person approved it at this time.
    Approved(Timestamp),
}

/// What a decision rests on, beside the finding.
#[derive(Debug, Clone, Copy)]
pub struct DecisionContext<'a> {
    /// The accounts of the organization, as they were last read.
    pub organization: &'a Snapshot,
    /// Where the finding's account stands, when that was read.
    pub placement: Option<&'a Placement>,
    /// What the ledger knows of remediations of the same role.
    pub history: &'a [PriorRemediation],
    /// What was begun within the hour.
    pub usage: &'a BudgetUsage,
    /// Since when the region is watched, when the finding is older than that.
    pub before_watch: Option<Timestamp>,
    /// It was rescind that archived the finding, once its remediation was revoked: what was seen since counts.
    pub is_archived_here: bool,
    /// How far the matter is.
    pub stage: Stage,
    /// This moment, by AWS's clock: that of findings, cutoffs and tokens.
    pub now: Timestamp,
    /// The same by this machine's clock: that of what was begun.
    pub here: Timestamp,
}
