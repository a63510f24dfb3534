//! What a queue or a file claims to be a finding, and what becomes of it.

use super::record::Recorded;
use crate::finding::{Decoded, Finding, Unconfirmed, Undecodable};
use crate::remediation::CallError;

/// One item that claims to be a finding.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The number of what it came in.
    pub of: usize,
    /// Which message or file it was: so that the same one is recorded once.
    pub item: String,
    /// What it claims, as far as it can be read.
    pub decoded: Decoded,
    /// How often GuardDuty answered that it does not have it, or not yet as it is claimed.
    pub not_yet: u32,
    /// How often GuardDuty did not answer.
    pub unanswered: u32,
}

impl Claim {
    /// A claim about which nobody was asked yet.
    #[must_use]
    pub fn new(of: usize, item: &str, decoded: Decoded) -> Self {
        Self { of, item: item.to_owned(), decoded, not_yet: 0, unanswered: 0 }
    }
}

/// What became of a claim.
#[derive(Debug)]
pub enum Verification {
    /// GuardDuty has it, and it is new: recorded as GuardDuty has it.
    New(Finding),
    /// GuardDuty has it, and it had been recorded before.
    Seen(Finding),
    /// GuardDuty does not have it so. It is recorded that it was claimed.
    Unconfirmed { why: Unconfirmed, claim: Box<Finding> },
    /// It cannot be read; that is recorded.
    Undecodable(Undecodable),
    /// It is a finding of another product that is not acted on. That is recorded once for the product.
    Foreign {
        /// It was recorded now.
        is_new: bool,
        /// What is said of the product's findings.
        what: Undecodable,
    },
    /// It turned out to be so many findings more: a sequence has several actors.
    Grows(usize),
    /// GuardDuty did not answer, or does not have it yet: to be asked again.
    Open {
        claim: Box<Claim>,
        /// What GuardDuty answered instead, if it did not answer.
        error: Option<CallError>,
    },
}

impl From<Recorded> for Verification {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::New(finding) => Self::New(finding),
            Recorded::Seen(finding) => Self::Seen(finding),
            Recorded::Undecodable(undecodable) => Self::Undecodable(undecodable),
        }
    }
}

/// Something that cannot be read stands for the rest of what it came in.
pub(super) fn too_many(bytes: &[u8], count: usize) -> Undecodable {
    Undecodable {
        path: "(message)".to_owned(),
        error: format!("{count} items in one message: EventBridge sends one finding in each"),
        finding_id: None,
        sha256: crate::digest::sha256(bytes),
        foreign: None,
    }
}
