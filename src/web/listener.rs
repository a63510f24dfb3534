//! Who asks: connections, how many, for how long, with TLS or without.

use super::app::App;
use super::peer::Peer;
use super::tls::Tls;
use crate::backoff::Backoff;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Maximum number of concurrent connections. Each takes a file descriptor, and AWS needs them: a quarter of those that the
/// process may have, if that is less.
const AT_ONCE: usize = 1024;

fn at_once() -> usize {
    #[cfg(unix)]
    if let Some(files) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        return usize::try_from(files / 4).unwrap_or(AT_ONCE).clamp(16, AT_ONCE);
    }
    AT_ONCE
}

/// Maximum number of concurrent connections from one address. A proxy that is trusted may have all.
const FROM_ONE: usize = 512;

/// Timeout for reading the header of a request, and for waiting for the next one.
const SLOWEST: Duration = Duration::from_secs(5);

/// Maximum size of a request's header, in bytes: several times what a proof and the cookies take.
const HEADER: usize = 32 * 1024;

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
    // Somebody is looking now, and not when the first one asks.
    if tls.as_ref().is_some_and(|tls| !tls.is_usable()) {
        tracing::error!("nobody is answered on {bound} until the certificate and its key can be read");
    }
    let router = super::routes::router(Arc::clone(&app));
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

/// A connection that is being answered.
struct Place {
    from: IpAddr,
    task: JoinHandle<()>,
}

async fn answer(listener: &TcpListener, router: &Router, tls: Option<&Tls>, app: &App) {
    // The oldest first.
    let mut places: VecDeque<Place> = VecDeque::new();
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(BACKOFF.first).await;
                continue;
            }
        };
        places.retain(|place| !place.task.is_finished());
        let address = from.ip();
        let own = places.iter().filter(|place| place.from == address).count();
        // An answer takes milliseconds. Who has been there longest is holding a place, not asking.
        if own >= FROM_ONE.min(at_once()) && !app.config.web.trusts(address) {
            give_up(&mut places, |place| place.from == address);
        } else if places.len() >= at_once() {
            give_up(&mut places, |_| true);
        }
        let (router, tls) = (router.clone(), tls.cloned());
        let task = tokio::spawn(async move {
            let served = serve(stream, Peer(from), router, tls);
            let _ = tokio::time::timeout(LONGEST, served).await;
        });
        places.push_back(Place { from: address, task });
    }
}

/// Ends the oldest connection of these.
fn give_up(places: &mut VecDeque<Place>, which: impl Fn(&Place) -> bool) {
    if let Some(longest) = places.iter().position(which).and_then(|at| places.remove(at)) {
        longest.task.abort();
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
        .max_buf_size(HEADER)
        .serve_connection(stream, service)
        .await;
}
