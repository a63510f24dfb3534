//! What is answered: JSON with an ETag, pages, and problems.

use crate::digest::sha256;
use crate::safe;
use crate::web::problem::Problem;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described, StatusCode as Status};
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// A document. Who has it already, by its ETag, is answered 304.
pub(super) struct Document<T>(pub T);

impl<T: Serialize> IntoResponse for Document<T> {
    fn into_response(self) -> Response {
        let text = match safe::json_line(&self.0) {
            Ok(text) => text,
            Err(error) => return Problem::unavailable(error.to_string()).into_response(),
        };
        let tag = format!("\"{}\"", &sha256(text.as_bytes())[..32]);
        let mut response = ([(header::CONTENT_TYPE, "application/json")], text).into_response();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

impl<T: JsonSchema + Serialize> OperationOutput for Document<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        Json::<T>::inferred_responses(context, operation)
    }
}

/// Answers 304 to whoever has the document already, and lets it be kept if it is asked for again each time.
pub(super) async fn unless_it_is_known(request: Request, next: Next) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let mut response = next.run(request).await;
    let Some(tag) = response.headers().get(header::ETAG).cloned() else { return response };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let is_known = known.as_ref().and_then(|value| value.to_str().ok()).is_some_and(|known| {
        known.split(',').map(str::trim).any(|one| one == "*" || tag == one.trim_start_matches("W/"))
    });
    if is_known && response.status() == StatusCode::OK {
        let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
        unchanged.headers_mut().insert(header::ETAG, tag);
        return unchanged;
    }
    response
}

/// Some of many.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Items<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The cursor of the next page; none when this is the last one.
    pub next: Option<i64>,
}

impl<T> Items<T> {
    /// All that there is.
    pub fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
