//! Where a running service tells how it is: in a file beside the ledger, over HTTP, and to Prometheus.

use super::live::{Live, QueueLive};
use super::{Service, metrics};
use jiff::Timestamp;
use std::sync::atomic::Ordering;

impl Service {
    /// As it is now.
    #[must_use]
    pub fn live(&self) -> Live {
        let policy = self.reconciler.policy();
        let budget = &policy.budget;
        let pollers = self.regions.pollers();
        let regions = pollers.iter().map(|one| (one.region().clone(), one.pulse().health()));
        Live {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            at: Timestamp::now(),
            mode: policy.mode,
            confirm: self.config.confirm,
            listen: *self.listen.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
            regions: regions.collect(),
            queue: self.queue.as_ref().map(|queue| QueueLive {
                name: queue.name(),
                health: queue.pulse().health(),
                depth: queue.depth(),
            }),
            folder: self.folder.as_ref().map(|folder| folder.health()),
            in_flight: self.reconciler.jobs(),
            retries: self.reconciler.retries(),
            rechecks: self.reconciler.rechecks().state(),
            budget: (budget.account_per_hour, budget.organization_per_hour),
            refused: self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
            stopping: self.stop.is_cancelled(),
        }
    }

    /// Tells it in the file beside the ledger. That it cannot be told stops nothing.
    pub(super) fn publish_status(&self) {
        let live = self.live();
        metrics::gauge(&live, &self.reader, &self.config);
        let file = Live::file(&self.config.ledger);
        let mut new = file.clone().into_os_string();
        new.push(".new");
        let done = serde_json::to_vec(&live).map_err(std::io::Error::other).and_then(|text| {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            std::io::Write::write_all(&mut options.open(&new)?, &text)?;
            std::fs::rename(&new, &file)
        });
        if let Err(error) = done {
            if !self.unpublished.swap(true, Ordering::SeqCst) {
                tracing::error!(file = %file.display(), "`rescind status` does not know how it is doing: {error}");
            }
        } else {
            self.unpublished.store(false, Ordering::SeqCst);
        }
        *self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(live);
    }

    /// There is nothing to tell any more.
    pub(super) fn withdraw_status(&self) {
        Live::remove(&self.config.ledger);
    }
}
