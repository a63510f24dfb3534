//! The service's tasks: each owns what it needs, and what hangs in one cannot stop another.

use super::dispatcher::Dispatcher;
use super::heartbeat::Heartbeat;
use super::iam_watch::IamWatch;
use super::live::Live;
use super::log_watch::LogWatch;
use super::opt_outs::OptOutFile;
use super::reload::Reloader;
use super::status::StatusPublisher;
use super::upkeep::Upkeep;
use super::{Actor, Service, systemd, would_act_on};
use crate::alert::Alert;
use crate::incident::IncidentCounter;
use crate::ingest::{Inbox, joined};
use crate::ledger::LedgerError;
use crate::remediation::AlertCode;
use crate::replication::Acting;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Maximum time that tasks have to end at a stop. They end within a moment, but for the last words to SQS.
const TASKS_END: Duration = Duration::from_secs(5);

impl Service {
    /// Watches until `stop` is cancelled. Between the findings it takes up approvals, tries again what
    /// failed, and reads its files again when they changed or `reload` asks for it. What an earlier process
    /// left is taken up beside that, so that an account that hangs cannot keep thefts elsewhere from being seen;
    /// so is what was only observed, when `backlog` asks for it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(&self, backlog: bool, reload: Arc<Notify>) -> Result<(), LedgerError> {
        if !self.config.confirm {
            let text = "confirm = false: what the queue or the folder brings is believed as it is".to_owned();
            let what_to_do = "Whoever can write there can have roles revoked. Allow guardduty:GetFindings to the hub and take `confirm = false` out.";
            self.alerts.raise_alert(Alert::of_service(AlertCode::NotConfirming, text, what_to_do)).await?;
        }
        let heartbeat = Arc::new(Heartbeat::new());
        let mut observers = self.spawn_observers(&heartbeat)?;
        self.reconciler.resume()?;
        let mut tasks = self.spawn_tasks(reload, heartbeat)?;
        if backlog {
            let (sweep, wanted) = (Arc::clone(&self.feeds.sweep), would_act_on(&self.config, &self.hub));
            tasks.spawn(async move { sweep.observed(wanted).await });
        }
        let (ledger, reconciler) = (self.ledger.clone(), Arc::clone(&self.reconciler));
        self.shared.acts(Some(Actor { ledger, reconciler }));
        systemd::ready();
        let ran = tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            ran = all_ended(&mut tasks) => ran,
        };
        systemd::stopping(self.config.drain_timeout);
        self.shared.acts(None);
        self.stop.cancel();
        // What hangs in a task must not keep the process from stopping either.
        let longest = TASKS_END.min(self.config.drain_timeout);
        let ended = tokio::time::timeout(longest, all_ended(&mut tasks)).await.unwrap_or(Ok(()));
        let drained = self.drained().await;
        observers.shutdown().await;
        Live::remove(&self.config.ledger);
        ran.and(ended).and(drained)
    }

    /// Starts what acts. Each task ends when the service is to stop, or with the ledger's error.
    fn spawn_tasks(
        &self,
        reload: Arc<Notify>,
        heartbeat: Arc<Heartbeat>,
    ) -> Result<JoinSet<Result<(), LedgerError>>, LedgerError> {
        let mut tasks = JoinSet::new();
        self.feeds.spawn(&mut tasks, &self.stop);
        let inbox = Inbox::new(self.ledger.reader()?, self.feeds.intake.clone());
        tasks.spawn(inbox.run(self.stop.clone()));
        // Instances and calls are looked for in the regions that are watched.
        let (regions, reconciler) = (Arc::clone(&self.feeds.regions), Arc::clone(&self.reconciler));
        let pursuit = self.pursuit.clone();
        let (mut changes, stop) = (regions.subscribe(), self.stop.clone());
        tasks.spawn(async move {
            while let Some(Ok(())) = stop.run_until_cancelled(changes.changed()).await {
                reconciler.evidence().use_regions(regions.regions());
                pursuit.use_regions(regions.regions());
            }
            Ok(())
        });
        let dispatcher = Dispatcher {
            reconciler: Arc::clone(&self.reconciler),
            searched: self.started_at,
            heartbeat,
            stop: self.stop.clone(),
        };
        tasks.spawn(dispatcher.run());
        let reconciler = Arc::clone(&self.reconciler);
        tasks.spawn(self.pursuit.clone().run(move || reconciler.policy()));
        let upkeep = Upkeep {
            config: Arc::clone(&self.config),
            reader: self.ledger.reader()?,
            hub: self.hub.clone(),
            alerts: Arc::clone(&self.alerts),
            reconciler: Arc::clone(&self.reconciler),
            folder: self.feeds.folder.clone(),
            stop: self.stop.clone(),
        };
        tasks.spawn(upkeep.run());
        let reloader = Reloader {
            config: Arc::clone(&self.config),
            ledger: self.ledger.clone(),
            reader: self.ledger.reader()?,
            reconciler: Arc::clone(&self.reconciler),
            types: self.types.clone(),
            sweep: Arc::clone(&self.feeds.sweep),
            file: OptOutFile::new(&self.config.opt_outs_file, self.config.opt_outs.clone()),
            shared: Arc::clone(&self.shared),
            stop: self.stop.clone(),
        };
        tasks.spawn(reloader.run(reload));
        if let Some(checkpoints) = self.checkpoints.clone() {
            let (ledger, reader) = (self.ledger.clone(), self.ledger.reader()?);
            tasks.spawn(checkpoints.run(ledger, reader, self.stop.clone()));
        }
        if let Some(witnessing) = self.witnessing.clone() {
            tasks.spawn(witnessing.run(self.stop.clone()));
        }
        for cosigning in self.cosigning()? {
            tasks.spawn(cosigning.run());
        }
        if let Some(writer) = self.back_writer()? {
            tasks.spawn(writer.run(self.stop.clone()));
        }
        let iam_watch = IamWatch {
            ledger: self.ledger.clone(),
            reader: self.ledger.reader()?,
            alerts: Arc::clone(&self.alerts),
            raise_after: self.config.raise_after,
            stop: self.stop.clone(),
        };
        tasks.spawn(iam_watch.run());
        if let Some((_, host)) = self.acting.as_ref().and_then(Acting::lead_of) {
            let (ledger, notifier) = (self.ledger.clone(), self.notifier.clone());
            tasks.spawn(LogWatch { ledger, notifier, host, stop: self.stop.clone() }.run());
        }
        if let Some(notifier) = self.notifier.clone() {
            let stop = self.stop.clone();
            tasks.spawn(async move { notifier.run(&stop).await });
        }
        Ok(tasks)
    }

    /// Starts what shows how the others are. It goes on while the service stops.
    fn spawn_observers(&self, heartbeat: &Arc<Heartbeat>) -> Result<JoinSet<()>, LedgerError> {
        let mut observers = JoinSet::new();
        let publisher = StatusPublisher {
            config: Arc::clone(&self.config),
            reader: self.ledger.reader()?,
            ledger: self.ledger.clone(),
            lead: self.acting.as_ref().and_then(Acting::lead_of),
            reconciler: Arc::clone(&self.reconciler),
            feeds: self.feeds.clone(),
            shared: Arc::clone(&self.shared),
            heartbeat: Arc::clone(heartbeat),
            incidents: IncidentCounter::default(),
            witnessing: self.witnessing.clone(),
            started: Timestamp::now(),
            stop: self.stop.clone(),
        };
        observers.spawn(publisher.run());
        Ok(observers)
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
            self.feeds.intake.settled().await;
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
        self.reconciler.take_fault()
    }
}

/// Waits until all tasks have ended; one that fails ends the waiting.
async fn all_ended(tasks: &mut JoinSet<Result<(), LedgerError>>) -> Result<(), LedgerError> {
    while let Some(done) = tasks.join_next().await {
        joined(done)?;
    }
    Ok(())
}
