//! A call that matters, made with credentials that a thief has.

use super::Thing;
use super::event::TrailEvent;
use crate::ident::AccountId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A call that matters, made with credentials that a thief has. All texts have at most 300 characters; none of them
/// is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// What it means.
    pub meaning: Meaning,
    /// What it is about.
    pub thing: Thing,
    /// The call, such as `iam:CreateRole`, without the version that Lambda writes behind it.
    pub call: String,
    /// When AWS answered the call.
    pub at: Timestamp,
    /// The account whose CloudTrail has it: the caller's.
    pub account: Option<AccountId>,
    /// The region that recorded the call.
    pub region: Option<String>,
    /// The access key that signed the call.
    pub by: Option<String>,
    /// The caller's ARN.
    pub who: Option<String>,
    /// The address that the call came from, or the service that made it.
    pub source_ip: Option<String>,
    /// CloudTrail's id of the call.
    pub event: String,
    /// The id that the records of one call share when it was recorded in two accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_event: Option<String>,
    /// AWS's code, when the call failed: then nothing came of it.
    pub error_code: Option<String>,
    /// The ARN of what it is about; its name, where CloudTrail has no ARN.
    pub object: Option<String>,
    /// The names that the commands of its door need, such as `role`, `policy`, `key`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// Whom it lets in from outside its account: ARNs, accounts, `*`, hosts of identity providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<String>,
    /// The session that it opened, or the long-term key that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
}

/// Credentials that a call gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The access key: `ASIA…` of a session, `AKIA…` of a user.
    pub access_key: String,
    /// The ARN of the session, or of the user.
    pub arn: Option<String>,
    /// The principal id: `AROA…:<session name>` of a role's session.
    pub principal_id: Option<String>,
    /// When they end; none when they do not, or that is not known.
    pub expires: Option<Timestamp>,
}

/// What a call means when a thief made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It opens a session.
    OpensSession,
    /// It makes a way in for later.
    Persists,
    /// It keeps others from seeing what is done.
    Blinds,
    /// It takes secrets or data.
    Takes,
}

impl Meaning {
    /// Its name, as in JSON and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpensSession => "opens_session",
            Self::Persists => "persists",
            Self::Blinds => "blinds",
            Self::Takes => "takes",
        }
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OpensSession => "opens a session",
            Self::Persists => "persistence",
            Self::Blinds => "blinds",
            Self::Takes => "takes",
        })
    }
}

impl Activity {
    /// Whether AWS did what was asked for.
    #[must_use]
    pub fn worked(&self) -> bool {
        self.error_code.is_none()
    }

    /// The id by which it is one call, in whichever account it was recorded.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.shared_event.as_deref().unwrap_or(&self.event)
    }

    /// An activity with what an event says of it.
    pub(super) fn of(event: &TrailEvent, meaning: Meaning, thing: Thing) -> Self {
        Self {
            meaning,
            thing,
            call: event.event.clone(),
            at: event.time,
            account: None,
            region: event.region.clone(),
            by: event.access_key.clone(),
            who: event.who.clone(),
            source_ip: event.source_ip.clone(),
            event: event.id.clone(),
            shared_event: None,
            error_code: event.error_code.clone(),
            object: None,
            names: BTreeMap::new(),
            outside: Vec::new(),
            opened: None,
        }
    }
}
