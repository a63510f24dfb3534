//! The service's loops: polls, and what happens between them.

use super::Service;
use super::opt_outs::{self, OptOutFile};
use crate::ledger::{Draft, Event, LedgerError, State};
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::Notify;

/// How often a blocked remediation is tried again while the service runs.
const BLOCKED_AGAIN: Duration = Duration::from_hours(1);

/// How often the service looks for approvals and for changes of the opt-outs' file.
const LOOK_AROUND: Duration = Duration::from_secs(1);

impl Service {
    /// Polls until `stop` is cancelled. What is in flight then is finished. Between the polls it takes
    /// up approvals, and the opt-outs' file when it changed or `reload` asks for it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self, reload: &Notify) -> Result<(), LedgerError> {
        tokio::try_join!(self.keep_polling(), self.keep_looking_around(reload))?;
        self.engine.drained().await
    }

    async fn keep_polling(&self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(self.config.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut blocked_tried = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            let try_blocked = blocked_tried.elapsed() >= BLOCKED_AGAIN;
            if try_blocked {
                blocked_tried = tokio::time::Instant::now();
            }
            // Nothing here waits for what is in flight: one slow account must not keep another's
            // theft from being seen.
            self.engine.resume(|state| try_blocked || state != State::Blocked)?;
            tokio::select! {
                () = self.stop.cancelled() => {}
                polled = self.poll() => { polled?; }
            }
            self.engine.keep_organization_fresh();
        }
    }

    async fn keep_looking_around(&self, reload: &Notify) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK_AROUND);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut file = OptOutFile::new(&self.config.opt_outs_file, self.config.opt_outs.clone());
        let mut approved = self.started_at;
        loop {
            let asked = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = reload.notified() => true,
                _ = ticks.tick() => false,
            };
            approved = self.engine.take_up_approved(approved)?;
            if let Some(checkpoints) = &self.checkpoints {
                checkpoints.if_due(&self.ledger, &self.reader).await?;
            }
            match file.look(asked) {
                None => {}
                Some(Ok(opt_outs)) => {
                    let event = opt_outs::loaded(opt_outs, &self.reader.opt_outs()?, Timestamp::now());
                    let removed = match &event {
                        Event::OptOuts { removed, .. } => removed.clone(),
                        _ => Vec::new(),
                    };
                    // Recorded before it counts.
                    self.ledger.append(Draft::of_service(event)).await?;
                    self.engine.use_opt_outs(opt_outs);
                    tracing::info!(count = opt_outs.all.len(), "the opt-outs were read again");
                    if !removed.is_empty() {
                        tracing::warn!(removed = removed.join(", "), "these opt-outs do not apply any more");
                    }
                    opt_outs::warn(opt_outs);
                }
                Some(Err(error)) => {
                    tracing::error!(
                        "the opt-outs are NOT taken over, those from before still apply: {error}"
                    );
                    self.ledger.append(Draft::of_service(Event::OptOutsRefused { error })).await?;
                }
            }
        }
    }
}
