//! Puts the ledger's latest checkpoint where nobody can replace it.
//!
//! A task of its own: a bucket that does not answer holds up neither containment nor the checkpoints.

use super::checkpoints::Checkpoints;
use super::live::WitnessLive;
use crate::alert::{Alert, Alerts};
use crate::aws::Hub;
use crate::backoff::Backoff;
use crate::config::Config;
use crate::digest::hex;
use crate::ledger::note::{Checkpoint, cosigned};
use crate::ledger::trust::KeySet;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{AlertCode, CallError, Draft, Event};
use crate::witness::{Kept, WitnessBucket};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval between two looks whether there is a new checkpoint.
const LOOK: Duration = Duration::from_secs(1);

/// Delay before a failed put is tried again.
const AGAIN: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// Maximum time that a stop waits for the last checkpoint to be put. The next start puts it otherwise.
const LAST: Duration = Duration::from_secs(3);

/// Time for which a checkpoint that is not cosigned yet waits for those that cosign.
const COSIGNED_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// Puts checkpoints into the witness's bucket.
pub(super) struct Witnessing {
    bucket: WitnessBucket,
    ledger: Ledger,
    reader: Reader,
    alerts: Arc<Alerts>,
    /// They know this host's key, once it is known.
    checkpoints: Arc<Checkpoints>,
    /// Time of failures after which an alert is raised.
    raise_after: SignedDuration,
    /// Number of witnesses that cosign. What they give in time stands in the object as well.
    cosigners: usize,
    live: Mutex<WitnessLive>,
}

/// Why a checkpoint was not put.
#[derive(Debug, thiserror::Error)]
enum NotPut {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Aws(#[from] CallError),
}

impl Witnessing {
    /// Goes on from what was witnessed last, by whichever host; none where there is no witness, or nothing is signed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of_config(
        config: &Config,
        hub: &Hub,
        ledger: &Ledger,
        alerts: &Arc<Alerts>,
        checkpoints: Option<&Arc<Checkpoints>>,
    ) -> Result<Option<Self>, LedgerError> {
        let (Some(settings), Some(checkpoints)) = (&config.witness, checkpoints) else { return Ok(None) };
        let reader = ledger.reader()?;
        let live = Mutex::new(WitnessLive {
            size: reader.last_witnessed()?.map(|last| last.size),
            ..WitnessLive::default()
        });
        Ok(Some(Self {
            bucket: WitnessBucket::of_hub(hub, settings, config.home_region()),
            ledger: ledger.clone(),
            reader,
            alerts: Arc::clone(alerts),
            checkpoints: Arc::clone(checkpoints),
            raise_after: config.raise_after,
            cosigners: config.cosigners.len(),
            live,
        }))
    }

