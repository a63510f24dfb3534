//! What stolen credentials made elsewhere, by CloudTrail: ways in that the deny does not close.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that was made with stolen credentials, or with what they had made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offspring {
    /// What it is.
    pub kind: OffspringKind,
    /// Its ARN; its name, where CloudTrail has no ARN.
    pub name: String,
    /// The access key that came with it: of a session the first one by this name.
    pub access_key: Option<String>,
    /// The call that made it, such as `iam:CreateRole`.
    pub call: String,
    /// When that call was answered.
    pub at: Timestamp,
    /// The access key that signed the call: the stolen one, or one that was made with it.
    pub by: Option<String>,
    /// The address that the call came from.
    pub source_ip: Option<String>,
    /// The region that recorded the call.
    pub region: Option<String>,
    /// CloudTrail's id of the call.
    pub event: String,
}

impl Offspring {
    /// It is the same thing: many sessions by one name are one, and so are many looks at a call.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let keys = (self.kind == OffspringKind::AccessKey).then_some((&self.access_key, &other.access_key));
        self.kind == other.kind && self.name == other.name && keys.is_none_or(|(one, other)| one == other)
    }
}

/// What can be made with stolen credentials, and outlives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OffspringKind {
    /// A role.
    Role,
    /// An IAM user.
    User,
    /// A long-term access key of an IAM user.
    AccessKey,
    /// A console password of an IAM user.
    LoginProfile,
    /// A session: of a role, a user, or a federated user.
    Session,
    /// A console session.
    Console,
}

impl fmt::Display for OffspringKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Role => "role",
            Self::User => "user",
            Self::AccessKey => "access key",
            Self::LoginProfile => "console password",
            Self::Session => "session",
            Self::Console => "console session",
        })
    }
}
