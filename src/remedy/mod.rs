//! Remedies: what is done to a principal, and how far it is proved.
//!
//! A remedy has the same parts whatever it does: a session policy that confines it, a look at
//! what is there ([`Remedy::inspect`]), a pure [`Remedy::plan`], [`Remedy::apply`], and
//! [`Remedy::verify`]. It does not know where findings come from, and it writes no ledger.

mod cutoff;
mod document;
mod refusal;
mod role_sessions;

pub use cutoff::Cutoff;
pub use document::{POLICY_NAME, cutoff_in, in_force, is_ours, revoke_document};
pub use refusal::{Disposition, Refusal};
pub use role_sessions::RoleSessions;

use crate::aws::{MemberSession, RoleFacts};
use crate::ident::{AccountId, Partition, RoleId, RoleName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whom a remedy is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The partition of the account.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The role in it.
    pub role: RoleName,
    /// The role's unique id, where the finding tells it.
    pub role_id: Option<RoleId>,
}

/// What is there before anything is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The role.
    pub role: RoleFacts,
    /// The document under our policy name, if there is one.
    pub document: Option<String>,
}

/// A change that is planned: everything needed to make it, check it and undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The role.
    pub role: RoleName,
    /// Its ARN, with the path.
    pub role_arn: String,
    /// Its unique id.
    pub role_id: RoleId,
    /// The inline policy that is written.
    pub policy_name: String,
    /// Its text before; none when there was none.
    pub before: Option<String>,
    /// Its text after.
    pub after: String,
    /// Sessions whose token was issued before this are revoked.
    pub cutoff: Cutoff,
    /// Something that a reader should know.
    pub note: Option<String>,
}

/// How far a revocation is proved. Each rung is seen, not supposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The document was read back as written.
    Present,
    /// The policy simulator denies the old token and does not deny a new one.
    Simulated,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Present => "present",
            Self::Simulated => "simulated",
        })
    }
}

/// What a look at the change saw. (AWS's yes alone is no rung: it is where looking begins.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// It is there, and this far it is proved.
    Proved(Proof),
    /// Something else is there, or nothing.
    Missing(String),
    /// It could not be looked at.
    Unread(String),
}

/// How far a change is proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The highest rung reached.
    pub rung: Rung,
    /// The simulator's answer for a token issued just before the cutoff.
    pub old_token: Option<String>,
    /// The simulator's answer for a token issued just after the cutoff.
    pub new_token: Option<String>,
    /// Why no higher rung was reached.
    pub note: Option<String>,
}

/// A way of taking credentials back.
pub trait Remedy: Send + Sync {
    /// Its name in rules and in the ledger.
    fn name(&self) -> &'static str;

    /// What a member session may do at most, to carry this remedy out on `target`.
    fn session_policy(&self, target: &Target) -> String;

    /// Looks at what is there.
    fn inspect(
        &self,
        session: &MemberSession,
        target: &Target,
    ) -> impl Future<Output = Result<Found, Refusal>> + Send;

    /// What to change, given what is there and AWS's time. Pure.
    fn plan(&self, target: &Target, found: &Found, aws_now: jiff::Timestamp) -> Change;

    /// Makes the change. Doing it twice is the same as doing it once.
    fn apply(
        &self,
        session: &MemberSession,
        change: &Change,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Looks how far the change is in force.
    fn verify(&self, session: &MemberSession, change: &Change) -> impl Future<Output = Verified> + Send;
}
