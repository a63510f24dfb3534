//! The key with which this host signs: read or made, and whether it may sign.

use crate::config::Config;
use crate::ledger::note::{PublicKey, Signer};
use crate::ledger::trust::KeySet;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{Draft, Event};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The key of this host.
#[derive(Debug, Clone)]
pub struct HostKey {
    signer: Arc<Signer>,
    /// Several hosts share the ledger.
    is_shared: bool,
}

impl HostKey {
    /// The configured key: made, when there is none.
    ///
    /// # Errors
    /// When the key cannot be read or made, or the ledger not be read.
    pub fn open(config: &Config, reader: &Reader) -> Result<Self, LedgerError> {
        let unusable = |error| LedgerError::Io { path: config.signing_key.display().to_string(), error };
        let named = reader.named_keys()?;
        let coming = beside(&config.signing_key, ".new");
        let signer = match Signer::load(&config.signing_key) {
            Ok(signer) => signer,
            // A rotation was interrupted when the new key was recorded already.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match Signer::load(&coming) {
                Ok(signer) if named.iter().any(|one| one.key == signer.public()) => {
                    std::fs::rename(&coming, &config.signing_key).map_err(unusable)?;
                    signer
                }
                _ => make(config, named.first().map(|one| one.key.name())).map_err(unusable)?,
            },
            Err(error) => return Err(unusable(error)),
        };
        let is_shared = config.log.is_some();
        // `init` on a further host cannot know the name of the log that the hosts share.
        let signer = match named.first() {
            Some(first) if is_shared && !named.iter().any(|one| one.key == signer.public()) => {
                signer.of_log(first.key.name())
            }
            _ => signer,
        };
        Ok(Self { signer: Arc::new(signer), is_shared })
    }

    #[must_use]
    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.signer.public()
    }

    /// Whether it may sign. The key of a ledger by itself always may.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn may_sign(&self, reader: &Reader) -> Result<bool, LedgerError> {
        Ok(!self.is_shared || reader.may_sign(&self.public())?)
    }

    /// What is recorded about it when a host begins with it: that it signs, or that it offers itself. Nothing when that
    /// is recorded already.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn introduction(&self, reader: &Reader) -> Result<Option<Draft>, LedgerError> {
        let (own, named) = (self.public(), reader.named_keys()?);
        if named.is_empty() || !self.is_shared {
            let is_named = named.iter().any(|one| one.key == own);
            let (public_key, endorsed, follows, accepts) = (own.to_string(), None, None, Vec::new());
            let event = Event::SigningKey { public_key, endorsed, follows, accepts };
            return Ok((!is_named).then(|| Draft::of_service(event)));
        }
        self.offer(reader)
    }

    /// Offers this host's key, if it may not sign yet and was not offered. Gives whether there is a ledger already that
    /// has keys: before that, nothing is offered.
    ///
    /// # Errors
    /// When the key cannot be read or made, or the ledger not be written.
    pub async fn offer_of(config: &Config, ledger: &Ledger) -> Result<bool, LedgerError> {
        let reader = ledger.reader()?;
        if reader.named_keys()?.is_empty() {
            return Ok(false);
        }
        if let Some(offer) = Self::open(config, &reader)?.offer(&reader)? {
            ledger.append(offer).await?;
        }
        Ok(true)
    }

    /// The offer of a key that may not sign yet, on a ledger that has keys. None when it stands there already.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn offer(&self, reader: &Reader) -> Result<Option<Draft>, LedgerError> {
        let (own, named) = (self.public(), reader.named_keys()?);
        let Some(first) = named.first() else { return Ok(None) };
        let public_key = own.to_string();
        let is_own =
            |event: &Event| matches!(event, Event::KeyOffered { public_key: one, .. } if *one == public_key);
        if !self.is_shared
            || self.may_sign(reader)?
            || reader.of_kind("key_offered")?.iter().any(|entry| is_own(&entry.event))
        {
            return Ok(None);
        }
        let set = KeySet::find(std::slice::from_ref(&first.key), &named);
        let accepts = set.beside(&own).map(|key| self.signer.endorse(key)).collect();
        let host = whoami::hostname().unwrap_or_default();
        Ok(Some(Draft::of_service(Event::KeyOffered { host, public_key, accepts })))
    }
}

fn make(config: &Config, name: Option<&str>) -> std::io::Result<Signer> {
    // It stays the same log.
    let signer = name.map_or_else(Signer::new_log, Signer::generate);
    let signer = signer.map_err(std::io::Error::other)?;
    signer.save(&config.signing_key)?;
    tracing::info!(
        file = %config.signing_key.display(), public_key = %signer.public(),
        "made a new signing key: keep the public key where auditors find it"
    );
    Ok(signer)
}

/// A file beside another.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
