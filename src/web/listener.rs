//! Who asks: connections, how many, for how long, with TLS or without.

use super::app::App;
use super::peer::Peer;
use super::tls::Tls;
use crate::backoff::Backoff;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Maximum number of concurrent connections. Each takes a file descriptor, and AWS needs them.
const AT_ONCE: usize = 512;

/// Maximum number of concurrent connections from one address. A proxy that is trusted may have all.
const FROM_ONE: usize = 256;

/// Timeout for reading the header of a request, and for waiting for the next one.
const SLOWEST: Duration = Duration::from_secs(5);

/// Maximum duration of a connection. A page that is open connects again.
const LONGEST: Duration = Duration::from_mins(30);

/// Backoff between attempts to listen on the address.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// Answers on the configured `address`, until the task is aborted. That nobody can ask stops nothing.
pub(super) async fn run(address: SocketAddr, app: Arc<App>) {
    let listener = bind(address).await;
    let bound = listener.local_addr().unwrap_or(address);
    app.shared.listens_on(bound);
    app.bound(bound);
    let scheme = if app.config.web.tls.is_some() { "https" } else { "http" };
    tracing::info!("answers on {scheme}://{bound}: the console, /v1, /healthz, /readyz, /metrics, /status");
    if !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, "whoever reaches this address can read how it is doing");
    }
    let tls = app.config.web.tls.clone().map(Tls::new);
    let router = super::app::router(Arc::clone(&app));
    tokio::join!(answer(&listener, &router, tls.as_ref(), &app), app.look_for_news());
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
                        "cannot listen on {address}: the console, /v1, /healthz, /readyz and /metrics do not answer; retrying: {error}"
                    );
                }
                tokio::time::sleep(BACKOFF.after(failures)).await;
            }
        }
    }
}

/// How many connections there are from each address.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// One connection of an address, until it is dropped.
struct Place {
    of: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// A place for one more from this address; none when it has too many.
    fn place(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { of: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

async fn answer(listener: &TcpListener, router: &Router, tls: Option<&Tls>, app: &App) {
    // The oldest first.
    let mut places: VecDeque<JoinHandle<()>> = VecDeque::new();
    let addresses = Arc::new(Addresses::default());
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(BACKOFF.first).await;
                continue;
            }
        };
        places.retain(|place| !place.is_finished());
        let most = if app.trusts(from.ip()) { AT_ONCE } else { FROM_ONE };
        let Some(place) = addresses.place(from.ip(), most) else { continue };
        // An answer takes milliseconds. Who has been there longest is holding a place, not asking.
        if places.len() >= AT_ONCE
            && let Some(longest) = places.pop_front()
        {
            longest.abort();
        }
        let (router, tls) = (router.clone(), tls.cloned());
        places.push_back(tokio::spawn(async move {
            let _place = place;
            let served = serve(stream, Peer(from), router, tls);
            let _ = tokio::time::timeout(LONGEST, served).await;
        }));
    }
}

async fn serve(stream: TcpStream, peer: Peer, router: Router, tls: Option<Tls>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(TokioIo::new(stream), peer, router).await,
        Some(tls) => {
            let shaken = tokio::time::timeout(SLOWEST, tls.accept(stream)).await;
            if let Ok(Some(stream)) = shaken {
                http(TokioIo::new(stream), peer, router).await;
            }
        }
    }
}

async fn http<T>(stream: T, peer: Peer, router: Router)
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    // Whoever asks is known to each handler.
    let service = TowerToHyperService::new(router.layer(axum::Extension(peer)));
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOWEST)
        .serve_connection(stream, service)
        .await;
}
