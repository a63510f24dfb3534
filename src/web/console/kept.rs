//! What somebody typed into a form that was refused: their session had ended meanwhile, or is another one.

use super::page::{Frame, html};
use super::words::Words;
use crate::web::app::App;
use crate::web::caller::is_from_here;
use crate::web::problem::Problem;
use askama::Template;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::byte_serialize;

/// What people type into forms, and what it is called. What confirms something is typed again.
const TYPED: [(&str, &str); 7] = [
    ("reason", "Reason"),
    ("account", "Account"),
    ("principal", "Role or user"),
    ("session", "Only this session"),
    ("key", "Access key"),
    ("since", "Since when"),
    ("address", "Address of the thief"),
];

#[derive(Template)]
#[template(path = "console/kept.html")]
struct KeptPage {
    frame: Frame,
    is_over: bool,
    /// The page of the form.
    page: String,
    /// The way there, by the login where that is needed.
    way: String,
    typed: Vec<(&'static str, &'static str, String)>,
    code: String,
}

/// The refusal of a form, with what was typed into it. What a page of somebody else sent is not shown.
pub(super) fn kept(app: &App, parts: &Parts, fields: &[(String, String)], problem: Problem) -> Response {
    let field = |name: &str| fields.iter().find(|(one, _)| one == name).map(|(_, text)| text.trim());
    let typed = TYPED.into_iter().filter_map(|(name, title)| {
        let text = field(name).filter(|text| !text.is_empty())?;
        Some((name, title, Words::text(text)))
    });
    let typed: Vec<_> = typed.collect();
    let is_over = problem.code == "unauthenticated";
    let is_ours = is_over || problem.code == "forged";
    if app.identities.logins.is_none() || !is_ours || !is_from_here(&parts.headers) {
        return problem.into_response();
    }
    let page = form_page(parts.uri.path());
    let to: String = byte_serialize(page.as_bytes()).collect();
    let shown = KeptPage {
        frame: Frame::alone(if is_over { "Your session has ended" } else { "This form is too old" }),
        is_over,
        way: if is_over { format!("/login?to={to}") } else { page.clone() },
        page,
        typed,
        code: problem.code.clone(),
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNAUTHORIZED);
    match html(&shown) {
        Ok(mut response) => {
            *response.status_mut() = status;
            // Whoever is known and refused is recorded by it.
            response.extensions_mut().insert(problem);
            response
        }
        Err(_) => problem.into_response(),
    }
}

/// The page that has the form which is sent to this path: only a path of ours is one.
fn form_page(path: &str) -> String {
    let of_form = ["/answer", "/doors", "/pursue", "/acknowledge", "/plan"];
    of_form.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_on_the_page_whose_path_it_is_sent_below() {
        let all = [
            "/remediations/r-1/answer",
            "/remediations/r-1/release",
            "/incidents/i-1/doors",
            "/alerts/7/acknowledge",
        ];
        let pages = all.map(form_page);
        assert_eq!(pages, ["/remediations/r-1", "/remediations/r-1/release", "/incidents/i-1", "/alerts/7"]);
        assert_eq!([form_page("/revoke/plan"), form_page("/revoke")], ["/revoke", "/revoke"]);
    }
}
