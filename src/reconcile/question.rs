//! What is to be decided, and what became of the search for the role that it is about.

use crate::finding::Finding;
use crate::org::Snapshot;
use crate::remediation::PriorRemediation;
use crate::triage::Stage;
use jiff::Timestamp;

/// What is to be decided, but for where the account stands.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub finding: &'a Finding,
    pub organization: &'a Snapshot,
    pub history: &'a [PriorRemediation],
    pub before_watch: Option<Timestamp>,
    pub stage: Stage,
}

/// What became of the search for a role.
pub(super) enum Search {
    /// There is nothing to search for, or no reason to.
    NotMade,
    /// The same finding, with the name of the role.
    Found(Box<Finding>),
    /// Why it was not found, as a sentence.
    InVain(String),
}
