//! Refusals as pages: what the API gives as JSON is here for people.

use super::page::{Frame, html};
use super::words::Words;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::{Problem, as_problem};
use askama::Template;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Maximum size of a problem that is shown as a page, in bytes.
const LARGEST_PROBLEM: usize = 64 * 1024;

#[derive(Template)]
#[template(path = "console/problem.html")]
struct ProblemPage {
    frame: Frame,
    problem: Problem,
    /// Whoever asks is not known, and can log in.
    is_login: bool,
}

/// Shows what is refused as a page, with the pages that whoever asked can open.
pub(super) async fn for_people(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&mut parts, &app).await.ok();
    let response = next.run(Request::from_parts(parts, body)).await;
    as_page(&app, caller.as_ref(), response).await
}

/// There is no such page; for a program there is nothing at this address of the API.
pub(super) async fn nowhere(State(app): State<Arc<App>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let response = Problem::not_found(format!("there is nothing at {path:?}")).into_response();
    if path.starts_with("/v1") {
        return response;
    }
    let caller = Caller::of(&mut parts, &app).await.ok();
    as_page(&app, caller.as_ref(), response).await
}

async fn as_page(app: &App, caller: Option<&Caller>, response: Response) -> Response {
    let response = as_problem(response).await;
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(b"application/problem+json") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST_PROBLEM).await.unwrap_or_default();
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return (parts.status, bytes).into_response();
    };
    let title = problem.title.clone();
    let frame = match caller {
        Some(caller) => Frame::of(app, caller, "", title).still(),
        None => Frame::alone(title),
    };
    let is_login = parts.status == StatusCode::UNAUTHORIZED && app.identities.logins.is_some();
    let Ok(page) = html(&ProblemPage { frame, problem, is_login }) else {
        return (parts.status, bytes).into_response();
    };
    let (page_parts, page) = page.into_parts();
    parts.headers.extend(page_parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, page)
}
