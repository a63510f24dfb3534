//! When checkpoints of the ledger are made, and where they go.

use super::host_key::{HostKey, beside};
use super::key_offers::KeyOffers;
use crate::alert::Alert;
use crate::config::Config;
use crate::ledger::note::{Checkpoint, PublicKey, Signer, cosigned};
use crate::ledger::trust::KeySet;
use crate::ledger::{Ledger, LedgerError, Reader, checkpoint_file, publish_checkpoint};
use crate::remediation::{AlertCode, Draft, Event};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Maximum number of entries without a checkpoint.
const EVERY_ENTRIES: i64 = 1000;

/// Maximum time for which new entries wait for a checkpoint.
const EVERY: Duration = Duration::from_mins(10);

/// Interval between two looks whether one is due.
const LOOK: Duration = Duration::from_secs(1);

/// Signs how the ledger stands, and says it where it can be kept.
pub struct Checkpoints {
    key: HostKey,
    offers: KeyOffers,
    /// A key of the ledger has signed for this one, where that is needed.
    may_sign: AtomicBool,
    /// Where the key is.
    key_file: PathBuf,
    file: PathBuf,
    /// The last entry of the latest one, and when it was made.
    latest: Mutex<(i64, Instant)>,
    /// Held while the file is written, so that an older one never comes after a newer one.
    publishing: Mutex<()>,
    goes_on: bool,
    warned: AtomicBool,
}

impl Checkpoints {
    /// With the configured key: made, when there is none. A key that the ledger does not know yet is recorded; on a
    /// ledger that several hosts share, it is offered, and signs nothing until a key of the ledger has signed for it.
    ///
    /// # Errors
    /// When the key cannot be read or made, or the ledger not be written.
    pub async fn start(config: &Config, ledger: &Ledger, reader: &Reader) -> Result<Self, LedgerError> {
        let key = HostKey::open(config, reader)?;
        if let Some(introduction) = key.introduction(reader)? {
            ledger.append(introduction).await?;
        }
        let may_sign = key.may_sign(reader)?;
        // What an earlier process left unsigned counts as well.
        let done = reader.latest_checkpoint()?.map_or(0, |(size, _)| size);
        let latest = Mutex::new((i64::try_from(done).unwrap_or(i64::MAX), Instant::now()));
        Ok(Self {
            key,
            offers: KeyOffers::default(),
            may_sign: AtomicBool::new(may_sign),
            key_file: config.signing_key.clone(),
            file: checkpoint_file(&config.ledger),
            latest,
            publishing: Mutex::default(),
            goes_on: false,
            warned: AtomicBool::new(false),
        })
    }

    /// Goes on with this host's key where no key is left that could sign for it. Auditors see that nobody did.
    ///
    /// # Errors
    /// When the key cannot be read, or the ledger not be written.
    pub async fn replace_lost(
        config: &Config,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<PublicKey, LedgerError> {
        let this = Self::start(config, ledger, reader).await?;
        let own = this.key.public();
        let before = reader.named_keys()?.into_iter().map(|named| named.key).find(|key| *key != own);
        if let Some(before) = before.filter(|_| !this.may_sign()) {
            let (public_key, follows) = (own.to_string(), Some(this.signer().follow(&before)));
            let event = Event::SigningKey { public_key, endorsed: None, follows, accepts: Vec::new() };
            ledger.append(Draft::of_service(event)).await?;
        }
        Self::start(config, ledger, reader).await?.make(ledger, reader).await?;
        Ok(own)
    }

    /// Whether this host's key may sign.
    #[must_use]
    pub fn may_sign(&self) -> bool {
        self.may_sign.load(Ordering::Relaxed)
    }

    /// For what cannot be done without a signature.
    ///
    /// # Errors
    /// When this host's key may not sign.
    pub fn that_sign(self) -> Result<Self, LedgerError> {
        if self.may_sign() { Ok(self) } else { Err(self.not_endorsed()) }
    }

    /// Signs for keys that other hosts have offered.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn answer_offers(&self, ledger: &Ledger, reader: &Reader) -> Result<(), LedgerError> {
        self.offers.answer(self.signer(), ledger, reader).await
    }

