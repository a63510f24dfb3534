//! Why something is held, only observed, or not done at all.

use super::budget_usage::BudgetExceeded;
use super::rules::NearMiss;
use crate::ident::{AccountId, RoleName, quoted};
use crate::remediation::{Cutoff, DeniedCall, ReasonCode};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// What says that less may be done than revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The mode of the whole installation.
    Installation,
    /// The rule with this name, in rescind.toml or built in.
    Rule(String),
    /// An opt-out that applies to the finding.
    OptOut {
        /// The name of the opt-out, unique in its file.
        name: String,
        /// Who answers for it.
        owner: String,
    },
    /// What the rule with this name, or the installation, says about what was opened with stolen credentials.
    Pursuit(String),
    /// A tag of the account.
    Tag {
        /// The key of the tag, as `account_tag` of rescind.toml names it.
        key: String,
        /// The value of the tag: a mode.
        value: String,
    },
}

impl Source {
    /// The code for a mode, by what says it.
    fn code(&self, of: [ReasonCode; 5]) -> ReasonCode {
        match self {
            Self::Installation => of[0],
            Self::Rule(_) => of[1],
            Self::OptOut { .. } => of[2],
            Self::Tag { .. } => of[3],
            Self::Pursuit(_) => of[4],
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installation => f.write_str("the mode of this installation"),
            Self::Rule(name) => write!(f, "rule {}", quoted(name)),
            Self::Pursuit(rule) => write!(f, "`pursue` of rule {}", quoted(rule)),
            Self::OptOut { name, owner } => {
                write!(f, "opt-out {} ({} answers for it)", quoted(name), quoted(owner))
            }
            Self::Tag { key, value } => write!(f, "the account's tag {key} = {}", quoted(value)),
        }
    }
}

/// Why rescind cannot do anything about a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsupported {
    /// Only the service can change the role.
    ServiceLinkedRole(RoleName),
    /// Only Identity Center can change the role.
    IdentityCenterRole(RoleName),
    /// No policy of its own account restricts the root user.
    Root,
    /// A session from GetFederationToken.
    FederatedUser(String),
    /// The account is not in the organization.
    ForeignAccount(AccountId),
    /// The finding does not say clearly whose the credentials are.
    Unclear(String),
    /// The identity role of an instance, which no policy of the account restricts.
    InstanceIdentity(String),
    /// It could only be denied by a service control policy, and those do not bind the management account.
    ManagementAccount(AccountId),
}

impl Unsupported {
    /// The code in the ledger.
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::ServiceLinkedRole(_) => ReasonCode::ServiceLinkedRole,
            Self::IdentityCenterRole(_) => ReasonCode::IdentityCenterRole,
            Self::Root => ReasonCode::RootUser,
            Self::FederatedUser(_) => ReasonCode::FederatedUser,
            Self::ForeignAccount(_) => ReasonCode::UnknownAccount,
            Self::Unclear(_) => ReasonCode::PrincipalUnclear,
            Self::InstanceIdentity(_) => ReasonCode::InstanceIdentity,
            Self::ManagementAccount(_) => ReasonCode::ManagementAccount,
        }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceLinkedRole(role) => {
                write!(f, "{role} is a service-linked role: only its service can change it")
            }
            Self::IdentityCenterRole(role) => {
                write!(f, "{role} belongs to Identity Center, and only that can change it")
            }
            Self::Root => f.write_str("no policy of the account restricts its root user"),
            Self::FederatedUser(name) => {
                write!(
                    f,
                    "{} is a federated user, and the finding does not say which IAM user issued the session",
                    quoted(name)
                )
            }
            Self::ForeignAccount(account) => write!(f, "account {account} is not in the organization"),
            Self::Unclear(why) => f.write_str(why),
            Self::ManagementAccount(account) => {
                write!(
                    f,
                    "account {account} manages the organization, and no service control policy binds it"
                )
            }
            Self::InstanceIdentity(instance) => write!(
                f,
                "the credentials are those of the identity role of {instance}, and no policy can be put on that"
            ),
        }
    }
}

