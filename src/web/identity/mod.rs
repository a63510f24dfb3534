//! Who asks, found out once for each request.

use super::access::Access;
use super::app::App;
use super::peer::Origin;
use super::problem::Problem;
use crate::config::Config;
use crate::identity::Identity;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use std::sync::Arc;

/// What knows who somebody is.
pub(super) struct Identities {
    /// People can log in, or programs can prove who they are.
    pub are_known: bool,
}

impl Identities {
    pub fn new(config: &Config) -> Self {
        let web = &config.web;
        Self { are_known: web.oidc.is_some() || !web.grants.is_empty() }
    }
}

/// Who asks, and what they may do.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Who it is; none for a program on this machine where nobody can prove who they are.
    pub identity: Option<Identity>,
    /// What they may do.
    pub access: Access,
    /// They came with a cookie: a form of theirs needs this token of their session.
    pub form_token: Option<String>,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let origin = parts.extensions.get::<Origin>().copied();
        let Some(origin) = origin else { return Err(Problem::unavailable("the request has no origin")) };
        if parts.headers.get(header::AUTHORIZATION).is_some() && !app.identities.are_known {
            let detail = "nobody can prove who they are: the configuration has no `web.access`";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "no_identities", detail));
        }
        if !app.identities.are_known && origin.is_this_machine() {
            return Ok(Self { identity: None, access: Access::reads_everything(), form_token: None });
        }
        let detail = if app.identities.are_known {
            "log in, or sign the request with AWS credentials"
        } else {
            "without identities, only this machine is answered"
        };
        Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail))
    }
}
