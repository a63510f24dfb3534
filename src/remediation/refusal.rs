//! Why a remedy was not carried out, and what a person must do about it.

use super::{CallError, ErrorKind, ReasonCode, RefusalCode, RefusedBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The service whose calls the hub makes itself.
const ORGANIZATIONS: &str = "organizations";

/// Why a remedy was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The member account cannot be entered.
    EntryDenied(CallError),
    /// The remediation role may not do what the remedy needs.
    Denied(CallError),
    /// There is no role or user of that name.
    Gone(Kind),
    /// It was deleted and recreated: the stolen sessions ended with the old one.
    Recreated {
        /// The id in the finding.
        expected: String,
        /// The id of what is there now.
        found: String,
    },
    /// The access key that was ordered to be deactivated is not the user's.
    NoSuchKey {
        /// Name of the user.
        user: String,
        /// Id of the key.
        key: String,
    },
    /// The configuration says that the role is never revoked.
    Protected {
        /// The role, with its path.
        arn: String,
        /// The pattern that says so.
        pattern: String,
    },
    /// A role that only an AWS service or Identity Center can change.
    Unmodifiable(String),
    /// The role's inline policies have no room left.
    Quota(CallError),
    /// The policy that is to be attached is not there, or does not deny everything.
    NoQuarantine(String),
    /// A control policy of our name exists, and somebody else wrote it or uses it.
    NotOurs(String),
    /// AWS accepted the change, and it is not there: somebody or something takes it away.
    NotKept(String),
    /// AWS did not answer, or asked to slow down.
    Unavailable(CallError),
    /// The hub's own credentials are missing or expired.
    HubCredentials(CallError),
    /// AWS refused the request for another reason.
    Rejected(CallError),
}

/// What kind of principal it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A role, or sessions of one.
    Role,
    /// An IAM user, or its access keys.
    User,
}

impl Kind {
    /// The kind of principal, by the prefix of its unique id: `AIDA…` is a user's.
    fn of_id(id: &str) -> Self {
        if id.starts_with("AIDA") { Self::User } else { Self::Role }
    }

    /// The kind that an IAM operation is about.
    fn of_operation(operation: &str) -> Self {
        if operation.contains("User") || operation.contains("AccessKey") { Self::User } else { Self::Role }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
        }
    }
}

/// What happens next to a remediation that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Tried again by itself, the later the more often it failed.
    Retry,
    /// A person must change something; tried again at each start, and every hour.
    Blocked,
    /// Nothing more to do here.
    Final,
}

impl Refusal {
    /// From a call inside the member account.
    #[must_use]
    pub fn from_call(error: CallError) -> Self {
        match error.kind {
            ErrorKind::Denied => Self::Denied(error),
            // A control policy that somebody deleted a moment ago is made again.
            ErrorKind::NotFound if error.service == ORGANIZATIONS => Self::Unavailable(error),
            ErrorKind::NotFound => Self::Gone(Kind::of_operation(error.operation)),
            ErrorKind::Unmodifiable => Self::Unmodifiable(error.to_string()),
            ErrorKind::Quota => Self::Quota(error),
            ErrorKind::Throttled
            | ErrorKind::Malformed
            | ErrorKind::Unavailable
            | ErrorKind::BadCredentials
            | ErrorKind::ClockSkewed => Self::Unavailable(error),
            ErrorKind::NoCredentials | ErrorKind::BadCaBundle => Self::HubCredentials(error),
            ErrorKind::RegionDisabled | ErrorKind::Refused => Self::Rejected(error),
        }
    }

    /// The refusal that a failed AssumeRole is.
    #[must_use]
    pub fn from_entry(error: CallError) -> Self {
        match error.kind {
            ErrorKind::Denied => Self::EntryDenied(error),
            ErrorKind::BadCredentials => Self::HubCredentials(error),
            _ => Self::from_call(error),
        }
    }

