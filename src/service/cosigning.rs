//! Has witnesses of other operators cosign the checkpoints, and records what they give.

use super::checkpoints::Checkpoints;
use crate::alert::{Alert, Alerts};
use crate::backoff::Backoff;
use crate::chain::chain;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{AlertCode, Draft, Event};
use crate::witness::{CosignError, Cosigned, Cosigner};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval between two looks whether there is a new checkpoint.
const LOOK: Duration = Duration::from_secs(1);

/// Minimum pause between two requests that a witness grants: at a flood of entries not each checkpoint is cosigned.
const PAUSE: Duration = Duration::from_secs(5);

/// Pauses after requests that fail.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(5) };

/// Timeout of a witness at the end of a command, which waits for it.
const AT_END: Duration = Duration::from_secs(10);

/// What asks one witness.
pub(super) struct Cosigning {
    pub cosigner: Cosigner,
    pub checkpoints: Arc<Checkpoints>,
    pub ledger: Ledger,
    pub reader: Reader,
    pub alerts: Arc<Alerts>,
    /// Time after which a witness that does not answer is an alert.
    pub raise_after: SignedDuration,
    pub stop: CancellationToken,
}

/// How a witness stands with this process.
struct Standing {
    /// Size of the last checkpoint that it cosigned.
    cosigned: u64,
    failures: u32,
    failing_since: Option<Instant>,
    not_before: Instant,
}

impl Cosigning {
    /// Goes on until `stop` is cancelled. What fails with the witness is asked again, and holds up nothing else.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(self) -> Result<(), LedgerError> {
        let mut standing = Standing {
            cosigned: self.last_cosigned()?,
            failures: 0,
            failing_since: None,
            not_before: Instant::now(),
        };
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if Instant::now() < standing.not_before {
                continue;
            }
            let Some((size, note)) = self.checkpoints.latest(&self.reader)? else { continue };
            if !self.is_worth_it(standing.cosigned, size)? {
                continue;
            }
            let asked = self.cosigner.cosign(&self.reader, (size, &note), standing.cosigned);
            let Some(asked) = self.stop.run_until_cancelled(asked).await else { break };
            let pause = match asked {
                Ok(cosigned) => {
                    self.record(size, cosigned).await?;
                    (standing.cosigned, standing.failures, standing.failing_since) = (size, 0, None);
                    PAUSE
                }
                Err(CosignError::Ledger(error)) => return Err(error),
                Err(error) => {
                    standing.failures = standing.failures.saturating_add(1);
                    let since = *standing.failing_since.get_or_insert_with(Instant::now);
                    let is_long = SignedDuration::try_from(since.elapsed())
                        .is_ok_and(|elapsed| elapsed >= self.raise_after);
                    self.failed(&error, is_long).await?;
                    let pause = BACKOFF.after(standing.failures);
                    error.retry_after().map_or(pause, |asked| asked.max(pause))
                }
            };
            standing.not_before = Instant::now() + pause;
        }
        Ok(())
    }

    /// Asks once, unless the witness has cosigned the latest checkpoint already.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn once(&self) -> Result<(), LedgerError> {
        let cosigned = self.last_cosigned()?;
        let Some((size, note)) = self.checkpoints.latest(&self.reader)? else { return Ok(()) };
        if !self.is_worth_it(cosigned, size)? {
            return Ok(());
        }
        let asked = self.cosigner.cosign(&self.reader, (size, &note), cosigned);
        match tokio::time::timeout(AT_END, asked).await {
            Ok(Ok(cosigned)) => self.record(size, cosigned).await,
            Ok(Err(CosignError::Ledger(error))) => Err(error),
            Ok(Err(error)) => self.failed(&error, false).await,
            Err(_) => {
                tracing::warn!(witness = self.cosigner.key().name(), "the witness does not answer in time");
                Ok(())
            }
        }
    }

    /// A checkpoint says more than that the one before it was cosigned.
    fn is_worth_it(&self, cosigned: u64, size: u64) -> Result<bool, LedgerError> {
        Ok(size > cosigned && (cosigned == 0 || self.reader.is_worth_witnessing(cosigned, size)?))
    }

    fn last_cosigned(&self) -> Result<u64, LedgerError> {
        Ok(self.reader.last_cosigned(self.cosigner.key().name())?.unwrap_or(0))
    }

    async fn record(&self, size: u64, cosigned: Cosigned) -> Result<(), LedgerError> {
        let Cosigned { cosignature, stranger } = cosigned;
        let witness = self.cosigner.key().name().to_owned();
        tracing::info!(witness, size, "the checkpoint was cosigned");
        if let Some(seen) = stranger {
            let text = format!(
                "the witness {witness} has seen a checkpoint over {seen} entries with the key of this ledger, which has made none there"
            );
            self.alerts.raise_alert(Alert::of_service(AlertCode::CosignerDiffers, text, WHAT_TO_DO)).await?;
        }
        let (at, cosignature) = (cosignature.time, cosignature.line);
        self.ledger.append(Draft::of_service(Event::Cosigned { witness, size, at, cosignature })).await?;
        self.checkpoints.publish_again(&self.reader)
    }

    async fn failed(&self, error: &CosignError, is_long: bool) -> Result<(), LedgerError> {
        let (witness, why) = (self.cosigner.key().name(), chain(error));
        tracing::warn!(witness, "the checkpoint was not cosigned: {why}");
        let (code, what_to_do) = if error.is_evidence() {
            (AlertCode::CosignerDiffers, WHAT_TO_DO)
        } else if error.needs_person() || is_long {
            (
                AlertCode::NotCosigned,
                "See `cosigners` in rescind.toml, and ask the witness's operator. It is asked again; until then nobody \
                 but this installation vouches for the ledger.",
            )
        } else {
            return Ok(());
        };
        let text = format!("the witness {witness} does not cosign: {why}");
        self.alerts.raise_alert(Alert::of_service(code, text, what_to_do)).await
    }
}

/// What to do when a witness has seen something else.
const WHAT_TO_DO: &str = "Keep copies of the ledger and of what the witness has as evidence, and find out who can write to the ledger and who \
                          can read its signing key. If you have restored a backup yourself, the ledger goes on without this witness: \
                          docs/runbook.md.";
