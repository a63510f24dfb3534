//! What a form of ours sent, and who sent it.

use super::kept::kept;
use crate::web::app::App;
use crate::web::caller::{BODY, Caller, proves_form};
use crate::web::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use url::form_urlencoded;

/// What a form sent. That one of our pages made it is proved.
pub(super) struct Sent {
    pub caller: Caller,
    fields: Vec<(String, String)>,
}

impl FromRequest<Arc<App>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::of(&mut parts, app).await;
        let fields = fields(&parts, body).await.map_err(IntoResponse::into_response)?;
        let sent = match caller {
            Ok(caller) => Self { caller, fields },
            Err(problem) => return Err(kept(app, &parts, &fields, problem)),
        };
        match proves_form(&sent.caller, &parts.headers, sent.field("form_token")) {
            Ok(()) => Ok(sent),
            Err(problem) => Err(kept(app, &parts, &sent.fields, problem)),
        }
    }
}

async fn fields(parts: &Parts, body: Body) -> Result<Vec<(String, String)>, Problem> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        let detail = "expected what a form of the console sends";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_form", detail));
    }
    let body = to_bytes(body, BODY).await;
    let body =
        body.map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too long"))?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

impl Sent {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(one, _)| one == name).map(|(_, text)| text.as_str())
    }

    /// A field without the space around it; empty when it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.field(name).unwrap_or_default().trim()
    }

    /// A field, unless it is empty.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned()).filter(|text| !text.is_empty())
    }

    /// A box is checked.
    pub fn is_checked(&self, name: &str) -> bool {
        self.text(name) == "yes"
    }

    /// All fields with this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.fields.iter().filter(|(one, _)| one == name).map(|(_, text)| text.clone()).collect()
    }
}
