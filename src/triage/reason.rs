//! Why nothing is done about a finding.

use crate::ident::{AccountId, RoleName, quoted};
use crate::remedy::Cutoff;
use jiff::SignedDuration;
use std::fmt;

/// Why nothing is done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// It is a sample finding.
    Sample,
    /// A person or a suppression rule archived it.
    Archived,
    /// Another type than those acted on.
    OtherType(String),
    /// It names no principal.
    NoPrincipal,
    /// The credentials are not a role's.
    NotARole(String),
    /// Only the service can change the role.
    ServiceLinkedRole(RoleName),
    /// Only Identity Center can change the role.
    IdentityCenterRole(RoleName),
    /// rescind's own role.
    OwnRole(RoleName),
    /// The configuration says that it is never revoked.
    Protected {
        /// The role.
        role: RoleName,
        /// The pattern that says so.
        pattern: String,
    },
    /// An opt-out says that nothing is done.
    OptedOut {
        /// Its name.
        name: String,
        /// Who answers for it.
        owner: String,
    },
    /// The account is not in the organization.
    UnknownAccount(AccountId),
    /// The account is suspended, closed, or the like.
    AccountNotActive(String),
    /// The credentials were last seen too long ago.
    TooOld {
        /// How long ago.
        age: SignedDuration,
        /// What is allowed.
        max: SignedDuration,
    },
    /// An earlier remediation has revoked these sessions.
    AlreadyRevoked {
        /// Which one.
        remediation: String,
        /// Its cutoff.
        cutoff: Cutoff,
    },
    /// An earlier remediation of the role is not finished; it will revoke these sessions too.
    UnderWay {
        /// Which one.
        remediation: String,
    },
}

impl SkipReason {
    /// Its name in the ledger.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Archived => "archived",
            Self::OtherType(_) => "other_type",
            Self::NoPrincipal => "no_principal",
            Self::NotARole(_) => "not_a_role",
            Self::ServiceLinkedRole(_) => "service_linked_role",
            Self::IdentityCenterRole(_) => "identity_center_role",
            Self::OwnRole(_) => "own_role",
            Self::Protected { .. } => "protected",
            Self::OptedOut { .. } => "opted_out",
            Self::UnknownAccount(_) => "unknown_account",
            Self::AccountNotActive(_) => "account_not_active",
            Self::TooOld { .. } => "too_old",
            Self::AlreadyRevoked { .. } => "already_revoked",
            Self::UnderWay { .. } => "under_way",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample => f.write_str("a sample finding"),
            Self::Archived => f.write_str("archived, by a person or a suppression rule"),
            Self::OtherType(text) => write!(f, "findings of type {} are not acted on", quoted(text)),
            Self::NoPrincipal => f.write_str("the finding names no credentials"),
            Self::NotARole(why) => f.write_str(why),
            Self::ServiceLinkedRole(role) => {
                write!(f, "{role} is a service-linked role: only its service can change it; use an SCP")
            }
            Self::IdentityCenterRole(role) => {
                write!(f, "{role} belongs to Identity Center: revoke the user's sessions there")
            }
            Self::OwnRole(role) => {
                write!(f, "{role} is rescind's own role: if it is stolen, a person must act")
            }
            Self::Protected { role, pattern } => {
                write!(f, "{role} is protected by {}: a person must act", quoted(pattern))
            }
            Self::OptedOut { name, owner } => {
                write!(f, "opt-out {} says off; {} answers for it", quoted(name), quoted(owner))
            }
            Self::UnknownAccount(account) => write!(f, "account {account} is not in the organization"),
            Self::AccountNotActive(state) => write!(f, "the account is {state}, not ACTIVE"),
            Self::TooOld { age, max } => {
                write!(f, "last seen {} ago, and max_finding_age is {}", span(*age), span(*max))
            }
            Self::AlreadyRevoked { remediation, cutoff } => {
                write!(f, "already revoked by {remediation}: its cutoff {cutoff} is after the last activity")
            }
            Self::UnderWay { remediation } => {
                write!(f, "{remediation} is under way for the same role and covers it")
            }
        }
    }
}

/// A time span in its largest whole units: `3d 4h`, `25h` only below a day is `1d 1h`.
fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}