/// Why a person is asked first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldReason {
    /// Nobody but a person can do something.
    Unsupported(Unsupported),
    /// One session is to be revoked, and the finding does not name it.
    NoSession {
        /// The rule that says so.
        rule: String,
    },
    /// A service control policy is to be written, and the rule does not say that it is done without asking.
    OrganizationDeny {
        /// The rule that names the remedy.
        rule: String,
    },
    /// The finding names a role, and its principal id does not go with that.
    Doubtful {
        /// The role that the finding names.
        role: RoleName,
        /// What is wrong with the id.
        why: String,
    },
    /// The finding names no credentials, and the principal follows from what was attacked.
    Inferred {
        /// The role or user, in words.
        principal: String,
        /// How it was found.
        how: String,
    },
    /// Another product than GuardDuty says so.
    OtherProduct {
        /// Its name, as Security Hub has it.
        product: String,
    },
    /// The session was opened from another address than those at which the thief was seen.
    Elsewhere {
        /// That address.
        address: String,
    },
    /// The installation's mode, a rule, an opt-out or a tag asks for approval.
    Said(Source),
    /// A rule might be for it, and the finding does not say enough to know.
    Unclear {
        /// The name of the rule that might be for it.
        rule: String,
        /// What the finding leaves open.
        why: String,
    },
    /// A tag of the account has a value that is no mode.
    OddTag {
        /// The key of the tag, as `account_tag` of rescind.toml names it.
        key: String,
        /// The value of the tag, as Organizations has it.
        value: String,
    },
    /// A budget is used up.
    Budget(BudgetExceeded),
    /// It depends on the account's OU or tags, and they cannot be read.
    Unplaced(String),
}

impl HoldReason {
    /// The code in the ledger.
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::Said(source) => source.code([
                ReasonCode::ModeApprove,
                ReasonCode::RuleApprove,
                ReasonCode::OptedOutApprove,
                ReasonCode::TagApprove,
                ReasonCode::PursuitApprove,
            ]),
            Self::Unsupported(unsupported) => unsupported.code(),
            Self::OrganizationDeny { .. } => ReasonCode::OrganizationDeny,
            Self::NoSession { .. } => ReasonCode::NoSession,
            Self::Doubtful { .. } => ReasonCode::PrincipalDoubtful,
            Self::Inferred { .. } => ReasonCode::PrincipalInferred,
            Self::OtherProduct { .. } => ReasonCode::OtherProduct,
            Self::Elsewhere { .. } => ReasonCode::OtherAddress,
            Self::Unclear { .. } => ReasonCode::RuleUnclear,
            Self::OddTag { .. } => ReasonCode::TagUnclear,
            Self::Budget(tripped) => tripped.code(),
            Self::Unplaced(_) => ReasonCode::PlacementUnknown,
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(source) => write!(f, "{source} asks for approval"),
            Self::Unsupported(unsupported) => unsupported.fmt(f),
            Self::OrganizationDeny { rule } => write!(
                f,
                "rule {} denies by a service control policy, which is written after an approval",
                quoted(rule)
            ),
            Self::NoSession { rule } => write!(
                f,
                "rule {} is for one session, and the finding does not name it: approved, all sessions of the role are revoked",
                quoted(rule)
            ),
            Self::Doubtful { role, why } => {
                write!(f, "the finding names role {role}, but {why}: it may be about another principal")
            }
            Self::Elsewhere { address } => write!(
                f,
                "the call came from {address}, and the thief was not seen there: it may be the legitimate user's"
            ),
            Self::Inferred { principal, how } => {
                write!(f, "the finding names no credentials, and {principal} may not be it: {how}")
            }
            Self::OtherProduct { product } => {
                write!(
                    f,
                    "{} says that the credentials are misused, and nothing confirms it",
                    quoted(product)
                )
            }
            Self::Unclear { rule, why } => write!(f, "rule {}: {why}", quoted(rule)),
            Self::OddTag { key, value } => {
                write!(
                    f,
                    "the account's tag {key} = {} is no mode: expected off, observe, approve or enforce",
                    quoted(value)
                )
            }
            Self::Budget(tripped) => tripped.fmt(f),
            Self::Unplaced(what) => {
                write!(f, "{what} cannot be read, so it is not known whether less may be done here")
            }
        }
    }
}

