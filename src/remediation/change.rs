//! A change to a principal: what was written, and how it is taken back.

use super::{Cutoff, Means, Target};
use crate::ident::AccountId;
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
    /// The policy that is written or attached.
    pub policy_name: String,
    /// What kind of policy that is; left out for an inline policy.
    #[serde(default, skip_serializing_if = "Means::is_inline")]
    pub means: Means,
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
    /// In a service control policy: the `aws:userid` of whom it denies, in which `*` stands for all sessions of a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
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
    /// Whether it is in the document that denies this target, whose unique id is `id`. An account has one service
    /// control policy for all its principals.
    #[must_use]
    pub fn is_in_document_of(&self, target: &Target, id: &str) -> bool {
        self.means == target.means && (self.means == Means::ServiceControlPolicy || self.id == id)
    }

    /// The policy and what it is on, in words.
    #[must_use]
    pub fn policy(&self) -> String {
        self.means.policy(&self.policy_name, &self.arn)
    }

    /// Whether it denies whatever the time, and so until it is released.
    #[must_use]
    pub fn is_timeless(&self) -> bool {
        let user_id = self.user_id.as_deref().unwrap_or_default();
        self.means == Means::Quarantine || user_id.parse::<AccountId>().is_ok()
    }

    /// What it denies everything to, in words.
    #[must_use]
    pub fn denied(&self) -> String {
        let whose =
            self.session.as_ref().map_or_else(|| "sessions".to_owned(), |one| format!("sessions of {one}"));
        let is_user = self.user_id.as_ref().is_some_and(|id| id.starts_with("AIDA"));
        match self.cutoff {
            _ if self.is_timeless() => "all its credentials, until it is released".to_owned(),
            cutoff if is_user => {
                format!("its keys, until it is released, and sessions issued before {cutoff}")
            }
            cutoff => format!("{whose} issued before {cutoff}"),
        }
    }

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
    /// The name of the policy.
    pub policy_name: String,
    /// What kind of policy that is; left out for an inline policy.
    #[serde(default, skip_serializing_if = "Means::is_inline")]
    pub means: Means,
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

impl Undo {
    /// The policy and what it is on, in words.
    #[must_use]
    pub fn policy(&self) -> String {
        self.means.policy(&self.policy_name, &self.arn)
    }
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
