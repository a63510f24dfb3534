//! When checkpoints of the ledger are made, and where they go.

use super::host_key::{HostKey, beside};
use super::key_offers::KeyOffers;
use crate::alert::Alert;
use crate::chain::chain;
use crate::config::{Config, SigningKey};
use crate::ledger::note::{Checkpoint, PublicKey, Signer, cosigned};
use crate::ledger::trust::KeySet;
use crate::ledger::{HostSigner, Ledger, LedgerError, Made, Reader, checkpoint_file, publish_checkpoint};
use crate::remediation::{AlertCode, Draft, Event};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// Maximum number of entries without a checkpoint.
const EVERY_ENTRIES: i64 = 1000;

/// Maximum time for which new entries wait for a checkpoint.
const EVERY: Duration = Duration::from_mins(10);

/// Interval between two looks whether one is due.
const LOOK: Duration = Duration::from_secs(1);

/// Time after which a key in KMS that did not sign is tried again.
const AGAIN: Duration = Duration::from_mins(1);

/// Signs how the ledger stands, and says it where it can be kept.
pub struct Checkpoints {
    config: Box<Config>,
    /// This host's key, once it is known: KMS may not answer at the start.
    key: OnceCell<HostKey>,
    offers: KeyOffers,
    /// A key of the ledger has signed for this one, where that is needed.
    may_sign: AtomicBool,
    file: PathBuf,
    /// The last entry of the latest one, and when it was made.
    latest: Mutex<(i64, Instant)>,
    /// Held while the file is written, so that an older one never comes after a newer one.
    publishing: Mutex<()>,
    /// Until when none is made, since the key could not sign.
    rests: Mutex<Option<Instant>>,
    goes_on: bool,
    /// What was raised in this run.
    warned: Mutex<Vec<AlertCode>>,
}

impl Checkpoints {
    /// With the configured key: made, when it is a file that is not there. A key that the ledger does not know yet is
    /// recorded; on a ledger that several hosts share, it is offered, and signs nothing until a key of the ledger has
    /// signed for it.
    ///
    /// # Errors
    /// When the key's file cannot be read or made, or the ledger not be written.
    pub async fn start(config: &Config, ledger: &Ledger, reader: &Reader) -> Result<Self, LedgerError> {
        // What an earlier process left unsigned counts as well.
        let done = reader.latest_checkpoint()?.map_or(0, |(size, _)| size);
        let latest = Mutex::new((i64::try_from(done).unwrap_or(i64::MAX), Instant::now()));
        let this = Self {
            config: Box::new(config.clone()),
            key: OnceCell::new(),
            offers: KeyOffers::default(),
            may_sign: AtomicBool::new(false),
            file: checkpoint_file(&config.ledger),
            latest,
            publishing: Mutex::default(),
            rests: Mutex::new(None),
            goes_on: false,
            warned: Mutex::default(),
        };
        match config.signing_key {
            SigningKey::File(_) => {
                this.key(ledger, reader).await?;
            }
            // Nobody waits for KMS who could contain a theft meanwhile.
            SigningKey::Kms(_) => {
                *this.rests.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
        }
        Ok(this)
    }

    /// This host's key, introduced to the ledger.
    async fn key(&self, ledger: &Ledger, reader: &Reader) -> Result<&HostKey, LedgerError> {
        self.key
            .get_or_try_init(|| async {
                let key = HostKey::open(&self.config, reader).await?;
                if let Some(introduction) = key.introduction(reader)? {
                    ledger.append(introduction).await?;
                }
                self.may_sign.store(key.may_sign(reader)?, Ordering::Relaxed);
                Ok(key)
            })
            .await
    }

    /// Goes on with this host's key where no key is left that could sign for it. Auditors see that nobody did.
    ///
    /// # Errors
    /// When the key cannot be read or does not sign, or the ledger not be written.
    pub async fn replace_lost(
        config: &Config,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<PublicKey, LedgerError> {
        let this = Self::start(config, ledger, reader).await?;
        let key = this.key(ledger, reader).await?;
        let own = key.public();
        let before = reader.named_keys()?.into_iter().map(|named| named.key).find(|key| *key != own);
        if let Some(before) = before.filter(|_| !this.may_sign()) {
            let (public_key, follows) = (own.to_string(), Some(key.signer().follow(&before)?));
            let event = Event::SigningKey { public_key, endorsed: None, follows, accepts: Vec::new() };
            ledger.append(Draft::of_service(event)).await?;
        }
        Self::start(config, ledger, reader).await?.make(ledger, reader).await?;
        Ok(own)
    }

    /// The public part of this host's key, once it is known.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        self.key.get().map(HostKey::public)
    }

    /// Whether this host's key may sign.
    fn may_sign(&self) -> bool {
        self.may_sign.load(Ordering::Relaxed)
    }

    /// What signs, for what cannot be done without a signature.
    ///
    /// # Errors
    /// When this host's key cannot be used, or may not sign.
    pub async fn signer(&self, ledger: &Ledger, reader: &Reader) -> Result<Arc<HostSigner>, LedgerError> {
        let key = self.key(ledger, reader).await?;
        if self.may_sign() { Ok(Arc::clone(key.signer())) } else { Err(self.not_endorsed()) }
    }

    /// Signs for keys that other hosts have offered, as many as may be added now.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn answer_offers(&self, ledger: &Ledger, reader: &Reader) -> Result<(), LedgerError> {
        while self.look_at_offers(ledger, reader).await? {}
        Ok(())
    }