/// Why it is only recorded what would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObserveReason {
    /// The installation's mode, a rule, an opt-out or a tag says `observe`.
    Said(Source),
    /// It was there before this installation began to watch.
    FirstRun {
        /// Since when it watches the region.
        since: Timestamp,
    },
}

impl ObserveReason {
    /// The code in the ledger.
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::Said(source) => source.code([
                ReasonCode::ModeObserve,
                ReasonCode::RuleObserve,
                ReasonCode::OptedOutObserve,
                ReasonCode::TagObserve,
                ReasonCode::PursuitObserve,
            ]),
            Self::FirstRun { .. } => ReasonCode::FirstRun,
        }
    }
}

impl fmt::Display for ObserveReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(Source::Installation) => f.write_str("mode is observe"),
            Self::Said(source) => write!(f, "{source} says observe"),
            Self::FirstRun { since } => write!(
                f,
                "it was there before rescind began to watch ({})",
                since.strftime("%Y-%m-%d %H:%M:%SZ")
            ),
        }
    }
}

/// Why nothing is done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// It is a sample finding.
    Sample,
    /// A person or a suppression rule archived it.
    Archived,
    /// No rule is for it.
    NoRule {
        /// Type of the finding.
        kind: String,
        /// The rule that is for this type, and what kept it from being for this finding.
        near_miss: Option<NearMiss>,
    },
    /// It names no principal.
    NoPrincipal,
    /// The credentials are not a role's.
    NotARole(String),
    /// The rule has no remedy for this kind of principal.
    NoRemedy {
        /// The role or user that the credentials belong to, in words.
        principal: String,
        /// The remedy that would be for it.
        remedy: &'static str,
    },
    /// The role is the hub's, or the remediation role: rescind never revokes its own.
    OwnRole(RoleName),
    /// The configuration says that it is never revoked.
    Protected {
        /// The role or user, in words.
        principal: String,
        /// The pattern that says so.
        pattern: String,
    },
    /// Something says that nothing is done.
    Said(Source),
    /// The account is suspended, closed, or the like.
    AccountNotActive(String),
    /// The session that was opened has ended by itself.
    SessionEnded {
        /// When it ended.
        at: Timestamp,
    },
    /// The credentials were last seen too long ago.
    TooOld {
        /// Time since the credentials were last seen, when it was decided.
        age: SignedDuration,
        /// The maximum, `max_finding_age` of rescind.toml.
        max: SignedDuration,
    },
    /// An earlier remediation has revoked these sessions.
    AlreadyRevoked {
        /// The id of the earlier remediation.
        remediation: String,
        /// The cutoff of its deny: sessions that were issued before it are denied.
        cutoff: Cutoff,
    },
    /// The call that was seen was denied: an earlier remediation works.
    Denied {
        /// The id of the remediation whose deny it was.
        remediation: String,
        /// The call that AWS denied, as the finding reports it.
        call: Box<DeniedCall>,
    },
    /// A person released the remediation, and has seen no more than this.
    Released {
        /// The id of the remediation that was released.
        remediation: String,
        /// When it was released.
        at: Timestamp,
    },
    /// A person has done by hand what was to be done.
    DoneByHand {
        /// The id of the remediation that was answered with `rescind done`.
        remediation: String,
        /// When the person said so.
        at: Timestamp,
    },
    /// An earlier remediation of the role is not finished; it will revoke these sessions too.
    UnderWay {
        /// The id of the remediation that is under way.
        remediation: String,
    },
    /// An earlier remediation of the role waits for a person; it is for these sessions too.
    AwaitingApproval {
        /// The id of the remediation that waits for an answer.
        remediation: String,
    },
}

