//! A piece of work on one key of the queue.

use crate::finding::Finding;
use crate::ingest::Ack;

/// A piece of work.
pub(super) enum Work {
    /// A finding is to be decided about.
    Finding(Box<Case>),
    /// A remediation is brought as far as it goes.
    Remediation(String),
}

/// A finding that is to be decided about.
pub(super) struct Case {
    pub finding: Finding,
    /// A person asked for it, or what took care of it does not any more.
    pub is_asked: bool,
    /// Why a search for the role that it is about found nothing.
    pub in_vain: Option<String>,
    /// To be answered when the decision is durable.
    pub ack: Option<Ack>,
    /// What was half done at the principal had its turn.
    pub has_waited: bool,
    /// What it relied on was looked at, and is put back.
    pub is_rechecked: bool,
}

impl Case {
    /// Of a finding that was decided before.
    pub fn again(finding: Finding) -> Self {
        Self { finding, is_asked: true, in_vain: None, ack: None, has_waited: false, is_rechecked: false }
    }
}