    fn not_endorsed(&self) -> LedgerError {
        LedgerError::NotEndorsed { path: self.key_file.display().to_string() }
    }

    /// Puts a new key in the place of the configured one. The old key signs for the new one. The old
    /// key's file is kept.
    ///
    /// # Errors
    /// When a key cannot be read, made or put in its place, or the ledger not be written.
    pub async fn rotate(config: &Config, ledger: &Ledger, reader: &Reader) -> Result<Rotated, LedgerError> {
        let old = Self::start(config, ledger, reader).await?.that_sign()?;
        let file = &config.signing_key;
        let unusable = |error| LedgerError::Io { path: file.display().to_string(), error };
        let random = |error| unusable(std::io::Error::other(error));
        // All that there is so far is the old key's word.
        old.make(ledger, reader).await?;
        let before = old.key.public();
        let new = Signer::generate(before.name()).map_err(random)?;
        let (coming, retired) = (beside(file, ".new"), beside(file, &format!(".{}.retired", before.id())));
        match std::fs::remove_file(&coming) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        new.save(&coming).map_err(unusable)?;
        let endorsed = Some(old.signer().endorse(&new.public()));
        let follows = Some(new.follow(&before));
        // What is trusted beside the old key is trusted beside the new one.
        let set = KeySet::find(std::slice::from_ref(&before), &reader.named_keys()?);
        let accepts = set.beside(&before).map(|key| new.endorse(key)).collect();
        let event = Event::SigningKey { public_key: new.public().to_string(), endorsed, follows, accepts };
        ledger.append(Draft::of_service(event)).await?;
        // The file is there at any moment: first the one, and then the other.
        match std::fs::hard_link(file, &retired) {
            // A rotation that was interrupted here left it.
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(unusable(error)),
            _ => {}
        }
        std::fs::rename(&coming, file).map_err(unusable)?;
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        std::fs::File::open(directory.unwrap_or(Path::new(".")))
            .and_then(|directory| directory.sync_all())
            .map_err(unusable)?;
        Self::start(config, ledger, reader).await?.make(ledger, reader).await?;
        Ok(Rotated { new: new.public(), retired })
    }

