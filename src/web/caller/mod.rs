//! Who asks, found out once for each request.

mod aws;
mod browser;
mod form;

pub(super) use browser::{claim_of, no_access, refusal, shows_pages};
pub(super) use form::{is_from_here, proves_form};

use super::access::Access;
use super::app::App;
use super::peer::Origin;
use super::problem::Problem;
use super::refused;
use crate::digest::sha256;
use crate::identity::Identity;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;
use std::time::Duration;

/// Maximum size of a request's body, in bytes. It is read before it is known who asks, for whoever signs it signs that
/// as well: as many bodies as there may be connections must fit into the memory of a small host.
pub(super) const BODY: usize = 32 * 1024;

/// Timeout for reading it.
const SLOWEST: Duration = Duration::from_secs(10);

/// Who asks, and what they may do.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Who it is; none for a program on this machine where nobody can prove who they are.
    pub identity: Option<Identity>,
    /// What they may do.
    pub access: Access,
    /// A page of somebody else sent their browser here, with their cookie.
    pub is_sent: bool,
    /// They came with a cookie: a form of theirs needs this token of their session.
    pub form_token: Option<String>,
}

/// The status of what somebody may not do.
const FORBIDDEN: u16 = 403;

/// SHA-256 of a request's body, in hexadecimal: who signs a request signs that as well.
#[derive(Debug, Clone)]
pub(super) struct BodyDigest(pub String);

/// Reads the body, and finds out who asks: once, for a proof counts only once.
pub(super) async fn identified(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = match tokio::time::timeout(SLOWEST, to_bytes(body, BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too long");
            return problem.into_response();
        }
        Err(_) => {
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come");
            return problem.into_response();
        }
    };
    parts.extensions.insert(BodyDigest(sha256(&body)));
    let found = Caller::find(&mut parts, &app).await;
    let to_login = browser::to_login(&app, &parts, &found);
    let known = found.as_ref().ok().and_then(|caller| caller.identity.clone());
    let origin = parts.extensions.get::<Origin>().copied();
    let asked = format!("{} {}", parts.method, parts.uri.path());
    parts.extensions.insert(Found(found));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let problem = response.extensions().get::<Problem>().filter(|problem| problem.status == FORBIDDEN);
    if let (Some(identity), Some(origin), Some(problem)) = (known, origin, problem) {
        refused::record(&app, refusal(origin, asked, problem, Some(identity), None)).await;
    }
    match to_login {
        Some(address) if response.status() == StatusCode::UNAUTHORIZED => {
            Redirect::to(&address).into_response()
        }
        _ => response,
    }
}

/// Who asks, or why that is not known.
#[derive(Clone)]
struct Found(Result<Caller, Problem>);

impl Caller {
    /// Who asks, as it was found out.
    pub async fn of(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match parts.extensions.get::<Found>() {
            Some(Found(found)) => found.clone(),
            None => Self::find(parts, app).await,
        }
    }

    async fn find(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let origin = parts.extensions.get::<Origin>().copied();
        let Some(origin) = origin else { return Err(Problem::unavailable("the request has no origin")) };
        if parts.headers.get(header::AUTHORIZATION).is_some() && !app.knows_identities() {
            let detail = "nobody can prove who they are: the configuration has no `web.access`";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "no_identities", detail));
        }
        if !app.knows_identities() && origin.is_this_machine() {
            return Ok(Self {
                identity: None,
                access: Access::reads_everything(),
                is_sent: false,
                form_token: None,
            });
        }
        if let Some(caller) = aws::caller(parts, app, origin).await {
            return caller;
        }
        if let Some(caller) = browser::caller(parts, app, origin).await {
            return caller;
        }
        let detail = if app.knows_identities() {
            "log in, or sign the request with AWS credentials"
        } else {
            "without identities, only this machine is answered"
        };
        Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail))
    }
}

impl Caller {
    /// Refuses what calls AWS or writes when a page of somebody else asks for it in their browser.
    pub fn meant_it(&self) -> Result<(), Problem> {
        if !self.is_sent {
            return Ok(());
        }
        let detail = "a page of somebody else asks for this";
        Err(Problem::new(StatusCode::FORBIDDEN, "forged", detail)
            .with("Open it from a page of this console."))
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Self::of(parts, app).await
    }
}

impl aide::OperationInput for Caller {}
