//! The few pages that are shown to people who are not logged in.

use crate::web::caller::shows_pages;
use crate::web::console::{Frame, Words, html};
use crate::web::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::byte_serialize;

/// A page for somebody who is not logged in.
#[derive(Template)]
#[template(path = "login/page.html")]
pub(super) struct LoginPage {
    frame: Frame,
    status: StatusCode,
    detail: String,
    what_to_do: Option<String>,
    /// The code of the problem, if there is one.
    code: Option<String>,
    /// The address of the login, with the way back to the page that was wanted.
    login: String,
    /// Where the browser goes by itself.
    on: Option<String>,
}

impl LoginPage {
    /// After a logout, with the way to that of the provider, if it has one.
    pub fn logged_out(provider: Option<String>) -> Self {
        Self {
            frame: Frame::alone("Logged out"),
            status: StatusCode::OK,
            detail: "You are logged out of rescind.".to_owned(),
            what_to_do: None,
            code: None,
            login: "/login".to_owned(),
            on: provider,
        }
    }

    /// Why somebody is not logged in, who wanted the page `to`.
    fn of(problem: Problem, to: &str) -> Self {
        let title = if problem.status == 401 { "Not logged in" } else { "You cannot use this console" };
        let title = if problem.code == "no_access" || problem.status == 401 {
            title
        } else {
            "The login did not work"
        };
        let to: String = byte_serialize(to.as_bytes()).collect();
        Self {
            frame: Frame::alone(title),
            status: StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            detail: format!("{}.", problem.detail),
            what_to_do: problem.what_to_do,
            code: Some(problem.code),
            login: format!("/login?to={to}"),
            on: None,
        }
    }

    pub fn response(&self) -> Response {
        match html(self) {
            Ok(mut response) => {
                *response.status_mut() = self.status;
                response
            }
            Err(problem) => problem.into_response(),
        }
    }
}

/// Why somebody is not logged in: a page for people, a problem for programs. Who logs in again comes to the page `to`.
pub(super) fn answer(headers: &HeaderMap, problem: Problem, to: &str) -> Response {
    if shows_pages(headers) { LoginPage::of(problem, to).response() } else { problem.into_response() }
}
