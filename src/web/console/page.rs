//! What all pages have: the bar, who is logged in, a notice of what was done; and how a page becomes an answer.

use super::assets;
use crate::config::WebRole;
use crate::safe::{Cleaned, line};
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::{Problem, as_problem};
use askama::Template;
use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Maximum size of a problem that is shown as a page, in bytes.
const LARGEST_PROBLEM: usize = 64 * 1024;

/// The pages of the bar: their addresses and names.
const PAGES: [(&str, &str); 9] = [
    ("/", "Now"),
    ("/incidents", "Incidents"),
    ("/remediations", "History"),
    ("/alerts", "Alerts"),
    ("/coverage", "Coverage"),
    ("/opt-outs", "Opt-outs and rules"),
    ("/ledger", "Ledger"),
    ("/health", "Health"),
    ("/revoke", "Revoke"),
];

/// What stands around each page.
#[derive(Default)]
pub(super) struct Frame {
    pub title: String,
    /// The page of the bar that this one belongs to.
    pub here: &'static str,
    /// Who asks, and the highest role that they have.
    pub who: String,
    pub role: Option<WebRole>,
    /// What a form of this page gives back.
    pub form_token: Option<String>,
    /// What was just done.
    pub notice: Option<&'static str>,
    /// The page is kept up to date by the script.
    pub is_live: bool,
    /// Somebody can prove who they are.
    pub has_identities: bool,
}

/// What was just done, as a code: nothing that somebody else wrote into an address is shown.
#[derive(Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

impl Done {
    /// It says no more than that something was sent: whoever makes a link can write a code into it, and what became of it
    /// stands on the page.
    fn notice(&self) -> Option<&'static str> {
        Some(match self.done.as_deref()? {
            "approved" | "counted" | "rejected" | "done_by_hand" => {
                "Your answer was sent. Below is what the ledger has of it."
            }
            "released" => "The release was asked for. Below is where it stands.",
            "ordered" => "The order was sent. rescind decides about it within seconds.",
            "doors" | "pursued" | "acknowledged" => "Sent. Below is what the ledger has of it.",
            _ => return None,
        })
    }
}

impl Frame {
    /// Of the page `title`, which belongs to the page of the bar at `here`.
    pub fn of(app: &App, caller: &Caller, here: &'static str, title: impl Into<String>) -> Self {
        let who = caller.identity.as_ref().map(|identity| line(identity.name()));
        Self {
            title: title.into(),
            here,
            who: who.unwrap_or_default(),
            role: caller.access.highest(),
            form_token: caller.form_token.clone(),
            notice: None,
            is_live: true,
            has_identities: app.knows_identities(),
        }
    }

    pub fn with(mut self, done: &Done) -> Self {
        self.notice = done.notice();
        self
    }

    /// A page in which somebody writes does not change under their hands.
    pub fn still(mut self) -> Self {
        self.is_live = false;
        self
    }

    pub fn pages(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        // Where nobody can order anything there is no page for it.
        let can_order = self.role >= Some(WebRole::Operator);
        let shown = PAGES.into_iter().filter(move |(address, _)| *address != "/revoke" || can_order);
        let here = self.here;
        shown.map(move |(address, name)| (address, name, address == here))
    }

    pub fn style() -> String {
        assets::style()
    }

    pub fn script() -> String {
        assets::script()
    }
}

/// A page as an answer.
pub(super) fn html(page: &impl Template) -> Result<Response, Problem> {
    let mut text = Vec::new();
    let mut cleaned = Cleaned { out: &mut text, error: None };
    let rendered = page.render_into(&mut cleaned);
    if rendered.is_err() || cleaned.error.is_some() {
        return Err(Problem::unavailable("the page cannot be made"));
    }
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Back to a page of ours after a form, with a notice of what was done.
pub(super) fn back_to(address: &str, done: &str) -> Response {
    Redirect::to(&format!("{address}?done={done}")).into_response()
}

#[derive(Template)]
#[template(path = "console/problem.html")]
struct ProblemPage {
    frame: Frame,
    problem: Problem,
    is_login: bool,
}

/// There is no such page; for a program there is nothing at this address of the API.
pub(super) async fn nowhere(uri: Uri) -> Response {
    let problem = Problem::not_found(format!("there is nothing at {:?}", uri.path()));
    let response = problem.into_response();
    if uri.path().starts_with("/v1") { response } else { problem_for_people(response).await }
}

/// Problems as pages: what the API gives as JSON is here for people.
pub(super) async fn problem_for_people(response: Response) -> Response {
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
    let frame = Frame { title: problem.title.clone(), ..Frame::default() };
    let is_login = parts.status == StatusCode::UNAUTHORIZED;
    let Ok(page) = html(&ProblemPage { frame, problem, is_login }) else {
        return (parts.status, bytes).into_response();
    };
    let (page_parts, page) = page.into_parts();
    parts.headers.extend(page_parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, page)
}
