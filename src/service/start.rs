//! How a service starts: the ledger, the hub, the organization.

use super::checkpoints::Checkpoints;
use super::face::Face;
use super::feeds::{Feeds, Plumbing};
use super::live::Live;
use super::witness::Witnessing;
use super::{Service, Shared, opt_outs, rules};
use crate::alert::{Alert, Alerts};
use crate::aws::{Hub, hub_hint, who_hint};
use crate::config::Config;
use crate::ident::Partition;
use crate::ingest::{WatchedRegions, intake_channel};
use crate::ledger::{Append, Ledger, LedgerError, Reader};
use crate::notify::{Notifier, NotifierError};
use crate::org::Snapshot;
use crate::plural::counted;
use crate::reconcile::{ORGANIZATION_AGE, Reconciler, read_organization};
use crate::remediation::{AlertCode, CallError, CallSink, Draft, Event};
use crate::remedy::MemberAccess;
use crate::replication::{Acting, open_ledger};
use crate::watch::{Needs, Pursuit};
use crate::witness::{Cosigner, NoCosigner};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Maximum time that a start waits for Organizations where the accounts are known from an earlier reading.
const ORGANIZATION_WAIT: Duration = Duration::from_secs(10);

/// What a service is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To act. It takes the ledger's lock, so that there is one at a time.
    Act {
        /// Also on what was there before it began to watch.
        backlog: bool,
    },
    /// To show what would be done. It records its AWS calls, and what of the organization could not
    /// be read.
    Plan,
}

/// Why the service could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the hub cannot use AWS")]
    Aws {
        /// The call that failed.
        #[source]
        error: CallError,
        /// What to do about it.
        hint: String,
    },
    /// Notifications cannot be sent.
    #[error(transparent)]
    Notifier(#[from] NotifierError),
    /// Witnesses cannot be asked.
    #[error(transparent)]
    Cosigner(#[from] NoCosigner),
    /// The opt-outs' file is gone.
    #[error(
        "{path}: gone or empty, and at the last start it had {}: restore it, or leave a comment in it to have none",
        counted(count, "opt-out")
    )]
    OptOutsGone {
        path: String,
        /// How many opt-outs were read last.
        count: usize,
    },
    /// The credentials are in another partition than the configured regions.
    #[error(
        "the credentials are in the partition {credentials}, but the configured regions are in {regions}"
    )]
    Partition {
        /// The partition of the caller's ARN.
        credentials: crate::ident::Partition,
        /// The partition of the regions.
        regions: crate::ident::Partition,
    },
}

/// The hub, for the credentials that there are. Its calls are recorded in the ledger.
///
/// # Errors
/// When AWS cannot be reached or refuses, or the credentials are in another partition.
pub async fn hub(config: &Config, ledger: &Ledger) -> Result<Hub, ServiceError> {
    let sink: Arc<dyn CallSink> = Arc::new(ledger.clone());
    let hub = Hub::connect(config.home_region(), &config.sts_regions, sink)
        .await
        .map_err(|error| ServiceError::Aws { hint: who_hint(&error), error })?;
    let (credentials, regions) = (hub.identity().partition, config.partition());
    if credentials != regions {
        return Err(ServiceError::Partition { credentials, regions });
    }
    Ok(hub)
}

/// The witnesses that the configuration names.
fn cosigners(config: &Config, hub: &Hub) -> Result<Vec<Cosigner>, NoCosigner> {
    let all = config.cosigners.iter();
    all.map(|one| Cosigner::new(&one.url, &one.public_key, hub.ca_bundle())).collect()
}

impl Service {
    /// Opens the ledger, finds out who the hub is and which accounts there are.
    ///
    /// # Errors
    /// When the ledger cannot be used, or the hub's AWS cannot be reached or refuses.
    pub async fn start(
        config: Config,
        command: &str,
        purpose: Purpose,
        stop: CancellationToken,
    ) -> Result<Self, ServiceError> {
        Self::start_shown(config, command, purpose, stop, None).await
    }

