//! What answers for a host: it goes on while the host follows, takes over and leads.

use super::live::Live;
use super::shared::Shared;
use super::{metrics, status};
use crate::config::Config;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Interval between two statuses while nobody else publishes one.
const EVERY: Duration = Duration::from_secs(1);

/// What the host publishes of itself.
pub struct Face {
    shared: Arc<Shared>,
}

impl Face {
    /// Begins to count, and has nothing published yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        metrics::start();
        metrics::zero(config);
        Self { shared: Arc::new(Shared::new(Arc::new(config.clone()))) }
    }

    /// What is published, for who shows it.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Publishes a status.
    pub(super) fn publish(&self, config: &Config, live: Live) {
        let live = Live { listen: self.shared.listen(), ..live };
        if let Err(error) = status::write(config, &live) {
            tracing::debug!(%error, "the status cannot be written");
        }
        self.shared.publish(live);
    }

    /// Waits for `work`, which is about to lead, and says meanwhile that the host is there.
    pub async fn while_starting<T>(&self, config: &Config, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Some(live) = self.shared.live() {
                let now = Timestamp::now();
                self.publish(config, Live { at: now, heartbeat: now, ..(*live).clone() });
            }
        }
    }
}
