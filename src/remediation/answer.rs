//! What a person answers.

use super::State;
use crate::finding::{Order, OrderedBy};
use crate::identity::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A release that a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseAsked {
    /// Who asks, and why.
    #[serde(flatten)]
    pub answer: Answer,
    /// Also when somebody else changed the policy since.
    pub force: bool,
    /// Also for the other stolen keys that the remediation covers.
    pub attached: bool,
    /// The state of the remediation when it was asked for.
    pub was: State,
}

/// An answer to a held remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Who answers for it, as they say.
    pub by: String,
    /// Their reason, in their words.
    pub reason: String,
    /// The user of the operating system that it came from; empty where it came over the network.
    pub os_user: String,
    /// The AWS identity that it came from, where it was asked for.
    pub aws_identity: Option<String>,
    /// Who it is by a proof that rescind checked, where the answer came by the console or the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The entry with the planned change that was judged.
    pub judged: Option<i64>,
}

impl Answer {
    /// The same person gave both, as far as that is known: by what they proved, or else by their user on the host. Names
    /// that somebody typed count where there is neither.
    #[must_use]
    pub fn is_by_whom(&self, other: &Self) -> bool {
        same_person(
            (self.identity.as_ref(), &self.os_user, &self.by),
            (other.identity.as_ref(), &other.os_user, &other.by),
        )
    }

    /// The person who gave the answer gave this order.
    #[must_use]
    pub fn is_by_whom_ordered(&self, order: &Order) -> bool {
        let OrderedBy::Person { by, os_user, identity, .. } = &order.from else { return false };
        same_person((self.identity.as_ref(), &self.os_user, &self.by), (identity.as_ref(), os_user, by))
    }
}

fn same_person(one: (Option<&Identity>, &str, &str), other: (Option<&Identity>, &str, &str)) -> bool {
    match (one, other) {
        ((Some(one), ..), (Some(other), ..)) => one.is_same_as(other),
        ((None, user, one), (None, other_user, other)) => {
            user == other_user && (!user.is_empty() || one == other)
        }
        ((Some(_), ..), (None, ..)) | ((None, ..), (Some(_), ..)) => false,
    }
}

/// Name in `by` of the answer that is recorded when nobody answers in time.
pub const NOBODY: &str = "nobody";