    /// How it is doing.
    #[must_use]
    pub fn live(&self) -> WitnessLive {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, WitnessLive> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failures: u32 = 0;
        let mut failed: Option<(Timestamp, Instant)> = None;
        let mut next = Instant::now();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if Instant::now() < next {
                continue;
            }
            match stop.run_until_cancelled(self.put_latest(true)).await {
                None => break,
                Some(Ok(())) => {
                    (failures, failed) = (0, None);
                    let mut live = self.state();
                    (live.failures, live.error) = (0, None);
                }
                Some(Err(NotPut::Ledger(error))) => return Err(error),
                Some(Err(NotPut::Aws(error))) => {
                    failures = failures.saturating_add(1);
                    next = Instant::now() + AGAIN.after(failures);
                    let (since, begun) = *failed.get_or_insert_with(|| (Timestamp::now(), Instant::now()));
                    self.failed(&error, failures);
                    if begun.elapsed() >= self.raise_after.unsigned_abs() {
                        self.alerts.raise_alert(self.unreachable(&error, since)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts the last checkpoint of a service that stops, if that takes no longer than a moment.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn put_last(&self) -> Result<(), LedgerError> {
        match crate::aws::within(LAST, self.put_latest(false)).await {
            Some(Err(NotPut::Ledger(error))) => Err(error),
            Some(Err(NotPut::Aws(error))) => {
                self.failed(&error, 1);
                Ok(())
            }
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Puts the latest checkpoint, unless it stands there or says nothing but that others do. It `waits` for those that
    /// cosign: the next look comes soon.
    async fn put_latest(&self, waits: bool) -> Result<(), NotPut> {
        let latest = self.state().size;
        let Some((size, made)) = self.reader.checkpointed()? else { return Ok(()) };
        if latest.is_some_and(|latest| latest >= size) {
            return Ok(());
        }
        if let Some(latest) = latest
            && !self.reader.is_worth_witnessing(latest, size)?
        {
            return Ok(());
        }
        let cosignatures = self.reader.cosignatures(size)?;
        let is_early =
            (SignedDuration::ZERO..COSIGNED_WITHIN).contains(&Timestamp::now().duration_since(made));
        if waits && is_early && cosignatures.len() < self.cosigners {
            return Ok(());
        }
        let Some((_, note)) = self.reader.latest_checkpoint()?.filter(|(latest, _)| *latest == size) else {
            return Ok(());
        };
        let keys = self.keys()?;
        let is_trusted = |note: &str| keys.open(note).is_some();
        // What somebody else put into the ledger is not published.
        let Some(checkpoint) = Checkpoint::parse(&note).filter(|_| is_trusted(&note)) else { return Ok(()) };
        let note = cosigned(note, &cosignatures);
        let kept = self.bucket.keep(&checkpoint, &note, is_trusted).await?;
        self.record(&checkpoint, kept, cosignatures).await?;
        Ok(())
    }

    /// Says in the ledger what stands where.
    async fn record(
        &self,
        checkpoint: &Checkpoint,
        kept: Kept,
        cosignatures: Vec<String>,
    ) -> Result<(), LedgerError> {
        tracing::info!(size = checkpoint.size, object = kept.object, "the checkpoint stands at the witness");
        if !kept.foreign.is_empty() {
            self.ledger.append(Self::differs(checkpoint, &kept).raised()).await?;
        }
        let event = Event::Witnessed {
            size: checkpoint.size,
            root: hex(&checkpoint.root),
            object: kept.object,
            sha256: kept.sha256,
            found_in_place: kept.found_in_place,
            retained_until: kept.retained_until,
            cosignatures,
        };
        self.ledger.append(Draft::of_service(event)).await?;
        let mut live = self.state();
        (live.size, live.at) = (Some(checkpoint.size), Some(Timestamp::now()));
        Ok(())
    }

    /// The keys of the ledger: another host may have signed what stands in the bucket.
    fn keys(&self) -> Result<KeySet, LedgerError> {
        let own: Vec<_> = self.checkpoints.public().into_iter().collect();
        Ok(KeySet::find(&own, &self.reader.named_keys()?))
    }

    fn failed(&self, error: &CallError, failures: u32) {
        metrics::counter!("rescind_witness_errors_total").increment(1);
        tracing::warn!(failures, "no checkpoint at the witness: {error}");
        let mut live = self.state();
        (live.failures, live.error) = (failures, Some(error.to_string()));
    }

    fn unreachable(&self, error: &CallError, since: Timestamp) -> Alert {
        let text = format!(
            "since {since:.0} no checkpoint could be put into the bucket {}: {error}",
            self.bucket.bucket().name()
        );
        let what_to_do = "Containment goes on. Until the bucket answers, whoever can write to the ledger can change what is not in it yet: keep a copy of the ledger's checkpoint elsewhere. `rescind doctor` looks at the bucket and at what the hub may do there.";
        Alert::of_service(AlertCode::WitnessUnreachable, text, what_to_do)
    }

    fn differs(checkpoint: &Checkpoint, kept: &Kept) -> Alert {
        let text = format!(
            "in the place of the checkpoint over {} entries stood something else, which this ledger never signed: {}. The checkpoint is kept as {}",
            checkpoint.size,
            kept.foreign.join(", "),
            kept.object
        );
        let what_to_do = "Somebody who may put objects there forges checkpoints: the hub's role may be stolen. Keep copies of the ledger and of these objects, see who put them (CloudTrail, data events of the bucket), and compare: `rescind ledger verify`.";
        Alert::of_service(AlertCode::WitnessDiffers, text, what_to_do)
    }
}