impl SkipReason {
    /// The code in the ledger.
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::Sample => ReasonCode::Sample,
            Self::Archived => ReasonCode::Archived,
            Self::NoRule { .. } => ReasonCode::OtherType,
            Self::NoPrincipal => ReasonCode::NoPrincipal,
            Self::NotARole(_) => ReasonCode::NotARole,
            Self::NoRemedy { .. } => ReasonCode::NoRemedy,
            Self::OwnRole(_) => ReasonCode::OwnRole,
            Self::Protected { .. } => ReasonCode::Protected,
            // The mode of an installation is never off.
            Self::Said(Source::Installation | Source::Rule(_)) => ReasonCode::RuleOff,
            Self::Said(Source::OptOut { .. }) => ReasonCode::OptedOut,
            Self::Said(Source::Tag { .. }) => ReasonCode::TagOff,
            Self::Said(Source::Pursuit(_)) => ReasonCode::PursuitOff,
            Self::SessionEnded { .. } => ReasonCode::SessionEnded,
            Self::AccountNotActive(_) => ReasonCode::AccountNotActive,
            Self::TooOld { .. } => ReasonCode::TooOld,
            Self::AlreadyRevoked { .. } => ReasonCode::AlreadyRevoked,
            Self::Denied { .. } => ReasonCode::Denied,
            Self::Released { .. } => ReasonCode::Released,
            Self::DoneByHand { .. } => ReasonCode::DoneByHand,
            Self::UnderWay { .. } => ReasonCode::UnderWay,
            Self::AwaitingApproval { .. } => ReasonCode::AwaitingApproval,
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample => f.write_str("a sample finding"),
            Self::Archived => f.write_str("archived, by a person or a suppression rule"),
            Self::NoRule { kind, near_miss: None } => {
                write!(f, "findings of type {} are not acted on: no rule is for them", quoted(kind))
            }
            Self::NoRule { kind, near_miss: Some(near_miss) } => {
                write!(f, "no rule is for this finding of type {}: {near_miss}", quoted(kind))
            }
            Self::NoPrincipal => f.write_str("the finding names no credentials"),
            Self::NotARole(why) => f.write_str(why),
            Self::NoRemedy { principal, remedy } => write!(
                f,
                "the credentials belong to {principal}, and the rule does not have {remedy} among its remedies"
            ),
            Self::OwnRole(role) => {
                write!(f, "{role} is rescind's own role: if it is stolen, a person must act")
            }
            Self::Protected { principal, pattern } => {
                write!(f, "{principal} is protected by {}: a person must act", quoted(pattern))
            }
            Self::Said(source) => write!(f, "{source} says off"),
            Self::AccountNotActive(state) => write!(f, "the account is {state}, not ACTIVE"),
            Self::TooOld { age, max } => {
                write!(f, "last seen {} ago, and max_finding_age is {}", span(*age), span(*max))
            }
            Self::SessionEnded { at } => {
                write!(f, "the session ended by itself {}", at.strftime("%Y-%m-%d %H:%M:%SZ"))
            }
            Self::AlreadyRevoked { remediation, cutoff } => {
                write!(f, "already revoked by {remediation}: its cutoff {cutoff} is after the last activity")
            }
            Self::Denied { remediation, call } => {
                write!(f, "the call that was seen was denied ({}): {remediation} works", call.error_code)
            }
            Self::Released { remediation, at } => write!(
                f,
                "{remediation} was released {}, and nothing was seen since",
                at.strftime("%Y-%m-%d %H:%M:%SZ")
            ),
            Self::DoneByHand { remediation, at } => write!(
                f,
                "a person took care of it by hand {} ({remediation}), and nothing was seen since",
                at.strftime("%Y-%m-%d %H:%M:%SZ")
            ),
            Self::UnderWay { remediation } => {
                write!(f, "{remediation} is under way for the same role and covers it")
            }
            Self::AwaitingApproval { remediation } => {
                write!(f, "{remediation} waits for approval for the same role and covers it")
            }
        }
    }
}

/// A time span in its largest whole units: `3d 4h`, `25h` only below a day is `1d 1h`.
pub(super) fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}
