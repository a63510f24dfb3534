//! Ctrl-C and SIGTERM: what is in flight is finished, nothing new is begun. SIGHUP: read again.

use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Notified by SIGHUP: `rescind.toml` and the opt-outs are read again.
pub fn reload() -> Arc<Notify> {
    let reload = Arc::new(Notify::new());
    #[cfg(unix)]
    if let Ok(mut hangups) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        let reload = Arc::clone(&reload);
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                reload.notify_one();
            }
        });
    }
    reload
}

/// A token that is cancelled by Ctrl-C or SIGTERM. A second signal ends the process at once;
/// the ledger is made for that.
pub fn stop_token() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        if signal().await {
            tracing::warn!("stopping: what is in flight is finished first");
            stop.cancel();
            if signal().await {
                tracing::warn!("stopping at once");
                std::process::exit(130);
            }
        }
    });
    token
}

/// The same for what only looks: there is nothing in flight, and nothing to say.
pub fn quiet_stop_token() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        if signal().await {
            stop.cancel();
        }
    });
    token
}

/// The same for SIGHUP: the terminal is gone, and nobody says anything any more.
pub fn stop_at_hangup(stop: &CancellationToken) {
    let (hangup, stop) = (reload(), stop.clone());
    tokio::spawn(async move {
        hangup.notified().await;
        stop.cancel();
    });
}

/// `false` when signals cannot be waited for.
async fn signal() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return false;
        };
        tokio::select! {
            _ = interrupt.recv() => true,
            _ = terminate.recv() => true,
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
