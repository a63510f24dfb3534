//! The configuration, read again while the service runs.

use super::opt_outs::{self, OptOutFile, Rejected};
use super::rules;
use super::shared::{Reread, Shared};
use super::take_up_ruled;
use crate::chain::chain;
use crate::config::{Config, OptOuts, WebSettings};
use crate::ingest::UndecidedSweep;
use crate::ledger::{Append, Ledger, LedgerError, Reader};
use crate::reconcile::Reconciler;
use crate::remediation::{Draft, Event};
use crate::triage::Types;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Interval between two looks at the opt-outs' file.
const LOOK: Duration = Duration::from_secs(1);

/// Reads the configuration again when a person asks for it, and the opt-outs also when their file changed.
pub(super) struct Reloader {
    pub config: Arc<Config>,
    pub ledger: Ledger,
    pub reader: Reader,
    pub reconciler: Arc<Reconciler>,
    /// The types that some rule could be for: the polls ask for them.
    pub types: watch::Sender<Types>,
    /// What no rule was for is decided again when one is.
    pub sweep: Arc<UndecidedSweep>,
    pub file: OptOutFile,
    pub shared: Arc<Shared>,
    pub stop: CancellationToken,
}

impl Reloader {
    /// Goes on until `stop` is cancelled; `asked` is notified when a person asks.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(mut self, asked: Arc<Notify>) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        take_up_ruled(&self.sweep, &self.reconciler).await?;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = asked.notified() => self.reload().await?,
                _ = ticks.tick() => {
                    let read = self.file.look(false).map(Result::<&OptOuts, Rejected>::cloned);
                    self.use_opt_outs(read).await?;
                }
            }
        }
    }

    /// Reads `rescind.toml` and the opt-outs again. What decides about findings applies at once: mode,
    /// rules, protected roles, budgets, the age, the account tag. Of the rest it is said that it needs a
    /// start. As at a start, a configuration is not used without its opt-outs: when they are broken, it
    /// stays as it was.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    async fn reload(&mut self) -> Result<(), LedgerError> {
        let config = Config::load_alone(&self.config.file);
        let opt_outs = self.file.look(true).map(Result::<&OptOuts, Rejected>::cloned);
        let config = match (config, &opt_outs) {
            (Ok(_), Some(Err(error))) => {
                let error = format!("the opt-outs cannot be used, and it is not used without them: {error}");
                self.refuse_reload(error).await?;
                None
            }
            (Err(error), _) => {
                self.refuse_reload(chain(&error)).await?;
                None
            }
            // It names another file, or now insists on one.
            (Ok(config), _) => match config.read_opt_outs() {
                Ok(_) => Some(config),
                Err(error) => {
                    let error = format!(
                        "the opt-outs cannot be used, and it is not used without them: {}",
                        chain(&error)
                    );
                    self.refuse_reload(error).await?;
                    None
                }
            },
        };
        let Some(config) = config else { return self.use_opt_outs(opt_outs).await };
        let needs_restart = needs_restart(&self.config, &config);
        // Recorded before it counts.
        let reloaded = Event::Reloaded {
            mode: config.mode,
            config_sha256: config.sha256.clone(),
            needs_restart: needs_restart.iter().map(|key| (*key).to_owned()).collect(),
        };
        let opt_outs = opt_outs.and_then(Result::ok);
        let mut entries = vec![Draft::of_service(reloaded)];
        if let Some(opt_outs) = &opt_outs {
            entries.push(Draft::of_service(self.loaded(opt_outs)?));
        }
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        self.reconciler.use_config(&config, opt_outs.as_ref());
        self.types.send_replace(self.reconciler.policy().rules.types());
        self.reconciler.retry_all()?;
        take_up_ruled(&self.sweep, &self.reconciler).await?;
        tracing::info!(mode = %config.mode, "the configuration was read again");
        rules::warn(&config);
        self.shared.accept(Arc::new(config));
        if !needs_restart.is_empty() {
            tracing::warn!(keys = needs_restart.join(", "), "these changes apply only after a restart");
        }
        if let Some(opt_outs) = &opt_outs {
            self.shared.refuse(Reread::OptOuts, None);
            tracing::info!(count = opt_outs.all.len(), "the opt-outs were read again");
            opt_outs::warn(opt_outs);
        }
        Ok(())
    }

    async fn refuse_reload(&self, error: String) -> Result<(), LedgerError> {
        tracing::error!("the configuration was REJECTED; the previous version stays in effect: {error}");
        self.shared.refuse(Reread::Config, Some(error.clone()));
        self.ledger.append(Draft::of_service(Event::ReloadRefused { error })).await.map(|_| ())
    }

    /// What is recorded of a reading.
    fn loaded(&self, opt_outs: &OptOuts) -> Result<Event, LedgerError> {
        Ok(opt_outs::loaded(opt_outs, &self.reader.opt_outs()?, Timestamp::now()))
    }

    /// Applies what a look at the opt-outs' file gave.
    async fn use_opt_outs(&self, read: Option<Result<OptOuts, Rejected>>) -> Result<(), LedgerError> {
        match read {
            None => {}
            Some(Ok(opt_outs)) => {
                let event = self.loaded(&opt_outs)?;
                let removed = match &event {
                    Event::OptOuts { removed, .. } => removed.clone(),
                    _ => Vec::new(),
                };
                // Recorded before it counts.
                self.ledger.append(Draft::of_service(event)).await?;
                self.reconciler.use_opt_outs(&opt_outs);
                self.reconciler.retry_all()?;
                self.shared.refuse(Reread::OptOuts, None);
                tracing::info!(count = opt_outs.all.len(), "the opt-outs were read again");
                if !removed.is_empty() {
                    tracing::warn!(removed = removed.join(", "), "these opt-outs do not apply any more");
                }
                opt_outs::warn(&opt_outs);
            }
            Some(Err(Rejected(error))) => {
                tracing::error!("the opt-outs were REJECTED; the previous version stays in effect: {error}");
                self.shared.refuse(Reread::OptOuts, Some(error.clone()));
                self.ledger.append(Draft::of_service(Event::OptOutsRefused { error })).await?;
            }
        }
        Ok(())
    }
}

