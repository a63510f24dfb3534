//! A change to a principal: what was written, and how it is taken back.

use super::Cutoff;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A change that is planned: everything needed to make it, check it and undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The role's name; of a user `user/` and the name.
    #[serde(alias = "role")]
    pub name: String,
    /// The ARN, with the path.
    #[serde(alias = "role_arn")]
    pub arn: String,
    /// The principal's unique id: `AROA…` or `AIDA…`.
    #[serde(alias = "role_id")]
    pub id: String,
    /// The inline policy that is written.
    pub policy_name: String,
    /// Its text before; none when there was none.
    pub before: Option<String>,
    /// The text of the policy after the change.
    pub after: String,
    /// Sessions whose token was issued before this are revoked.
    #[schemars(with = "jiff::Timestamp")]
    pub cutoff: Cutoff,
    /// Only the session with this `aws:userid`; none for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The access key that is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyChange>,
    /// Something that a reader should know.
    pub note: Option<String>,
}

/// An access key that is deactivated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyChange {
    /// Id of the access key.
    pub id: String,
    /// It was active, and it is this change that deactivates it.
    pub was_active: bool,
    /// The user has no other active key.
    pub is_last: bool,
}

impl Change {
    /// Whether it is a change to a user, and not to a role.
    #[must_use]
    pub fn is_of_user(&self) -> bool {
        self.name.starts_with("user/")
    }
}

/// The undoing of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The ARN, with the path.
    pub arn: String,
    /// The name of the inline policy.
    pub policy_name: String,
    /// Its text as it was found.
    pub found: Option<String>,
    /// Its text as it is left; none when it is removed.
    pub leave: Option<String>,
    /// What somebody else had written under our name: it is not restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<String>,
    /// The access key that is activated again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactivate: Option<String>,
    /// Something that a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A change that was begun, of any remediation of the same principal, in the order of their intents.
#[derive(Debug, Clone)]
pub struct Past {
    /// Id of the remediation that made the change.
    pub remediation: String,
    /// The entry of its intent.
    pub seq: i64,
    /// What was planned and begun.
    pub change: Change,
    /// The entry with which its remediation was in force for the first time.
    pub since: Option<i64>,
    /// Its effect is not undone.
    pub live: bool,
    /// It is in force, or is to be.
    pub wants: bool,
    /// The entry with which it was undone.
    pub undone: Option<i64>,
}
