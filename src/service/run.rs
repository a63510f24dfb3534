//! The service's loops, side by side: polls, events, files, and what happens between them.

use super::opt_outs::{self, OptOutFile};
use super::{Service, systemd};
use crate::feed::Hints;
use crate::ledger::{Draft, Event, LedgerError, Subject};
use jiff::Timestamp;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;

/// How often the service looks for approvals, for what is to be tried again and for changes of its files.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// How often SQS is asked how much is in the queue.
const MEASURE: Duration = Duration::from_secs(30);

impl Service {
    /// Watches until `stop` is cancelled. Between the findings it takes up approvals, tries again what
    /// failed, and reads its files again when they changed or `reload` asks for it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self, reload: &Notify) -> Result<(), LedgerError> {
        let polls = self.watch.pollers().map(|poller| self.keep_polling(poller));
        let all = async {
            tokio::try_join!(
                futures::future::try_join_all(polls),
                self.keep_receiving(),
                self.keep_reading(),
                self.keep_sweeping(),
                self.keep_looking_around(reload),
                self.keep_answering(),
                self.keep_measuring(),
            )
        };
        if !self.config.confirm {
            let text = "confirm = false: what the queue or the folder brings is believed as it is".to_owned();
            let what_to_do = "Whoever can write there can have roles revoked. Allow guardduty:GetFindings to the hub and take `confirm = false` out.";
            self.engine.tell(Subject::default(), "not_confirming", text, what_to_do).await?;
        }
        self.tell_live();
        systemd::ready();
        let ran = all.await;
        self.tell_live();
        systemd::stopping(self.config.drain_timeout);
        let drained = match ran {
            Ok(_) => self.drain().await,
            Err(error) => Err(error),
        };
        self.tell_no_more();
        drained
    }

    /// Gives what is in flight at a stop the configured time. What is left is taken up at the next start.
    pub(super) async fn drain(&self) -> Result<(), LedgerError> {
        if !self.stop.is_cancelled() {
            return self.engine.drained().await;
        }
        if self.given_up.load(Ordering::SeqCst) {
            return self.engine.fault();
        }
        if tokio::time::timeout(self.config.drain_timeout, self.engine.drained()).await.is_err() {
            self.given_up.store(true, Ordering::SeqCst);
            tracing::warn!(
                jobs = self.engine.jobs(),
                "not finished in time: what is left is taken up at the next start"
            );
        }
        self.engine.fault()
    }

    /// What hints are settled with.
    pub(super) fn hints(&self) -> Hints<'_> {
        Hints {
            hub: &self.hub,
            ledger: &self.ledger,
            reader: &self.reader,
            watch: &self.watch,
            confirm: self.config.confirm,
        }
    }

    async fn keep_receiving(&self) -> Result<(), LedgerError> {
        match &self.queue {
            Some(queue) => queue.run(self.hints(), self, &self.stop).await,
            None => Ok(()),
        }
    }

    /// Asks SQS now and then how much is in the queue.
    async fn keep_measuring(&self) -> Result<(), LedgerError> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let mut ticks = tokio::time::interval(MEASURE);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            let depth = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                depth = queue.queue().depth() => depth.ok(),
            };
            *self.depth.lock().unwrap_or_else(PoisonError::into_inner) = depth;
        }
    }

    /// Takes up whatever the timetables do not know of: at once, and then as often as polls are made.
    async fn keep_sweeping(&self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(self.config.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            // Nothing here waits for what is in flight: one slow account must not keep another's
            // theft from being seen.
            self.engine.resume()?;
            self.engine.raise(self.config.raise_after).await?;
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
            self.engine.retry();
            if let Some(checkpoints) = &self.checkpoints {
                checkpoints.if_due(&self.ledger, &self.reader).await?;
            }
            if asked {
                self.reload().await?;
            }
            self.look_at_opt_outs(&mut file, asked).await?;
            self.tell_live();
            systemd::alive();
        }
    }

    async fn look_at_opt_outs(&self, file: &mut OptOutFile, asked: bool) -> Result<(), LedgerError> {
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
                tracing::error!("the opt-outs are NOT taken over, those from before still apply: {error}");
                self.ledger.append(Draft::of_service(Event::OptOutsRefused { error })).await?;
            }
        }
        Ok(())
    }
}