    /// The code in the ledger.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::EntryDenied(_) => RefusalCode::EntryDenied,
            Self::Denied(_) => RefusalCode::AccessDenied,
            Self::Gone(Kind::Role) => RefusalCode::RoleGone,
            Self::Gone(Kind::User) => RefusalCode::UserGone,
            Self::Recreated { found, .. } => match Kind::of_id(found) {
                Kind::Role => RefusalCode::RoleRecreated,
                Kind::User => RefusalCode::UserRecreated,
            },
            Self::NoSuchKey { .. } => RefusalCode::NoSuchKey,
            Self::Protected { .. } => RefusalCode::RoleProtected,
            Self::Unmodifiable(_) => RefusalCode::Unmodifiable,
            Self::Quota(_) => RefusalCode::QuotaExceeded,
            Self::NoQuarantine(_) => RefusalCode::NoQuarantine,
            Self::NotOurs(_) => RefusalCode::NotOurs,
            Self::NotKept(_) => RefusalCode::NotKept,
            Self::Unavailable(_) => RefusalCode::Unavailable,
            Self::HubCredentials(_) => RefusalCode::HubCredentials,
            Self::Rejected(_) => RefusalCode::Rejected,
        }
    }

    /// Whether it is retried, waits for a person, or ends the remediation.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::NotKept(_) | Self::Unavailable(_) | Self::HubCredentials(_) => Disposition::Retry,
            Self::EntryDenied(_)
            | Self::Denied(_)
            | Self::Quota(_)
            | Self::NoQuarantine(_)
            | Self::NotOurs(_)
            | Self::Rejected(_) => Disposition::Blocked,
            Self::Gone(_)
            | Self::Recreated { .. }
            | Self::NoSuchKey { .. }
            | Self::Protected { .. }
            | Self::Unmodifiable(_) => Disposition::Final,
        }
    }

    /// What a person must do. `role_arn` is the remediation role's.
    #[must_use]
    pub fn what_to_do(&self, role_arn: &str) -> String {
        match self {
            Self::EntryDenied(_) => format!(
                "Make sure that {role_arn} exists, that its trust policy names the hub's role, the external id and \
                 sts:SetSourceIdentity, and that no SCP forbids it. StackSets do not reach the management account: \
                 it needs a stack of its own."
            ),
            Self::Denied(error) if error.service == ORGANIZATIONS => format!(
                "Allow {} to the hub's role, in its own policy and in the organization's delegation policy (`rescind policies print \
                 organization-deny`).",
                error.action()
            ),
            Self::Denied(error) => format!("Allow {} to {role_arn}, and see that no SCP or boundary denies it.", error.action()),
            Self::Gone(kind) => {
                format!("Check the name, if it was ordered or inferred: the {} may be called otherwise, and is not revoked then. If it was deleted, find out who did that: its sessions and keys are dead with it.", kind.word())
            }
            Self::Recreated { found, .. } => {
                let kind = Kind::of_id(found).word();
                format!("Check who deleted and made the {kind} again. Sessions of the old {kind} are dead with it; the new {kind} was not touched.")
            }
            Self::NoSuchKey { key, .. } => format!(
                "Find out whose key it is: `aws iam get-access-key-last-used --access-key-id {key}` in the account names the user. Then order it for that user."
            ),
            Self::Protected { .. } => "Judge by hand: a protected role is never revoked by rescind.".to_owned(),
            Self::Unmodifiable(_) => {
                "This role can only be changed by the service that owns it. For an Identity Center role revoke the \
                 user's sessions in Identity Center; a service-linked role goes with the feature that owns it."
                    .to_owned()
            }
            Self::Quota(error) if error.service == ORGANIZATIONS => {
                "Make room: release older remediations of this account, or detach a service control policy from it. An account takes 10, and each has \
                 10,240 characters.".to_owned()
            }
            Self::Quota(error) if error.operation.starts_with("Attach") => {
                "Make room: detach a managed policy from it, or ask AWS for a higher quota (10 attached by default).".to_owned()
            }
            Self::NotOurs(name) => format!("Find out who made the service control policy {name}, and rename or delete it."),
            Self::NoQuarantine(_) => "Deploy the member role's stack again: it brings the policy rescind/Quarantine along. Find out who changed or deleted it.".to_owned(),
            Self::Quota(_) => "Make room: move an inline policy into a managed policy. IAM allows a role 10,240 characters of inline policies, a user 2,048.".to_owned(),
            Self::NotKept(_) => format!(
                "Find out who takes the policy away (CloudTrail: DeleteRolePolicy, PutRolePolicy; for a user DeleteUserPolicy, PutUserPolicy, UpdateAccessKey) and stop \
                 them: the thief, or a tool that owns all inline policies. It is written again and again. \
                 {role_arn} must be the only one that may."
            ),
            Self::Unavailable(error) if error.kind == ErrorKind::ClockSkewed => {
                "Set this machine's clock: AWS refuses what is signed more than five minutes away from its own time."
                    .to_owned()
            }
            Self::Unavailable(_) => "Nothing yet: it is tried again by itself.".to_owned(),
            Self::HubCredentials(_) => "Renew the hub's own credentials, if they do not renew themselves. It is tried again until then.".to_owned(),
            Self::Rejected(_) => "Read AWS's message: the request itself was refused.".to_owned(),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EntryDenied(error) => write!(f, "the account cannot be entered: {error}"),
            Self::Denied(error) if error.service == ORGANIZATIONS => {
                write!(f, "the hub may not do this: {error}")
            }
            Self::Denied(error) => write!(f, "the remediation role may not do this: {error}"),
            Self::NoQuarantine(why) => f.write_str(why),
            Self::NotOurs(name) => {
                write!(
                    f,
                    "a service control policy {name} exists that rescind did not write, or that is attached elsewhere"
                )
            }
            Self::Quota(error) if error.service == ORGANIZATIONS => {
                write!(f, "the account's service control policies are full: {error}")
            }
            Self::Gone(kind) => write!(f, "the {} does not exist", kind.word()),
            Self::Recreated { expected, found } => {
                let kind = Kind::of_id(found).word();
                write!(
                    f,
                    "the {kind} was made again since: the finding names {expected}, the {kind} is {found}"
                )
            }
            Self::NoSuchKey { user, key } => {
                write!(f, "user {user} has no access key {key}: nothing was changed")
            }
            Self::Protected { arn, pattern } => write!(f, "{arn} is protected by {pattern:?}"),
            Self::Unmodifiable(why) => write!(f, "it cannot be changed: {why}"),
            Self::Quota(error) if error.operation.starts_with("Attach") => {
                write!(f, "it has as many managed policies as it may have: {error}")
            }
            Self::Quota(error) => write!(f, "the inline policies are full: {error}"),
            Self::NotKept(found) => write!(f, "AWS accepted the change, and it is not kept: {found}"),
            Self::Unavailable(error) => write!(f, "AWS did not do it: {error}"),
            Self::HubCredentials(error) => write!(f, "the hub has no usable credentials: {error}"),
            Self::Rejected(error) => write!(f, "AWS refused the request: {error}"),
        }
    }
}

/// A refusal, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// The code of the reason.
    pub code: RefusedBy,
    /// The reason in words.
    pub reason: String,
    /// What a person must do.
    pub what_to_do: String,
    /// Whether it is retried, waits for a person, or has ended.
    pub disposition: Disposition,
}

impl Refused {
    /// Whether what the remediation took care of as well is on its own again: it ended in vain, and they may be
    /// about another principal of that name. What is too old is so with everything that it took care of.
    #[must_use]
    pub fn frees_covered(&self) -> bool {
        self.disposition == Disposition::Final && self.code != RefusedBy::Triage(ReasonCode::TooOld)
    }

    /// From a remedy's refusal. `role_arn` is the remediation role's.
    #[must_use]
    pub fn new(refusal: &Refusal, role_arn: &str) -> Self {
        Self {
            code: RefusedBy::Remedy(refusal.code()),
            reason: refusal.to_string(),
            what_to_do: refusal.what_to_do(role_arn),
            disposition: refusal.disposition(),
        }
    }
}
