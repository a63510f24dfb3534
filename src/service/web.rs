//! `/healthz`, `/readyz`, `/metrics` and `/status`, for whatever watches the watcher.

use super::{Service, metrics};
use crate::ledger::LedgerError;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::{Arc, Mutex, PoisonError};

use super::live::Live;

type Told = Arc<Mutex<Option<Live>>>;

impl Service {
    /// Answers on the configured address until it is to stop. That nobody can ask stops nothing.
    pub(super) async fn keep_answering(&self) -> Result<(), LedgerError> {
        let Some(address) = self.config.listen else { return Ok(()) };
        let listener = match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%address, "nobody can ask for /healthz, /readyz and /metrics: {error}");
                return Ok(());
            }
        };
        let bound = listener.local_addr().unwrap_or(address);
        *self.listen.lock().unwrap_or_else(PoisonError::into_inner) = Some(bound);
        tracing::info!("answers on http://{bound}: /healthz, /readyz, /metrics, /status");
        if !bound.ip().is_loopback() {
            tracing::warn!(address = %bound, "whoever reaches this address can read which accounts are affected");
        }
        let stop = self.stop.clone();
        let served = axum::serve(listener, router(Arc::clone(&self.told)))
            .with_graceful_shutdown(async move { stop.cancelled().await });
        // A connection that stays open must not keep the service from stopping.
        let done = tokio::select! {
            done = served => done,
            () = async { self.stop.cancelled().await; tokio::task::yield_now().await } => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!("nobody can ask for /healthz, /readyz and /metrics any more: {error}");
        }
        Ok(())
    }
}

fn router(told: Told) -> Router {
    let counters = metrics::start();
    let now = move |told: &Told| told.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (alive, ready, status) = (Arc::clone(&told), Arc::clone(&told), told);
    Router::new()
        .route(
            "/healthz",
            get(move || async move {
                match now(&alive) {
                    Some(live) if live.is_alive() => (StatusCode::OK, "ok\n".to_owned()),
                    Some(live) => {
                        (StatusCode::SERVICE_UNAVAILABLE, format!("its main loop hangs since {}\n", live.at))
                    }
                    None => (StatusCode::SERVICE_UNAVAILABLE, "starting\n".to_owned()),
                }
            }),
        )
        .route(
            "/readyz",
            get(move || async move {
                let reasons =
                    now(&ready).map_or_else(|| vec!["starting".to_owned()], |live| live.not_ready());
                if reasons.is_empty() {
                    (StatusCode::OK, "ready\n".to_owned())
                } else {
                    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
                }
            }),
        )
        .route(
            "/metrics",
            get(move || async move {
                let text = counters.as_ref().map(|counters| {
                    counters.run_upkeep();
                    counters.render()
                });
                ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.unwrap_or_default())
            }),
        )
        .route(
            "/status",
            get(move || async move {
                match now(&status).map(|live| serde_json::to_string(&live)) {
                    Some(Ok(text)) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
                    _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                }
            }),
        )
}