    /// Looks at some of the offers. Gives whether there may be more to answer.
    async fn look_at_offers(&self, ledger: &Ledger, reader: &Reader) -> Result<bool, LedgerError> {
        match self.key.get() {
            Some(key) if self.may_sign() => self.offers.look(key.signer(), ledger, reader).await,
            _ => Ok(false),
        }
    }

    fn not_endorsed(&self) -> LedgerError {
        LedgerError::NotEndorsed { path: self.config.signing_key.to_string() }
    }

    /// Puts a new key in the place of the configured one. The old key signs for the new one. The old
    /// key's file is kept.
    ///
    /// # Errors
    /// When a key cannot be read, made or put in its place, or the ledger not be written.
    pub async fn rotate(
        config: &Config,
        file: &Path,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<Rotated, LedgerError> {
        let old = Self::start(config, ledger, reader).await?;
        let signer = old.signer(ledger, reader).await?;
        let unusable = |error| LedgerError::Io { path: file.display().to_string(), error };
        let random = |error| unusable(std::io::Error::other(error));
        // All that there is so far is the old key's word.
        old.make(ledger, reader).await?;
        let before = signer.public();
        let new = Signer::generate(before.name()).map_err(random)?;
        let (coming, retired) = (beside(file, ".new"), beside(file, &format!(".{}.retired", before.id())));
        match std::fs::remove_file(&coming) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        new.save(&coming).map_err(unusable)?;
        let endorsed = Some(signer.endorse(&new.public())?);
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

    /// Signs for another key, a file's or one in KMS, so that the configuration can name it from the next start on.
    ///
    /// # Errors
    /// When a key cannot be used, or the ledger not be written.
    pub async fn move_to(
        config: &Config,
        to: &SigningKey,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<PublicKey, LedgerError> {
        let old = Self::start(config, ledger, reader).await?;
        let signer = old.signer(ledger, reader).await?;
        let new = HostKey::of(to, config.log.is_some(), reader).await?;
        let (own, named) = (signer.public(), reader.named_keys()?);
        let set = KeySet::find(std::slice::from_ref(&own), &named);
        if !set.keys.contains(&new.public()) {
            let next = new.public();
            let accepts = set.beside(&next).map(|key| new.signer().endorse(key)).collect::<Result<_, _>>()?;
            let (public_key, endorsed) = (next.to_string(), Some(signer.endorse(&next)?));
            let event = Event::SigningKey { public_key, endorsed, follows: None, accepts };
            ledger.append(Draft::of_service(event)).await?;
        }
        old.make(ledger, reader).await?;
        Ok(new.public())
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
            let rests = *self.rests.lock().unwrap_or_else(PoisonError::into_inner);
            let (entry, at) = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = match rests {
                Some(until) => Instant::now() >= until,
                None => reader.last()? - entry >= EVERY_ENTRIES || at.elapsed() >= EVERY,
            };
            if is_due || self.is_endorsed_now(&reader)? {
                self.make(&ledger, &reader).await?;
            }
            // After the checkpoint, and some at a time: whoever can write to the log can offer many.
            self.look_at_offers(&ledger, &reader).await?;
        }
        Ok(())
    }

    /// Whether a key of the ledger has signed for this one since the last look.
    fn is_endorsed_now(&self, reader: &Reader) -> Result<bool, LedgerError> {
        match self.key.get() {
            Some(key) if !self.may_sign() => key.may_sign(reader),
            _ => Ok(false),
        }
    }

    /// A person must look at it. It is said once in each run.
    async fn warn(&self, ledger: &Ledger, error: &LedgerError) -> Result<(), LedgerError> {
        tracing::error!("no checkpoint: {}", chain(error));
        let alert = self.alert(error);
        if self.is_new(alert.code) {
            ledger.append(alert.raised()).await?;
        }
        let rest = if error.is_of_key() { AGAIN } else { EVERY };
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + rest);
        Ok(())
    }

    fn is_new(&self, code: AlertCode) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !warned.contains(&code);
        if is_new {
            warned.push(code);
        }
        is_new
    }

