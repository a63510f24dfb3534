//! A finding that rescind made itself: CloudTrail shows what was opened or made with stolen credentials.

use crate::ident::AccountId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a derived finding follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Derived {
    /// What was opened or made.
    pub what: DerivedKind,
    /// The incident that it belongs to.
    pub incident: String,
    /// The remediation of the credentials that made the call.
    pub from: String,
    /// The rule that led to that one, which says what is done about this.
    pub rule: Option<String>,
    /// The call that opened or made it, such as `sts:AssumeRole`.
    pub call: String,
    /// CloudTrail's id of that call: of its records in two accounts the one that they share.
    pub event: String,
    /// How it came from the stolen credentials to this, those first.
    pub chain: Vec<Link>,
    /// When the session ends; none for what does not end.
    pub expires: Option<Timestamp>,
    /// The thief comes back to this role under one name of a session after the other: to deny one session denies nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renames: bool,
    /// The address that the call came from, when the thief was seen at others only.
    pub elsewhere: Option<String>,
}

/// Credentials on the way to a derived finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The account of the credentials.
    pub account: AccountId,
    /// The ARN of the session or the user; the name, where that is not known.
    pub principal: String,
    /// The access key.
    pub access_key: String,
}

/// What was opened or made with stolen credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DerivedKind {
    /// A session of a role.
    Session,
    /// An access key of an IAM user.
    AccessKey,
    /// An IAM user.
    User,
    /// A role.
    Role,
}

impl DerivedKind {
    /// The type of a finding about it.
    #[must_use]
    pub fn finding_type(self) -> &'static str {
        match self {
            Self::Session => "rescind:Pursuit/SessionOpened",
            Self::AccessKey => "rescind:Pursuit/AccessKeyMade",
            Self::User => "rescind:Pursuit/UserMade",
            Self::Role => "rescind:Pursuit/RoleMade",
        }
    }

    /// SHA-256 of such a finding, by the call that opened or made it. Its id is the first half.
    #[must_use]
    pub fn sha256_of(self, call_id: &str) -> String {
        crate::digest::sha256(format!("{} {call_id}", self.finding_type()).as_bytes())
    }

    /// The id of such a finding.
    #[must_use]
    pub fn id_of(self, call_id: &str) -> String {
        self.sha256_of(call_id).chars().take(32).collect()
    }

    /// The occurrence of such a finding, as [`Finding::occurrence`](super::Finding::occurrence) gives it.
    #[must_use]
    pub fn occurrence_of(self, call_id: &str, at: Timestamp, access_key: Option<&str>) -> String {
        serde_json::json!([self.id_of(call_id), at.to_string(), access_key.unwrap_or("-")]).to_string()
    }
}
