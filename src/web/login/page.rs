//! The few pages that are shown to people who are not logged in.

use crate::safe::Cleaned;
use crate::web::caller::shows_pages;
use crate::web::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A page for somebody who is not logged in.
#[derive(Template)]
#[template(path = "login/page.html")]
pub(super) struct LoginPage {
    status: StatusCode,
    title: &'static str,
    detail: String,
    what_to_do: Option<String>,
    /// The code of the problem, if there is one.
    code: Option<String>,
    /// Where the browser goes by itself.
    on: Option<String>,
}

impl LoginPage {
    /// After a logout, with the way to that of the provider, if it has one.
    pub fn logged_out(provider: Option<String>) -> Self {
        Self {
            status: StatusCode::OK,
            title: "Logged out",
            detail: "You are logged out of rescind.".to_owned(),
            what_to_do: None,
            code: None,
            on: provider,
        }
    }

    fn of(problem: Problem) -> Self {
        Self {
            status: StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            title: if problem.status == 401 { "Not logged in" } else { "Refused" },
            detail: problem.detail,
            what_to_do: problem.what_to_do,
            code: Some(problem.code),
            on: None,
        }
    }

    pub fn response(&self) -> Response {
        let mut text = Vec::new();
        let mut cleaned = Cleaned { out: &mut text, error: None };
        let rendered = self.render_into(&mut cleaned);
        if rendered.is_err() || cleaned.error.is_some() {
            return Problem::unavailable("the page cannot be made").into_response();
        }
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        (self.status, [(header::CONTENT_TYPE, kind)], text).into_response()
    }
}

/// Why somebody is not logged in: a page for people, a problem for programs.
pub(super) fn answer(headers: &HeaderMap, problem: Problem) -> Response {
    if shows_pages(headers) { LoginPage::of(problem).response() } else { problem.into_response() }
}
