//! The states that systemd hears when it started the process: ready, stopping, still alive.

use sd_notify::NotifyState;
use std::time::Duration;

/// Every task has started.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// It finishes what is in flight.
pub(super) fn stopping(within: Duration) {
    let within = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
    notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(within)]);
}

/// It does not hang. Without this for long enough, systemd starts the service again.
pub(super) fn alive() {
    if sd_notify::watchdog_enabled().is_some() {
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(state: &[NotifyState]) {
    // Without NOTIFY_SOCKET nobody listens, and that is no error.
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be notified");
    }
}
