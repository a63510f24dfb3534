//! Requests that are sent again: whoever gives an `Idempotency-Key` gets the answer that the first one got.

use crate::web::answers::{Answers, Kept, Key, Known};
use crate::web::app::App;
use crate::web::caller::{BodyDigest, Caller};
use crate::web::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Maximum length of a key, in bytes, and of an answer that is kept.
const LONGEST_KEY: usize = 255;
const LONGEST_ANSWER: usize = 64 * 1024;

/// Forgets a request that was not answered to its end: it may be sent again.
struct Begun<'a> {
    answers: &'a Answers,
    key: Key,
    is_answered: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.answers.end(&self.key, None);
        }
    }
}

/// Gives who sends a request again, with its key, the answer that the first one got. What could not be done as things
/// stood can be tried again.
pub(super) async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").filter(|_| request.method() == Method::POST).cloned();
    let Some(key) = key else { return next.run(request).await };
    let key = match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => key.to_owned(),
        _ => return Problem::invalid("Idempotency-Key: expected 1 to 255 ASCII characters").into_response(),
    };
    let (mut parts, body) = request.into_parts();
    let who = match Caller::of(&mut parts, &app).await {
        Ok(Caller { identity: Some(identity), .. }) => identity.key(),
        Ok(_) => String::new(),
        Err(problem) => return problem.into_response(),
    };
    let digest = parts.extensions.get::<BodyDigest>().map(|digest| digest.0.clone()).unwrap_or_default();
    let same = format!("{} {} {digest}", parts.method, parts.uri);
    let key = (who, key);
    match app.answers.begin(&key, &same) {
        Known::Answered(Kept { answer: Some((status, kind, body)), .. }) => {
            let mut response = (status, body).into_response();
            let headers = response.headers_mut();
            if let Some(kind) = kind {
                headers.insert(header::CONTENT_TYPE, kind);
            }
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
            return response;
        }
        Known::Answered(_) => {
            let detail = "the first request with this Idempotency-Key is not answered yet";
            return Problem::new(StatusCode::CONFLICT, "in_progress", detail).into_response();
        }
        Known::Other => {
            let detail = "this Idempotency-Key was given with another request";
            return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", detail).into_response();
        }
        Known::Full => {
            let detail = "no more keys can be kept now; without one the request is made";
            return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).into_response();
        }
        Known::New => {}
    }
    // What was begun goes on, and its answer is kept, also when whoever asked does not wait for it.
    let request = Request::from_parts(parts, body);
    let task = tokio::spawn(async move { answered(&app, key, next.run(request)).await });
    task.await.unwrap_or_else(|_| Problem::unavailable("the request was not finished").into_response())
}

/// The answer, kept if it is a success.
async fn answered(app: &App, key: Key, answer: impl Future<Output = Response>) -> Response {
    let mut begun = Begun { answers: &app.answers, key: key.clone(), is_answered: false };
    let response = answer.await;
    if !response.status().is_success() {
        return response;
    }
    let (head, body) = response.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE).cloned();
    // What was done stands in the ledger, whatever becomes of its answer.
    let bytes = to_bytes(body, LONGEST_ANSWER).await.unwrap_or_default();
    app.answers.end(&key, Some((head.status, kind, bytes.clone())));
    begun.is_answered = true;
    Response::from_parts(head, Body::from(bytes))
}
