//! How far a revocation is proved.

use clap::ValueEnum;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::de::value::Error as Unknown;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far a revocation is proved. Each rung is seen, not supposed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// the policy was read back as written
    Present,
    /// IAM's simulator denies an old session, not a new one
    Simulated,
    /// a call with the stolen key was denied
    Enforced,
}

impl Rung {
    /// Every rung, the lowest first.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for Rung {
    type Err = Unknown;
    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::deserialize(text.into_deserializer())
    }
}

/// What IAM's policy simulator decides about a call (SimulatePrincipalPolicy: `EvalDecision`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SimulatedDecision {
    /// The call would be made.
    Allowed,
    /// No policy allows it.
    ImplicitDeny,
    /// A policy denies it.
    ExplicitDeny,
    /// Its answers differ, for example by resource.
    Mixed,
}

impl fmt::Display for SimulatedDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a look at the change saw. (AWS's acceptance alone is no rung: it is where looking begins.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// It is there, and this far it is proved.
    Proved(Box<Proof>),
    /// Something else is there, or nothing.
    Missing(String),
    /// It could not be looked at.
    Unread(String),
}

/// How far a change is proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The highest rung reached.
    pub rung: Rung,
    /// When that was seen, by AWS's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The simulator's answer for a token issued just before the cutoff.
    pub old_token: Option<SimulatedDecision>,
    /// The simulator's answer for a token issued just after the cutoff.
    pub new_token: Option<SimulatedDecision>,
    /// The simulator's answer for an old token of another session, when only one session is denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_session: Option<SimulatedDecision>,
    /// The denied call that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<DeniedCall>,
    /// Why no higher rung was reached.
    pub note: Option<String>,
}

impl Proof {
    /// A proof from the policy as it is read back, and from the simulator's answers.
    #[must_use]
    pub fn new(rung: Rung, note: Option<String>, at: Timestamp) -> Self {
        let at = Some(at);
        Self { rung, at, old_token: None, new_token: None, other_session: None, denied: None, note }
    }

    /// A call with the stolen key was denied.
    #[must_use]
    pub fn enforced(denied: DeniedCall, at: Timestamp) -> Self {
        Self { denied: Some(denied), ..Self::new(Rung::Enforced, None, at) }
    }

    /// The simulator was asked, and still allows the old session: it is not called revoked.
    #[must_use]
    pub fn is_contradicted(&self) -> bool {
        self.rung == Rung::Present && self.old_token == Some(SimulatedDecision::Allowed)
    }
}

/// A call with a stolen key that was denied after the change was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeniedCall {
    /// Who reported it: `guardduty` or `cloudtrail`.
    pub source: String,
    /// Id of the stolen access key.
    pub access_key: String,
    /// The call, if the report names it: `s3:ListBuckets`.
    pub api: Option<String>,
    /// The error that the caller got.
    pub error_code: String,
    /// When the call was made.
    pub at: Timestamp,
    /// The finding, or the id of CloudTrail's event.
    pub id: String,
}

impl DeniedCall {
    /// The code says that the call was not authorized. Services word it differently (see the service's
    /// "Common errors"); CloudTrail puts `Client.` before EC2's.
    #[must_use]
    pub fn is_denial(code: &str) -> bool {
        let code = code.strip_prefix("Client.").unwrap_or(code);
        matches!(
            code,
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AccessDeniedFault"
        )
    }
}