    /// Why there is no checkpoint, and what a person does about it.
    fn alert(&self, error: &LedgerError) -> Alert {
        let key = &self.config.signing_key;
        let (code, text, what_to_do) = match error {
            LedgerError::NotEndorsed { .. } => (
                AlertCode::SigningKeyNotEndorsed,
                format!(
                    "this host leads and signs no checkpoints: no key of this ledger has signed for its key {key}"
                ),
                "Run `rescind ledger checkpoint` on a host that has signed before, or copy its ledger.key here and restart. If no such key is left: `rescind ledger rotate-key --lost`.",
            ),
            error if error.is_of_key() => (
                AlertCode::SigningKeyUnavailable,
                format!("no checkpoints are signed: {key} cannot be used: {}", chain(error)),
                "See the key's state and policy in KMS, and the hub's permissions (`rescind policies print hub-role`). It is tried again each minute; revoking goes on.",
            ),
            error => (
                AlertCode::LedgerTampered,
                error.to_string(),
                "Keep a copy of the ledger as evidence, and find out who can write to it. `rescind ledger verify` with a kept checkpoint shows what was changed.",
            ),
        };
        Alert::of_service(code, text, what_to_do)
    }

    fn count(&self, size: Option<u64>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.1 = Instant::now();
        if let Some(size) = size {
            latest.0 = i64::try_from(size).unwrap_or(i64::MAX);
        }
    }

    /// For a service: what is wrong with the ledger is said, and does not end it.
    #[must_use]
    pub fn that_go_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    async fn sign(&self, ledger: &Ledger, reader: &Reader) -> Result<Option<Made>, LedgerError> {
        let key = self.key(ledger, reader).await?;
        if !self.may_sign() {
            if !key.may_sign(reader)? {
                return Err(self.not_endorsed());
            }
            self.may_sign.store(true, Ordering::Relaxed);
        }
        ledger.checkpoint(key.signer()).await
    }

    /// Makes one now. When there is nothing new, the latest one is published again: it still holds,
    /// and who keeps copies sees that the service is there.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn make(&self, ledger: &Ledger, reader: &Reader) -> Result<(), LedgerError> {
        let rests = *self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        if self.goes_on
            && rests.is_some_and(|until| Instant::now() < until)
            && !self.is_endorsed_now(reader)?
        {
            return Ok(());
        }
        let made = match self.sign(ledger, reader).await {
            // To revoke goes on: neither what somebody did to the ledger nor a key that does not sign must save a thief.
            Err(error) if self.goes_on && (error.is_of_key() || error.keeps_from_signing()) => {
                return self.warn(ledger, &error).await;
            }
            // A command that needs a signature asks for it.
            Err(error @ LedgerError::NotEndorsed { .. }) => {
                tracing::warn!("no checkpoint: {error}");
                return Ok(());
            }
            made => made?,
        };
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = None;
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
        let own: Vec<_> = self.public().into_iter().collect();
        let keys = KeySet::find(&own, &reader.named_keys()?);
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
