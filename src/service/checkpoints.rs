//! When checkpoints of the ledger are made, and where they go.

use crate::config::Config;
use crate::ledger::note::{PublicKey, Signer};
use crate::ledger::{Draft, Event, Ledger, LedgerError, Reader, checkpoint_file, publish};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A checkpoint is made at the latest after so many entries,
const EVERY_ENTRIES: i64 = 1000;

/// and after so much time, when there is anything new.
const EVERY: Duration = Duration::from_mins(10);

/// Signs how the ledger stands, and says it where it can be kept.
pub struct Checkpoints {
    signer: Arc<Signer>,
    file: PathBuf,
    /// The last entry of the latest one, and when it was made.
    latest: Mutex<(i64, Instant)>,
}

impl Checkpoints {
    /// With the configured key: made, when there is none. Another key than the last one is recorded.
    ///
    /// # Errors
    /// When the key cannot be read or made, or the ledger not be written.
    pub async fn start(config: &Config, ledger: &Ledger, reader: &Reader) -> Result<Self, LedgerError> {
        let unusable = |error| LedgerError::Io { path: config.signing_key.display().to_string(), error };
        let signer = match Signer::load(&config.signing_key) {
            Ok(signer) => signer,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let signer = Signer::new_log().map_err(|error| unusable(std::io::Error::other(error)))?;
                signer.save(&config.signing_key).map_err(unusable)?;
                tracing::info!(
                    file = %config.signing_key.display(), public_key = %signer.public(),
                    "made a new signing key: keep the public key where auditors find it"
                );
                signer
            }
            Err(error) => return Err(unusable(error)),
        };
        let public = signer.public().to_string();
        let recorded = reader.of_kind("signing_key")?.pop().map(|entry| entry.event);
        if recorded.as_ref() != Some(&Event::SigningKey { public_key: public.clone() }) {
            ledger.append(Draft::of_service(Event::SigningKey { public_key: public })).await?;
        }
        let latest = Mutex::new((reader.last()?, Instant::now()));
        Ok(Self { signer: Arc::new(signer), file: checkpoint_file(&config.ledger), latest })
    }

    /// Puts a new key in the place of the configured one. The old key signs for the new one: in the
    /// last checkpoint with it, the entry is that names it. The old key's file is kept.
    ///
    /// # Errors
    /// When a key cannot be read, made or put in its place, or the ledger not be written.
    pub async fn rotate(config: &Config, ledger: &Ledger, reader: &Reader) -> Result<Rotated, LedgerError> {
        let old = Self::start(config, ledger, reader).await?;
        let file = &config.signing_key;
        let unusable = |error| LedgerError::Io { path: file.display().to_string(), error };
        let random = |error| unusable(std::io::Error::other(error));
        let before = old.signer.public();
        let new = Signer::generate(before.name()).map_err(random)?;
        let named = |end: String| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let (coming, retired) = (named(".new".to_owned()), named(format!(".{}.retired", before.id())));
        match std::fs::remove_file(&coming) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        new.save(&coming).map_err(unusable)?;
        let event = Event::SigningKey { public_key: new.public().to_string() };
        ledger.append(Draft::of_service(event)).await?;
        old.make(ledger, reader).await?;
        std::fs::rename(file, &retired).map_err(unusable)?;
        std::fs::rename(&coming, file).map_err(unusable)?;
        Ok(Rotated { new: new.public(), retired })
    }

    /// Makes one if it is time.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn if_due(&self, ledger: &Ledger, reader: &Reader) -> Result<(), LedgerError> {
        let (entry, at) = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.last()? - entry >= EVERY_ENTRIES || at.elapsed() >= EVERY {
            self.make(ledger, reader).await?;
        }
        Ok(())
    }

    /// Makes one now. When there is nothing new, the latest one is published again: it still holds,
    /// and who keeps copies sees that the service is there.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn make(&self, ledger: &Ledger, reader: &Reader) -> Result<(), LedgerError> {
        let made = ledger.checkpoint(&self.signer).await?;
        let note = match &made {
            Some(made) => Some(made.note.clone()),
            None => reader.latest_checkpoint()?.map(|(_, note)| note),
        };
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.1 = Instant::now();
        if let Some(made) = made {
            latest.0 = i64::try_from(made.size).unwrap_or(i64::MAX);
        }
        drop(latest);
        let Some(note) = note else { return Ok(()) };
        let lines: Vec<&str> = note.lines().filter(|line| !line.is_empty()).collect();
        tracing::info!(checkpoint = lines.join(" | "), "checkpoint");
        if let Err(error) = publish(&self.file, &note) {
            tracing::error!(file = %self.file.display(), %error, "the checkpoint cannot be written to its file");
        }
        Ok(())
    }
}

/// What became of the keys.
#[derive(Debug)]
pub struct Rotated {
    /// The new key.
    pub new: PublicKey,
    /// Where the old one is kept.
    pub retired: PathBuf,
}
