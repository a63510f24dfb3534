//! Why a hub did not do what it was asked for.

use crate::remediation::CallError;
use serde::Deserialize;

/// Why a hub did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// It does not answer.
    #[error("{hub} cannot be reached: {why}")]
    Unreachable { hub: String, why: String },
    /// Nobody whom this machine trusts vouches for its certificate.
    #[error("{hub} cannot be trusted: {why}")]
    Untrusted { hub: String, why: String },
    /// It says no.
    #[error("{0}")]
    Refused(Problem),
    /// Its answer is not that of a hub, or is one of another version.
    #[error("{hub} gave an answer that this version does not understand: {why}")]
    Odd { hub: String, why: String },
    /// There is nothing to sign with.
    #[error("the request cannot be signed: {0}")]
    Unsigned(CallError),
}

/// A refusal, as the API gives it.
#[derive(Debug, Clone, Deserialize, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct Problem {
    pub status: u16,
    pub detail: String,
    pub code: String,
    pub what_to_do: Option<String>,
}

impl HubError {
    /// The code of the refusal, if it is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// What to do about it, where that is known.
    pub fn what_to_do(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.what_to_do.as_deref(),
            Self::Unreachable { .. } => {
                Some("Check the address, the network and the proxy. `rescind run` says where it answers.")
            }
            Self::Untrusted { .. } => Some(
                "Put the certificate of whoever issued it into a PEM file, and name that in AWS_CA_BUNDLE. If it is not yours, somebody stands between.",
            ),
            Self::Odd { .. } => Some("`-o json` gives the hub's own documents."),
            Self::Unsigned(_) => Some("Check the credentials with `aws sts get-caller-identity`."),
        }
    }
}
