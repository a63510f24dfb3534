//! What answers for a host: it goes on while the host follows, takes over and leads.

use super::live::Live;
use super::status::{self, Shared};
use super::{metrics, web};
use crate::config::Config;
use jiff::Timestamp;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Interval between two statuses while nobody else publishes one.
const EVERY: Duration = Duration::from_secs(1);

/// Answers `/healthz`, `/readyz`, `/metrics` and `/status`, until it is dropped.
pub struct Face {
    pub(super) shared: Arc<Shared>,
    web: Option<JoinHandle<()>>,
}

impl Face {
    /// Begins to answer.
    #[must_use]
    pub fn start(config: &Config) -> Self {
        let shared = Arc::new(Shared::default());
        metrics::start();
        metrics::zero(config);
        let web = config.listen.map(|address| tokio::spawn(web::run(address, Arc::clone(&shared))));
        Self { shared, web }
    }

    /// Publishes a status.
    pub(super) fn publish(&self, config: &Config, live: Live) {
        let listen = *self.shared.listen.lock().unwrap_or_else(PoisonError::into_inner);
        let live = Live { listen, ..live };
        if let Err(error) = status::write(config, &live) {
            tracing::debug!(%error, "the status cannot be written");
        }
        *self.shared.published.lock().unwrap_or_else(PoisonError::into_inner) = Some(live);
    }

    /// Waits for `work`, which is about to lead, and says meanwhile that the host is there.
    pub async fn while_starting<T>(&self, config: &Config, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(EVERY) => {}
            }
            let last = self.shared.published.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(live) = last {
                let now = Timestamp::now();
                self.publish(config, Live { at: now, heartbeat: now, ..live });
            }
        }
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        if let Some(web) = &self.web {
            web.abort();
        }
    }
}
