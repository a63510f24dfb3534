//! An AWS call: what it was made for, what came of it, and why it failed.

use crate::fence::Fence;
use crate::ident::{AccountId, Region};
use crate::safe::line;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a call is made for.
#[derive(Debug, Clone, Default)]
pub struct CallScope {
    /// The remediation that it serves.
    pub remediation: Option<String>,
    /// The finding that it serves.
    pub finding: Option<String>,
}

/// A call that was made, or at least tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The service, as in IAM actions: `iam`.
    pub service: String,
    /// The operation, as in IAM actions: `PutRolePolicy`.
    pub operation: String,
    /// The account that it acted in.
    pub account: Option<AccountId>,
    /// The region of the endpoint.
    pub region: Region,
    /// AWS's id of the last attempt. It finds the call in `CloudTrail`.
    pub request_id: Option<String>,
    /// HTTP status of the last attempt.
    pub status: Option<u16>,
    /// How many times the request was sent.
    pub attempts: u32,
    /// From the first attempt to the answer, in milliseconds.
    pub duration_ms: u64,
    /// The result of the call.
    pub result: CallResult,
}

/// The services in which another host might change the same as well. What is sent to a queue, a topic or a bus twice
/// does no harm.
const CHANGEABLE: [&str; 4] = ["iam", "organizations", "guardduty", "securityhub"];

/// How the operations begin that change nothing.
const READS: [&str; 5] = ["Get", "List", "Describe", "Simulate", "Generate"];

/// Whether an operation changes something that others depend on.
#[must_use]
pub fn is_change(service: &str, operation: &str) -> bool {
    CHANGEABLE.contains(&service) && !READS.iter().any(|verb| operation.starts_with(verb))
}

/// Whether a code asks to slow down.
#[must_use]
pub fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException"
            | "LimitExceededException"
            | "BandwidthLimitExceeded"
            | "ProvisionedThroughputExceededException"
            | "TransactionInProgressException"
    )
}

impl CallRecord {
    /// Whether it was to change something.
    #[must_use]
    pub fn is_change(&self) -> bool {
        is_change(&self.service, &self.operation)
    }

    /// Whether it met a fault of the service or the network: no answer, an error of the server, throttling after all
    /// retries. What AWS answers otherwise, if only by a no, is none.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        let CallResult::Error { code, .. } = &self.result else { return false };
        match (code.as_deref(), self.status) {
            (_, Some(status)) if status >= 500 || matches!(status, 408 | 425 | 429) => true,
            (Some(code), _) => is_throttling(code),
            // Without a code it was not AWS who answered.
            (None, status) => status.is_none_or(|status| status >= 300),
        }
    }

    /// AWS's code and message, or what kept the call from being answered; none when it was carried out.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        match &self.result {
            CallResult::Ok => None,
            CallResult::Error { code: Some(code), message } => Some(format!("{code}: {message}")),
            CallResult::Error { code: None, message } => Some(message.clone()),
        }
    }
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// AWS carried it out.
    Ok,
    /// AWS refused it, or did not answer.
    Error {
        /// AWS's code, when AWS answered.
        code: Option<String>,
        /// AWS's message, or what kept the call from being answered.
        message: String,
    },
}

/// Where call records go.
pub trait CallSink: std::fmt::Debug + Send + Sync {
    /// Takes a record. It must not block; records of one task keep their order.
    fn record(&self, scope: &CallScope, call: CallRecord);

    /// What has to be open for a call that changes something; none when nothing has to.
    fn fence(&self) -> Option<Arc<Fence>> {
        None
    }
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The configured CA certificates cannot be used: nothing was sent.
    BadCaBundle,
    /// No credentials were found, or their source failed.
    NoCredentials,
    /// The credentials are expired or unknown to AWS.
    BadCredentials,
    /// Not authorized. IAM does not model this error: it is recognized by its code.
    Denied,
    /// What the call is about does not exist (`NoSuchEntity`).
    NotFound,
    /// A quota of the account or the principal is used up (`LimitExceeded`).
    Quota,
    /// `UnmodifiableEntity`: a role that only its service can change.
    Unmodifiable,
    /// The request was signed too far from AWS's own time.
    ClockSkewed,
    /// The region is an opt-in region that is not enabled.
    RegionDisabled,
    /// AWS asked to slow down, after the SDK's own retries.
    Throttled,
    /// No answer, or a server error, after the SDK's own retries.
    Unavailable,
    /// What AWS has is not what was put there.
    Malformed,
    /// AWS refused the request as such.
    Refused,
}

impl ErrorKind {
    /// Whether it is about who asks and what they may do, and not about what AWS has or whether it answers.
    #[must_use]
    pub fn is_of_who_asks(self) -> bool {
        matches!(
            self,
            Self::BadCaBundle | Self::NoCredentials | Self::BadCredentials | Self::Denied | Self::ClockSkewed
        )
    }
}

/// A call that AWS refused or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service}:{operation}: {}", line(&[code.as_deref().unwrap_or_default(), message].join(if code.is_some() { ": " } else { "" })))]
pub struct CallError {
    /// The service, as in IAM actions: `iam`.
    pub service: &'static str,
    /// The operation, as in IAM actions: `PutRolePolicy`.
    pub operation: &'static str,
    /// The class of the error: what is done about it depends on that.
    pub kind: ErrorKind,
    /// AWS's code, when AWS answered.
    pub code: Option<String>,
    /// AWS's message, or what kept the call from being answered. At most 500 characters.
    pub message: String,
}

impl CallError {
    /// The IAM action that the call needs, for a message: `iam:PutRolePolicy`.
    #[must_use]
    pub fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether a retry may succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unavailable)
    }
}
