//! What can go wrong with a call, in the classes that matter here.

use crate::remediation::{CallError, ErrorKind, is_throttling};
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::time::Duration;

/// The SDK's error type over HTTP.
pub(super) type SdkError<E> = result::SdkError<E, HttpResponse>;

impl CallError {
    /// From an SDK error.
    pub(super) fn new<E>(service: &'static str, operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let answer = error.as_service_error();
        let code = answer.and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let message = match answer {
            Some(answer) => answer.message().unwrap_or("AWS gave no message").to_owned(),
            None => causes(error),
        };
        let kind = match classify(code.as_deref(), status, error) {
            ErrorKind::BadCredentials | ErrorKind::Denied if is_about_time(&message) => {
                ErrorKind::ClockSkewed
            }
            kind => kind,
        };
        Self { service, operation, kind, code, message: message.chars().take(500).collect() }
    }
}

fn classify(code: Option<&str>, status: Option<u16>, error: &(dyn Error + 'static)) -> ErrorKind {
    match (code, status) {
        (Some(code), _) if is_throttling(code) => ErrorKind::Throttled,
        (Some("RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture"), _) => ErrorKind::ClockSkewed,
        (
            Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AccessDeniedFault"),
            _,
        ) => ErrorKind::Denied,
        (
            Some(
                "ExpiredToken"
                | "ExpiredTokenException"
                | "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "SignatureDoesNotMatch"
                | "InvalidSignatureException"
                | "AuthFailure"
                | "IncompleteSignature",
            ),
            _,
        ) => ErrorKind::BadCredentials,
        (Some("NoSuchEntity" | "PolicyNotFoundException"), _) => ErrorKind::NotFound,
        // Of Organizations': an account has room for 10 policies, and a policy for 10,240 characters.
        (Some("LimitExceeded" | "ConstraintViolationException"), _) => ErrorKind::Quota,
        (Some("UnmodifiableEntity"), _) => ErrorKind::Unmodifiable,
        (Some("RegionDisabledException"), _) => ErrorKind::RegionDisabled,
        // IAM answers these while another change of the same role is under way.
        (
            Some(
                "ConcurrentModification"
                | "ConcurrentModificationException"
                | "PolicyChangesInProgressException"
                | "ServiceFailure"
                | "EntityTemporarilyUnmodifiable"
                | "RequestTimeout"
                | "RequestTimeoutException"
                | "RequestInProgress"
                // A global table with strong consistency answers it while another Region writes the same item.
                | "ReplicatedWriteConflictException",
            ),
            _,
        ) => ErrorKind::Unavailable,
        (_, Some(status)) if status >= 500 || matches!(status, 408 | 425 | 429) => ErrorKind::Unavailable,
        // Without a code it is not AWS that says no, or its answer was cut off.
        (Some(_), Some(status)) if status >= 400 => ErrorKind::Refused,
        (_, None) if is_credentials_error(error) => ErrorKind::NoCredentials,
        // No answer, or one that is no error and that the SDK could not read.
        (_, _) => ErrorKind::Unavailable,
    }
}

/// As STS and IAM word it: "Signature expired: … is now earlier than …", "Signature not yet current".
fn is_about_time(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("Signature not yet current")
}

fn is_credentials_error(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(<dyn Error>::is::<CredentialsError>)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}

/// What the SDK says around a cause, and what says nothing to who reads it.
const WRAPPERS: [&str; 3] = ["dispatch failure", "other", "an error occurred while loading credentials"];

/// The chain of causes in one line, without repeating what an outer text already says.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error) {
        let part = cause.to_string();
        if WRAPPERS.contains(&part.as_str()) {
            continue;
        }
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
    }
    text
}

/// How long a call may take. IAM answers within a second or two; a hanging connection must
/// not hold a remediation for longer than this.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(Duration::from_secs(15))
        .operation_timeout(Duration::from_mins(1))
        .build()
}

/// Keeps the SDK from asking again for an answer that was no error and only did not fit its
/// types.
#[derive(Debug)]
pub(super) struct ParsedOrNot;

impl ClassifyRetry for ParsedOrNot {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let success = context.response().is_some_and(|r| r.status().is_success());
        match context.output_or_error() {
            Some(Err(error)) if success && error.is_response_error() => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "parsed-or-not"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
