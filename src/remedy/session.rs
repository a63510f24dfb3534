//! What a remedy works through: a session in the member account, or the organization.

use super::confine::Purpose;
use crate::aws::{AccountPolicy, MemberSession};
use jiff::Timestamp;

/// What a remedy works through, for one principal and one purpose.
#[derive(Debug)]
pub enum Session {
    /// In the principal's account.
    Member(Box<MemberSession>),
    /// From the hub, to the account's service control policy; and into the account to look at a role or user.
    Organization(Box<AccountPolicy>, Option<Box<MemberSession>>),
}

impl Session {
    /// AWS's time.
    #[must_use]
    pub fn aws_now(&self) -> Timestamp {
        match self {
            Self::Member(session) => session.aws_now(),
            Self::Organization(policy, _) => policy.aws_now(),
        }
    }

    /// The session in the principal's account, if there is one.
    #[must_use]
    pub fn member(&self) -> Option<&MemberSession> {
        match self {
            Self::Member(session) => Some(session),
            Self::Organization(_, session) => session.as_deref(),
        }
    }
}

/// The purpose of the session in the member account when the deny itself is not written there.
pub(super) fn beside_the_organization(purpose: Purpose) -> Purpose {
    match purpose {
        Purpose::Revoke | Purpose::Undo => Purpose::Look,
        other => other,
    }
}
