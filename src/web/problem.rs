//! Why a request is refused: RFC 9457 problem details, with a code that programs can rely on.

use crate::desk::DeskError;
use crate::ledger::LedgerError;
use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a request is refused. The codes are those of docs/api.md.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A short text for the status.
    pub title: String,
    /// What is wrong, and where.
    pub detail: String,
    /// A stable code for programs.
    pub code: String,
    /// What to do about it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Self {
            status: status.as_u16(),
            title,
            detail: detail.into(),
            code: code.to_owned(),
            what_to_do: None,
        }
    }

    pub(super) fn with(mut self, what_to_do: &str) -> Self {
        self.what_to_do = Some(what_to_do.to_owned());
        self
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).with("Try again in some seconds.")
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let text = error.to_string();
        match error {
            DeskError::NotFound(_) => Self::not_found(text),
            DeskError::Ambiguous(_) => Self::new(StatusCode::CONFLICT, "ambiguous", text),
            DeskError::Invalid(_) => Self::invalid(text),
            DeskError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", text),
            DeskError::PlanChanged(_) => Self::new(StatusCode::CONFLICT, "plan_changed", text)
                .with("Look at the planned change again, and answer with its number."),
            DeskError::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "four_eyes", text),
            DeskError::Ledger(error) => error.into(),
            DeskError::Service(_) => Self::unavailable(text),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        if let LedgerError::Unknown { .. } = error {
            return Self::not_found(error.to_string());
        }
        // It names files of the host, which are nobody's business who asks over the network.
        tracing::error!("the API cannot use the ledger: {error}");
        Self::unavailable("the ledger cannot be used now; the log of the service says why")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = crate::safe::json_line(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // Whoever is known and refused is recorded by it.
        response.extensions_mut().insert(self);
        response
    }
}

/// Maximum size of a text that is made a problem, in bytes.
const LONGEST: usize = 8 * 1024;

/// A refusal of the server's own, which is a plain text, as a problem.
pub(super) async fn as_problem(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_plain = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
    if !response.status().is_client_error() || !is_plain {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, LONGEST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let (code, otherwise) = match parts.status {
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this address has another method"),
        _ => ("invalid", "the request is not well formed"),
    };
    let detail = if text.is_empty() { otherwise.to_owned() } else { crate::safe::line(&text) };
    let mut response = Problem::new(parts.status, code, detail).into_response();
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}

impl aide::OperationOutput for Problem {
    type Inner = Self;
}
