//! The service's loops, side by side: polls, events, files, and what happens between them.

use super::opt_outs::OptOutFile;
use super::{Service, systemd};
use crate::alert::{Alert, clock_far_off};
use crate::config::OptOuts;
use crate::ingest::joined;
use crate::ledger::LedgerError;
use crate::remediation::AlertCode;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How often the service looks for approvals, for what is to be tried again and for changes of its files.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// At a stop the loops end within a moment, but for the last words to SQS.
const LOOPS_END: Duration = Duration::from_secs(5);

/// How often what was left is taken up, at least.
const RESUME: Duration = Duration::from_mins(1);

impl Service {
    /// Watches until `stop` is cancelled. Between the findings it takes up approvals, tries again what
    /// failed, and reads its files again when they changed or `reload` asks for it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self, reload: &Notify) -> Result<(), LedgerError> {
        let all = Box::pin(async {
            tokio::try_join!(
                self.keep_feeding(),
                self.keep_regions(),
                self.keep_resuming(),
                self.keep_looking_around(reload),
                self.keep_notifying(),
            )
        });
        if !self.config.confirm {
            let text = "confirm = false: what the queue or the folder brings is believed as it is".to_owned();
            let what_to_do = "Whoever can write there can have roles revoked. Allow guardduty:GetFindings to the hub and take `confirm = false` out.";
            self.alerts.raise_alert(Alert::of_service(AlertCode::NotConfirming, text, what_to_do)).await?;
        }
        self.publish_status();
        // On its own: it tells how the others are.
        let answering = tokio::spawn(self.answering());
        systemd::ready();
        // What hangs in a loop must not keep the process from stopping either.
        let deadline = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LOOPS_END.min(self.config.drain_timeout)).await;
        };
        let ran = tokio::select! {
            ran = all => ran.map(|_| ()),
            () = deadline => Ok(()),
        };
        self.publish_status();
        let drained = match ran {
            Ok(()) => self.drained().await,
            Err(error) => Err(error),
        };
        self.withdraw_status();
        answering.abort();
        drained
    }

    /// Waits until everything that was begun is done. A stop gives it the configured time; what is left
    /// then is given up, and taken up at the next start.
    ///
    /// # Errors
    /// When the ledger failed meanwhile.
    pub async fn drained(&self) -> Result<(), LedgerError> {
        let deadline = async {
            self.stop.cancelled().await;
            tokio::time::sleep(self.config.drain_timeout).await;
        };
        let all = async {
            self.intake.settled().await;
            self.reconciler.drained().await
        };
        tokio::select! {
            biased;
            drained = all => return drained,
            () = deadline => {}
        }
        let jobs = self.reconciler.jobs();
        tracing::warn!(jobs, "not finished in time: the rest resumes at the next start");
        self.reconciler.give_up().await;
        self.reconciler.fault()
    }

    /// Each feed is a task of its own: what hangs in one cannot stop another.
    fn feeds_begin(&self) -> JoinSet<Result<(), LedgerError>> {
        let mut feeds = JoinSet::new();
        let (stop, intake) = (&self.stop, &self.intake);
        feeds.spawn(Arc::clone(&self.polls).run(intake.clone(), stop.clone()));
        feeds.spawn(Arc::clone(&self.sweep).run(self.config.poll_interval.min(RESUME), stop.clone()));
        if let Some(folder) = self.folder.clone() {
            feeds.spawn(async move { folder.run().await });
        }
        if let Some(queue) = self.queue.clone() {
            let measured = Arc::clone(&queue);
            feeds.spawn(async move { queue.run().await });
            feeds.spawn(async move {
                measured.measure().await;
                Ok(())
            });
        }
        let (regions, hub, stop) = (Arc::clone(&self.regions), self.hub.clone(), stop.clone());
        feeds.spawn(async move {
            regions.run(&hub, &stop).await;
            Ok(())
        });
        feeds
    }

    /// Waits until the feeds have ended; one that fails ends them all.
    async fn keep_feeding(&self) -> Result<(), LedgerError> {
        let mut feeds = self.feeds_begin();
        while let Some(done) = feeds.join_next().await {
            joined(done)?;
        }
        Ok(())
    }

    /// What is watched is where instances and calls are looked for.
    async fn keep_regions(&self) -> Result<(), LedgerError> {
        let mut regions = self.regions.subscribe();
        while let Some(Ok(())) = self.stop.run_until_cancelled(regions.changed()).await {
            self.reconciler.evidence().use_regions(self.regions.regions());
        }
        Ok(())
    }

    async fn keep_notifying(&self) -> Result<(), LedgerError> {
        match &self.notifier {
            Some(notifier) => notifier.run(&self.stop).await,
            None => Ok(()),
        }
    }

    /// Raises when a channel does not take what it is told: others may.
    async fn raise_undelivered(&self) -> Result<(), LedgerError> {
        let now = Timestamp::now();
        let failing: Vec<String> = self
            .reader
            .channels()?
            .into_iter()
            .filter(|state| self.config.channels.iter().any(|channel| channel.name == state.name))
            .filter(|state| {
                state.failed_since.is_some_and(|at| now.duration_since(at) >= self.config.raise_after)
            })
            .map(|state| format!("{} ({})", state.name, state.error.unwrap_or_default()))
            .collect();
        if failing.is_empty() {
            return Ok(());
        }
        let text = format!("notifications are not delivered: {}", failing.join("; "));
        let what_to_do =
            "Mend the channel: what waits for it is delivered then. `rescind notify test` tries it.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::NotNotified, text, what_to_do)).await
    }

    /// Takes up whatever the schedule does not know of, and raises what takes too long.
    async fn keep_resuming(&self) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(self.config.poll_interval.min(RESUME));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            // Nothing here waits for what is in flight: one slow account must not keep another's
            // theft from being seen.
            self.reconciler.resume()?;
            self.alerts.escalate(self.reconciler.policy().mode, self.config.raise_after).await?;
            if let Some(alert) = clock_far_off(self.hub.clock()) {
                self.alerts.raise_alert(alert).await?;
            }
            self.raise_undelivered().await?;
            if let Some(folder) = &self.folder {
                folder.raise_late().await?;
            }
            self.reconciler.keep_organization_fresh();
        }
    }

    async fn keep_looking_around(&self, reload: &Notify) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK_AROUND);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut file = OptOutFile::new(&self.config.opt_outs_file, self.config.opt_outs.clone());
        let mut approved = self.started_at;
        loop {
            let asked = tokio::select! {
                () = self.stop.cancelled() => {
                    systemd::stopping(self.config.drain_timeout);
                    return Ok(());
                }
                () = reload.notified() => true,
                _ = ticks.tick() => false,
            };
            approved = self.reconciler.take_up_approved(approved)?;
            Box::pin(self.reconciler.do_what_is_due()).await?;
            if let Some(checkpoints) = &self.checkpoints {
                checkpoints.if_due(&self.ledger, &self.reader).await?;
            }
            if asked {
                self.reload(&mut file).await?;
            } else {
                let read = file.look(false).map(Result::<&OptOuts, String>::cloned);
                self.take_over(read).await?;
            }
            self.publish_status();
            systemd::alive();
        }
    }
}
