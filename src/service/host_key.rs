//! The key with which this host signs: read or made, and whether it may sign.

use crate::aws::KmsKey;
use crate::config::{Config, KmsArn, SigningKey};
use crate::ledger::note::{PublicKey, Signer, new_name};
use crate::ledger::trust::KeySet;
use crate::ledger::{HostSigner, Ledger, LedgerError, Reader};
use crate::remediation::{Draft, Event};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The key of this host.
#[derive(Debug, Clone)]
pub struct HostKey {
    signer: Arc<HostSigner>,
    /// Several hosts share the ledger.
    is_shared: bool,
}

impl HostKey {
    /// The configured key: made, when it is a file that is not there.
    ///
    /// # Errors
    /// When the key cannot be read or made, KMS does not answer, or the ledger cannot be read.
    pub async fn open(config: &Config, reader: &Reader) -> Result<Self, LedgerError> {
        Self::of(&config.signing_key, config.log.is_some(), reader).await
    }

    /// The same, with another key.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn of(key: &SigningKey, is_shared: bool, reader: &Reader) -> Result<Self, LedgerError> {
        let named: Vec<PublicKey> = reader.named_keys()?.into_iter().map(|named| named.key).collect();
        let signer = match key {
            SigningKey::File(path) => HostSigner::File(of_file(path, is_shared, &named)?),
            SigningKey::Kms(arn) => of_kms(arn, &named).await?,
        };
        Ok(Self { signer: Arc::new(signer), is_shared })
    }

    #[must_use]
    pub fn signer(&self) -> &Arc<HostSigner> {
        &self.signer
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.signer.public()
    }

    /// Whether it may sign. The key of a ledger by itself may, unless it was rotated.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn may_sign(&self, reader: &Reader) -> Result<bool, LedgerError> {
        if self.is_shared {
            return reader.may_sign(&self.public());
        }
        let (own, named) = (self.public(), reader.named_keys()?);
        Ok(!KeySet::find(std::slice::from_ref(&own), &named).is_retired(&own))
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
        if let Some(offer) = Self::open(config, &reader).await?.offer(&reader)? {
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
        let accepts = set.beside(&own).map(|key| self.signer.endorse(key)).collect::<Result<_, _>>()?;
        let host = whoami::hostname().unwrap_or_default();
        Ok(Some(Draft::of_service(Event::KeyOffered { host, public_key, accepts })))
    }
}

fn of_file(path: &Path, is_shared: bool, named: &[PublicKey]) -> Result<Signer, LedgerError> {
    let unusable = |error| LedgerError::Io { path: path.display().to_string(), error };
    let coming = beside(path, ".new");
    let signer = match Signer::load(path) {
        Ok(signer) => signer,
        // A rotation was interrupted when the new key was recorded already.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match Signer::load(&coming) {
            Ok(signer) if named.contains(&signer.public()) => {
                std::fs::rename(&coming, path).map_err(unusable)?;
                signer
            }
            _ => make(path, named.first().map(PublicKey::name)).map_err(unusable)?,
        },
        Err(error) => return Err(unusable(error)),
    };
    Ok(match named.first() {
        // `init` on a further host cannot know the name of the log that the hosts share.
        Some(first) if is_shared && !named.contains(&signer.public()) => signer.of_log(first.name()),
        _ => signer,
    })
}

fn make(path: &Path, name: Option<&str>) -> std::io::Result<Signer> {
    // It stays the same log.
    let signer = name.map_or_else(Signer::new_log, Signer::generate);
    let signer = signer.map_err(std::io::Error::other)?;
    signer.save(path)?;
    tracing::info!(
        file = %path.display(), public_key = %signer.public(),
        "made a new signing key: keep the public key where auditors find it"
    );
    Ok(signer)
}

/// The log's name stands in the ledger: with its first key, which is this one when there is none yet.
async fn of_kms(arn: &KmsArn, named: &[PublicKey]) -> Result<HostSigner, LedgerError> {
    let signing = |error| LedgerError::Signing { error };
    let key = KmsKey::open(&arn.region, &arn.text).await.map_err(signing)?;
    let bytes = key.public_key().await.map_err(signing)?;
    if let Some(public) = named.iter().find(|one| one.has_bytes(&bytes)) {
        return Ok(HostSigner::Kms { key, public: public.clone() });
    }
    let unusable = |error| LedgerError::Io { path: arn.text.clone(), error };
    let name = match named.first() {
        Some(first) => first.name().to_owned(),
        None => new_name().map_err(|error| unusable(std::io::Error::other(error)))?,
    };
    let public = PublicKey::of_log(&name, &bytes);
    let public =
        public.ok_or_else(|| unusable(std::io::Error::other("its public key is not one of Ed25519")))?;
    Ok(HostSigner::Kms { key, public })
}

/// A file beside another.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
