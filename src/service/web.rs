//! `/healthz`, `/readyz`, `/metrics` and `/status`, for whatever watches the watcher.

use super::metrics;
use super::status::Shared;
use crate::backoff::Backoff;
use crate::safe;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Maximum number of concurrent connections. Each takes a file descriptor, and AWS needs them.
const AT_ONCE: usize = 32;

/// Timeout for reading the header of a request.
const SLOWEST: Duration = Duration::from_secs(5);

/// Maximum duration of a connection.
const LONGEST: Duration = Duration::from_secs(20);

/// Backoff between attempts to listen on the address.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// Answers on the configured `address`, until the task is aborted. That nobody can ask stops nothing.
pub(super) async fn run(address: SocketAddr, shared: Arc<Shared>) {
    let listener = bind(address).await;
    let bound = listener.local_addr().unwrap_or(address);
    *shared.listen.lock().unwrap_or_else(PoisonError::into_inner) = Some(bound);
    tracing::info!("answers on http://{bound}: /healthz, /readyz, /metrics, /status");
    if !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, "whoever reaches this address can read how it is doing");
    }
    answer(&listener, &router(shared)).await;
}

/// The address, as soon as it is to be had: the process before may still have it.
async fn bind(address: SocketAddr) -> TcpListener {
    let mut failures = 0;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => {
                failures += 1;
                if failures == 1 {
                    tracing::error!(
                        "cannot listen on {address}: /healthz, /readyz and /metrics do not answer; retrying: {error}"
                    );
                }
                tokio::time::sleep(BACKOFF.after(failures)).await;
            }
        }
    }
}

async fn answer(listener: &TcpListener, router: &Router) {
    // The oldest first.
    let mut places: VecDeque<JoinHandle<()>> = VecDeque::with_capacity(AT_ONCE);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(BACKOFF.first).await;
                continue;
            }
        };
        places.retain(|place| !place.is_finished());
        // An answer takes milliseconds. Who has been there longest is holding a place, not asking.
        if places.len() >= AT_ONCE
            && let Some(longest) = places.pop_front()
        {
            longest.abort();
        }
        let service = TowerToHyperService::new(router.clone());
        places.push_back(tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(SLOWEST)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(LONGEST, connection).await;
        }));
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let counters = metrics::start();
    let now = move |shared: &Shared| shared.published.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (alive, ready, status) = (Arc::clone(&shared), Arc::clone(&shared), shared);
    Router::new()
        .route(
            "/healthz",
            get(move || async move {
                match now(&alive) {
                    Some(live) if live.is_alive() => (StatusCode::OK, "ok\n".to_owned()),
                    Some(live) => (
                        StatusCode::SERVICE_UNAVAILABLE,
                        format!("its main loop hangs since {}\n", live.last_sign()),
                    ),
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
                    let role =
                        now(&ready).and_then(|live| live.log).map(|log| safe::line(&log.describe()) + "\n");
                    (StatusCode::OK, "ready\n".to_owned() + &role.unwrap_or_default())
                } else {
                    let reasons: Vec<String> = reasons.iter().map(|reason| safe::line(reason)).collect();
                    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
                }
            }),
        )
        .route(
            "/metrics",
            get(move || async move {
                let text = counters.as_ref().map(|counters| {
                    counters.run_upkeep();
                    safe::lines(&counters.render())
                });
                ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.unwrap_or_default())
            }),
        )
        .route(
            "/status",
            get(move || async move {
                match now(&status).map(|live| safe::json_line(&live)) {
                    Some(Ok(text)) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
                    _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                }
            }),
        )
}