    /// The same, and `face` shows its status, if there is one.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_shown(
        config: Config,
        command: &str,
        purpose: Purpose,
        stop: CancellationToken,
        face: Option<&Face>,
    ) -> Result<Self, ServiceError> {
        let acting = match purpose {
            Purpose::Act { .. } => Some(Acting::begin(&config, command, stop.clone()).await?),
            Purpose::Plan => None,
        };
        Self::start_with(acting, config, command, purpose, stop, face).await
    }

    /// The same, for who has the right to act already, and whose status `face` shows.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(
        acting: Option<Acting>,
        config: Config,
        command: &str,
        purpose: Purpose,
        stop: CancellationToken,
        face: Option<&Face>,
    ) -> Result<Self, ServiceError> {
        // It is large, and callers would carry it along.
        let mut service = Box::pin(Self::put_together(acting, config, command, purpose, stop)).await?;
        if let Some(face) = face {
            service.shared = Arc::clone(face.shared());
            service.shared.accept(Arc::clone(&service.config));
        }
        Ok(service)
    }

    async fn put_together(
        acting: Option<Acting>,
        config: Config,
        command: &str,
        purpose: Purpose,
        stop: CancellationToken,
    ) -> Result<Self, ServiceError> {
        let acts = acting.is_some();
        if acts {
            // The status that an earlier process left.
            Live::remove(&config.ledger);
            super::metrics::start();
            super::metrics::zero(&config);
            super::limits::raise();
        }
        let ledger = match &acting {
            Some(acting) => acting.ledger().clone(),
            None => open_ledger(&config)?,
        };
        let reader = ledger.reader()?;
        let started_at = reader.last()?;
        let checkpoints =
            if acts { Some(Checkpoints::start(&config, &ledger, &reader).await?.that_go_on()) } else { None };
        // What an earlier process could not sign any more; and whether what was signed is still there.
        if let Some(checkpoints) = checkpoints.as_ref().filter(|_| config.signing_key.file().is_some()) {
            checkpoints.make(&ledger, &reader).await?;
        }
        match Self::connect(&config, command, purpose, &ledger, &reader).await {
            Ok((hub, organization)) => {
                let alerts = Arc::new(Alerts::new(&ledger)?);
                let reconciler = Reconciler::new(
                    &config,
                    purpose != Purpose::Act { backlog: false },
                    hub.clone(),
                    ledger.clone(),
                    Arc::clone(&alerts),
                    organization,
                    stop.clone(),
                )?;
                let (intake, intakes) = intake_channel();
                let receiver = tokio::spawn(Arc::clone(&reconciler).receive(intakes));
                let regions = Self::watch(&config, &hub, &ledger, &reader).await?;
                regions.begin();
                reconciler.evidence().use_regions(regions.regions());
                let pursuit = Pursuit::new(Needs {
                    ledger: ledger.clone(),
                    access: MemberAccess::new(hub.clone(), config.member.clone()),
                    alerts: Arc::clone(&alerts),
                    clock: hub.clock().clone(),
                    intake: intake.clone(),
                    regions: regions.regions(),
                    stop: stop.clone(),
                })?;
                let types = watch::Sender::new(reconciler.policy().rules.types());
                let plumbing = Plumbing {
                    hub: &hub,
                    ledger: &ledger,
                    alerts: &alerts,
                    intake,
                    regions,
                    types: types.subscribe(),
                    stop: &stop,
                    acts,
                };
                let feeds = Feeds::new(&config, plumbing)?;
                let name = format!("rescind-{}", reader.identity()?);
                let checkpoints = checkpoints.map(Arc::new);
                let signs = checkpoints.as_ref();
                let witnessing = Witnessing::of_config(&config, &hub, &ledger, &alerts, signs)?;
                let cosigners = cosigners(&config, &hub)?;
                let notifier = Notifier::new(hub.clone(), ledger.clone(), &config, name).await?;
                let config = Arc::new(config);
                Ok(Self {
                    shared: Arc::new(Shared::new(Arc::clone(&config))),
                    config,
                    ledger,
                    reader,
                    hub,
                    alerts,
                    reconciler,
                    pursuit,
                    feeds,
                    types,
                    started_at,
                    stop,
                    receiver,
                    acting,
                    notifier: notifier.map(Arc::new),
                    checkpoints,
                    witnessing: witnessing.map(Arc::new),
                    cosigners,
                })
            }
            Err(error) => {
                if acts && let ServiceError::Aws { error, hint } = &error {
                    ledger.append(Draft::feed_failed(None, error.to_string(), hint.clone())).await?;
                }
                ledger.close();
                if let Some(acting) = acting {
                    acting.end().await;
                }
                Err(error)
            }
        }
    }

    /// The regions. When AWS does not say which are enabled, those that are named, and those that were
    /// watched before.
    async fn watch(
        config: &Config,
        hub: &Hub,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<WatchedRegions, LedgerError> {
        let regions = WatchedRegions::of(&config.regions, config.all_regions);
        if config.all_regions
            && let Err(error) = regions.find(hub).await
        {
            let hint = format!(
                "{} Until then only the regions that are named, and those that were watched before, are.",
                hub_hint(&error, hub.identity())
            );
            tracing::error!(hint, "not known which regions are enabled: {error}");
            ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
            let partition = hub.identity().partition;
            let before = reader.watched()?.into_iter();
            regions.add(before.filter(|region| Partition::of_region(region) == partition));
        }
        Ok(regions)
    }

    async fn connect(
        config: &Config,
        command: &str,
        purpose: Purpose,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<(Hub, Arc<Snapshot>), ServiceError> {
        let recorded = reader.opt_outs()?;
        if (config.opt_outs.sha256.is_empty() || opt_outs::is_blank(&config.opt_outs)) && !recorded.is_empty()
        {
            return Err(ServiceError::OptOutsGone {
                path: config.opt_outs_file.display().to_string(),
                count: recorded.len(),
            });
        }
        if let Purpose::Act { backlog } = purpose {
            let started = Event::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                command: command.to_owned(),
                mode: config.mode,
                config_sha256: config.sha256.clone(),
                backlog,
            };
            let opt_outs = opt_outs::loaded(&config.opt_outs, &recorded, Timestamp::now());
            opt_outs::warn(&config.opt_outs);
            rules::warn(config);
            let gone = opt_outs::taken_away(&config.opt_outs, &recorded);
            let mut entries = vec![Draft::of_service(started), Draft::of_service(opt_outs)];
            if !gone.is_empty() {
                let text = format!("opt-outs removed or changed since the last start: {}", gone.join(", "));
                let what_to_do =
                    "See that this is meant: what they kept from being done is done from now on.";
                entries.push(Alert::of_service(AlertCode::OptOutsGone, text, what_to_do).raised());
            }
            ledger.append(Append { entries, ..Append::default() }).await?;
        }
        let hub = hub(config, ledger).await?;
        if let Some(text) = hub.clock().difference() {
            tracing::warn!("{text}: AWS's time is used for cutoffs and for the ages of findings");
        }
        let identity = hub.identity();
        tracing::debug!(account = %identity.account, arn = identity.arn, "connected");
        if let Purpose::Act { .. } = purpose {
            let (hub_account, hub_arn) = (identity.account.clone(), identity.arn.clone());
            ledger.append(Draft::of_service(Event::Connected { hub_account, hub_arn })).await?;
        }
        let organization = Self::organization(&hub, ledger, reader).await?;
        Ok((hub, organization))
    }

    /// The organization: as it was read within the hour, or as it is. When it cannot be read, as it
    /// was whenever it was read last; when it never was, none of its accounts is known, and what is
    /// about them waits.
    async fn organization(hub: &Hub, ledger: &Ledger, reader: &Reader) -> Result<Arc<Snapshot>, LedgerError> {
        let account = &hub.identity().account;
        let kept = reader.organization()?.filter(|kept| kept.read_by == *account).map(Arc::new);
        let age = |snapshot: &Arc<Snapshot>| Timestamp::now().duration_since(snapshot.read_at).abs();
        if let Some(kept) = kept.as_ref().filter(|kept| age(kept) < ORGANIZATION_AGE) {
            return Ok(Arc::clone(kept));
        }
        // One that is old is better than waiting for Organizations to answer: it is read again while the
        // service runs.
        let longest = if kept.is_some() { ORGANIZATION_WAIT } else { Duration::MAX };
        let Ok(read) = tokio::time::timeout(longest, read_organization(hub)).await else {
            tracing::error!("Organizations does not answer: the accounts are known as they were last read");
            return Ok(kept.unwrap_or_else(|| Arc::new(Snapshot::never_read(account))));
        };
        match read {
            Ok((snapshot, append)) => {
                ledger.append(append).await?;
                Ok(snapshot)
            }
            Err(error) => {
                let hint = hub_hint(&error, hub.identity());
                tracing::error!(hint, "the organization cannot be read: {error}");
                ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
                Ok(kept.unwrap_or_else(|| Arc::new(Snapshot::never_read(account))))
            }
        }
    }
}