/// The keys that are others and that a running service does not take over.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let are_other = [
        ("regions", (&old.regions, old.all_regions) != (&new.regions, new.all_regions)),
        ("sts_regions", old.sts_regions != new.sts_regions),
        (
            "ledger",
            (&old.ledger, &old.witness, &old.cosigners) != (&new.ledger, &new.witness, &new.cosigners),
        ),
        ("signing_key", old.signing_key != new.signing_key),
        ("poll_interval", old.poll_interval != new.poll_interval),
        ("calls_per_second", old.calls_per_second != new.calls_per_second),
        ("concurrency", old.concurrency != new.concurrency),
        ("write_back", old.write_back != new.write_back),
        ("opt_outs", old.opt_outs_file != new.opt_outs_file),
        ("approval_timeout", old.approval_timeout != new.approval_timeout),
        ("events", old.events != new.events),
        ("folder", old.folder != new.folder),
        ("confirm", old.confirm != new.confirm),
        ("raise_after", old.raise_after != new.raise_after),
        ("drain_timeout", old.drain_timeout != new.drain_timeout),
        ("listen", old.listen != new.listen),
        // Who may do what is taken over.
        (
            "web",
            WebSettings { grants: Vec::new(), ..old.web.clone() }
                != WebSettings { grants: Vec::new(), ..new.web.clone() },
        ),
        ("notify", old.channels != new.channels),
        ("member", old.member != new.member),
    ];
    are_other.into_iter().filter(|(_, is_other)| *is_other).map(|(key, _)| key).collect()
}
