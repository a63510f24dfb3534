//! What holds for every request: the host that it names, how often one asks, what browsers may do with the answer.

use super::app::App;
use super::peer::{Origin, Peer, host_of};
use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use std::sync::Arc;

/// The routes, behind everything that holds for all of them.
pub(super) fn guarded(routes: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    routes.layer(from_fn_with_state(Arc::clone(app), guard))
}

async fn guard(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let origin = Origin::of(&app.config.web, peer, request.headers());
    let host = host_of(request.headers());
    let is_api = request.uri().path().starts_with("/v1");
    let mut response = if !is_known(&app, host.as_deref(), origin) {
        let detail = "the request names another host than this service has";
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail)
            .with("Use the address of `web.url` in the configuration, or set it to the one that you use.")
            .into_response()
    } else if !app.limits.allows_request(origin.address) {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests");
        let mut response = problem.with("Wait a second.").into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    } else {
        request.extensions_mut().insert(origin);
        next.run(request).await
    };
    secure(&mut response, origin, is_api);
    response
}

/// Whether a host is one of ours: a page of somebody else whose name leads to this address has another one.
fn is_known(app: &App, host: Option<&str>, origin: Origin) -> bool {
    let Some(host) = host else { return false };
    if let Some(url) = &app.config.web.url {
        let name = url.host_str().unwrap_or_default();
        let with_port = url.port_or_known_default().map(|port| format!("{name}:{port}"));
        if host == name && url.port().is_none() || Some(host) == with_port.as_deref() {
            return true;
        }
    }
    let Some(bound) = app.address() else { return false };
    if host == bound.to_string() && !bound.ip().is_unspecified() {
        return true;
    }
    let own = ["127.0.0.1", "localhost", "[::1]"];
    let is_own = own.iter().any(|name| host == format!("{name}:{}", bound.port()));
    is_own && origin.is_this_machine()
}

/// What a browser may do with the answer: nothing from elsewhere, in nobody's frame, kept by nobody.
fn secure(response: &mut Response, origin: Origin, is_api: bool) {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    set(
        header::CONTENT_SECURITY_POLICY,
        if is_api {
            "default-src 'none'; frame-ancestors 'none'"
        } else {
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        },
    );
    if origin.is_secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
