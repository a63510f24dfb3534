//! `/healthz`, `/readyz`, `/metrics` and `/status`, for whatever watches the watcher.

use super::app::App;
use crate::safe;
use crate::service;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// What says whether the service lives and is ready.
pub(super) const ALIVE_AND_READY: [&str; 2] = ["/healthz", "/readyz"];

/// Their routes. They answer whoever reaches the address.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
}

async fn alive(State(app): State<Arc<App>>) -> (StatusCode, String) {
    match app.shared.live() {
        Some(live) if live.is_alive() => (StatusCode::OK, "ok\n".to_owned()),
        Some(live) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("its main loop hangs since {}\n", live.last_sign()))
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, "starting\n".to_owned()),
    }
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, String) {
    let live = app.shared.live();
    let reasons = live.as_ref().map_or_else(|| vec!["starting".to_owned()], |live| live.not_ready());
    if reasons.is_empty() {
        let role = live.and_then(|live| live.log.clone()).map(|log| safe::line(&log.describe()) + "\n");
        (StatusCode::OK, "ready\n".to_owned() + &role.unwrap_or_default())
    } else {
        let reasons: Vec<String> = reasons.iter().map(|reason| safe::line(reason)).collect();
        (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
    }
}

async fn metrics() -> impl IntoResponse {
    let text = service::metrics().map(|text| safe::lines(&text));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.unwrap_or_default())
}

async fn status(State(app): State<Arc<App>>) -> Response {
    match app.shared.live().map(|live| safe::json_line(&*live)) {
        Some(Ok(text)) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