    /// Makes one whenever it is time, until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn run(
        self: Arc<Self>,
        ledger: Ledger,
        reader: Reader,
        stop: CancellationToken,
    ) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if self.may_sign() {
                self.answer_offers(&ledger, &reader).await?;
            } else if self.key.may_sign(&reader)? {
                self.make(&ledger, &reader).await?;
            }
            let (entry, at) = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            if reader.last()? - entry >= EVERY_ENTRIES || at.elapsed() >= EVERY {
                self.make(&ledger, &reader).await?;
            }
        }
        Ok(())
    }

    /// A person must look at it. It is said once in each run.
    async fn warn(&self, ledger: &Ledger, error: &LedgerError) -> Result<(), LedgerError> {
        tracing::error!("no checkpoint: {error}");
        if !self.warned.swap(true, Ordering::Relaxed) {
            if let LedgerError::NotEndorsed { .. } = error {
                let text = format!(
                    "this host leads and signs no checkpoints: no key of this ledger has signed for its key {}",
                    self.key.public()
                );
                let what_to_do = "Run `rescind ledger checkpoint` on a host that has signed before, or copy its ledger.key here and restart. If no such key is left: `rescind ledger rotate-key --lost`.";
                let alert = Alert::of_service(AlertCode::SigningKeyNotEndorsed, text, what_to_do);
                ledger.append(alert.raised()).await?;
                self.count(None);
                return Ok(());
            }
            let what_to_do = "Keep a copy of the ledger as evidence, and find out who can write to it. `rescind ledger verify` with a kept checkpoint shows what was changed.";
            let alert = Alert::of_service(AlertCode::LedgerTampered, error.to_string(), what_to_do);
            ledger.append(alert.raised()).await?;
        }
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).1 = Instant::now();
        Ok(())
    }

    fn count(&self, size: Option<u64>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.1 = Instant::now();
        if let Some(size) = size {
            latest.0 = i64::try_from(size).unwrap_or(i64::MAX);
        }
    }

    #[must_use]
    pub fn signer(&self) -> &Arc<Signer> {
        self.key.signer()
    }

    /// For a service: what is wrong with the ledger is said, and does not end it.
    #[must_use]
    pub fn that_go_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    /// Makes one now. When there is nothing new, the latest one is published again: it still holds,
    /// and who keeps copies sees that the service is there.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn make(&self, ledger: &Ledger, reader: &Reader) -> Result<(), LedgerError> {
        if !self.may_sign() {
            if !self.key.may_sign(reader)? {
                let error = self.not_endorsed();
                if self.goes_on {
                    return self.warn(ledger, &error).await;
                }
                tracing::warn!("no checkpoint: {error}");
                return Ok(());
            }
            self.may_sign.store(true, Ordering::Relaxed);
        }
        let made = match ledger.checkpoint(self.signer()).await {
            // To revoke goes on: what somebody did to the ledger must not save a thief.
            Err(error @ LedgerError::Tampered { .. }) if self.goes_on => {
                return self.warn(ledger, &error).await;
            }
            made => made?,
        };
        let latest = match &made {
            Some(made) => Some((made.size, made.note.clone())),
            None => self.latest(reader)?,
        };
        self.count(made.map(|made| made.size));
        let Some((_, note)) = latest else { return Ok(()) };
        let lines: Vec<&str> = note.lines().filter(|line| !line.is_empty()).collect();
        tracing::info!(checkpoint = lines.join(" | "), "checkpoint");
        match self.write(reader)? {
            Ok(None) => Ok(()),
            // Somebody has put an older copy in the ledger's place, or another ledger.
            Ok(Some(kept)) => {
                tracing::error!(kept = %kept.display(), "a checkpoint was there that is not of this ledger as it is: it is kept");
                let text = format!(
                    "beside the ledger was a checkpoint that it never made: an older copy was put in its place, or another ledger: {}",
                    kept.display()
                );
                let what_to_do = "Keep copies of the ledger and of that file. `rescind ledger verify --checkpoint FILE` shows what is missing. If you have put a backup in place yourself, move the file away.";
                let alert = Alert::of_service(AlertCode::LedgerReplaced, text, what_to_do);
                ledger.append(alert.raised()).await.map(|_| ())
            }
            Err(error) => {
                tracing::error!(file = %self.file.display(), %error, "the checkpoint cannot be written to its file");
                Ok(())
            }
        }
    }
}

impl Checkpoints {
    /// The latest one of this key or one that it trusts: how many entries it is over, and the note. What somebody else
    /// put there is none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn latest(&self, reader: &Reader) -> Result<Option<(u64, String)>, LedgerError> {
        let latest = reader.latest_checkpoint()?;
        let keys = KeySet::find(&[self.key.public()], &reader.named_keys()?);
        Ok(latest.filter(|(_, note)| keys.open(note).is_some()))
    }

    /// Writes the latest one to its file again, with what witnesses have cosigned meanwhile.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn publish_again(&self, reader: &Reader) -> Result<(), LedgerError> {
        if let Err(error) = self.write(reader)? {
            tracing::error!(file = %self.file.display(), %error, "the checkpoint cannot be written to its file");
        }
        Ok(())
    }

    /// Writes the latest one with its cosignatures. Gives the name under which a file was kept that was there, and is
    /// not of this ledger.
    fn write(&self, reader: &Reader) -> Result<std::io::Result<Option<PathBuf>>, LedgerError> {
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((size, note)) = self.latest(reader)? else { return Ok(Ok(None)) };
        let note = cosigned(note, &reader.cosignatures(size)?);
        // What cannot be read is not taken for known: evidence is rather kept once too often.
        let is_known = |there: &Checkpoint| reader.has_checkpoint(there).unwrap_or(false);
        Ok(publish_checkpoint(&self.file, &note, is_known))
    }
}

/// What became of the keys.
#[derive(Debug)]
pub struct Rotated {
    pub new: PublicKey,
    /// Where the old one is kept.
    pub retired: PathBuf,
}
