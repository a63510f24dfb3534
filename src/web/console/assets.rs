//! The stylesheet and the script: part of the program, and kept by browsers for as long as they are the same.

use crate::digest::sha256;
use crate::web::app::App;
use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use std::sync::{Arc, LazyLock};

/// A file that pages load.
pub(super) struct Asset {
    kind: &'static str,
    text: &'static str,
    hash: LazyLock<String>,
}

static STYLE: Asset = Asset {
    kind: "text/css; charset=utf-8",
    text: include_str!("../../../templates/console/console.css"),
    hash: LazyLock::new(|| short_hash(include_str!("../../../templates/console/console.css"))),
};

static SCRIPT: Asset = Asset {
    kind: "text/javascript; charset=utf-8",
    text: include_str!("../../../templates/console/console.js"),
    hash: LazyLock::new(|| short_hash(include_str!("../../../templates/console/console.js"))),
};

/// Enough of a hash to distinguish two versions.
fn short_hash(text: &str) -> String {
    sha256(text.as_bytes()).chars().take(16).collect()
}

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/assets/console.css", get(|headers, query| async move { answer(&STYLE, &headers, &query) }))
        .route("/assets/console.js", get(|headers, query| async move { answer(&SCRIPT, &headers, &query) }))
}

/// The address of the stylesheet, with its hash.
pub(super) fn style() -> String {
    format!("/assets/console.css?v={}", *STYLE.hash)
}

/// The address of the script, with its hash.
pub(super) fn script() -> String {
    format!("/assets/console.js?v={}", *SCRIPT.hash)
}

/// Which version a page wants.
#[derive(Deserialize)]
struct Version {
    v: Option<String>,
}

fn answer(asset: &'static Asset, headers: &HeaderMap, Query(wanted): &Query<Version>) -> Response {
    let tag = format!("\"{}\"", *asset.hash);
    let is_known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    // Only an address that names this version is for ever: another one comes with the next version of rescind.
    let is_exact = wanted.v.as_deref() == Some(asset.hash.as_str());
    let kept = if is_exact { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
