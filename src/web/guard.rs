//! What holds for every request: the host that it names, how often one asks, what browsers may do with the answer.

use super::app::App;
use super::peer::{Origin, Peer, host_of};
use super::probes::ALIVE_AND_READY;
use super::problem::Problem;
use crate::config::WebSettings;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use std::net::IpAddr;
use std::sync::Arc;
use url::Url;

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
    let path = request.uri().path();
    let is_api = path.starts_with("/v1");
    // Whether it lives and is ready, anybody may ask, by any name and as often as they like.
    let is_probe = ALIVE_AND_READY.contains(&path);
    let mut response = if is_probe {
        next.run(request).await
    } else if !host.is_some_and(|host| is_known(&app.config.web, &host)) {
        let detail = "the request names another host than this service has";
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail)
            .with("Use the address of `web.url` in the configuration, or add the name that you use to `web.hosts`.")
            .into_response()
    } else if !app.limits.allows_request(origin.address) {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests");
        let mut response = problem.with("Wait a second.").into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        // Refusing takes time as well.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    } else {
        request.extensions_mut().insert(origin);
        next.run(request).await
    };
    secure(&mut response, origin, is_api);
    response
}

/// Whether a host is one of ours. A page of somebody else whose name is made to lead to this address has another name;
/// addresses are no names, and `localhost` leads to whoever asks.
fn is_known(web: &WebSettings, host: &str) -> bool {
    let name = name_of(host);
    let is_url = |url: &Url| url.host_str().is_some_and(|own| own.eq_ignore_ascii_case(name));
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_address
        || name.eq_ignore_ascii_case("localhost")
        || web.url.as_ref().is_some_and(is_url)
        || web.hosts.iter().any(|own| own.as_str().eq_ignore_ascii_case(name))
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_ours_and_an_address_is_no_name() {
        let url = "https://rescind.example.com:8443".parse().expect("an address");
        let hosts = vec!["rescind.monitoring.svc".to_owned().try_into().expect("a name")];
        let web = WebSettings { url: Some(url), hosts, ..WebSettings::default() };
        for host in [
            "rescind.example.com:8443",
            "rescind.example.com",
            "RESCIND.monitoring.svc:80",
            "localhost:9090",
            "127.0.0.1:9090",
            "10.0.0.5",
            "[::1]:9090",
            "[2001:db8::1]",
        ] {
            assert!(is_known(&web, host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example.com:8443",
            "rescind.example.com.evil.test",
            "localhost.evil.test",
            "rescind.example.com@evil.test",
            "127.0.0.1.evil.test",
            "1.2.3.4.nip.io:80",
            "[::1].evil.test",
        ] {
            assert!(!is_known(&web, host), "{host}");
        }
    }
}
