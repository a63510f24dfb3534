//! What signs on this host: a key in a file, or one in KMS, which no host holds.

use super::note::{Checkpoint, PublicKey, Signer, archiving, endorsement, succession};
use super::project::CheckpointRow;
use super::tree::Hash;
use super::{LedgerError, Log};
use crate::aws::KmsKey;
use crate::remediation::{CallError, ErrorKind};
use jiff::Timestamp;
use tokio::runtime::Handle;

/// Signs for a host. What it signs has the same form, wherever the key is.
#[derive(Debug)]
pub enum HostSigner {
    /// With the secret of a file.
    File(Signer),
    /// With a key in KMS.
    Kms {
        /// The key, as KMS knows it.
        key: KmsKey,
        /// Its public part, as a key of the log.
        public: PublicKey,
    },
}

/// A checkpoint that is yet to be signed.
#[derive(Debug)]
pub(super) struct Unsigned {
    pub size: u64,
    pub root: Hash,
    /// Where the next one goes on, in Base64.
    pub frontier: String,
}

impl Unsigned {
    /// What is signed, for the log of this name.
    pub fn checkpoint(&self, origin: &str) -> Checkpoint {
        Checkpoint { origin: origin.to_owned(), size: self.size, root: self.root }
    }
}

impl HostSigner {
    /// The key that checks its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::File(signer) => signer.public(),
            Self::Kms { public, .. } => public.clone(),
        }
    }

    /// Whether somebody else has to be asked for each signature.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Kms { .. })
    }

    /// A signed note that says that another key signs as well.
    ///
    /// # Errors
    /// When KMS does not sign.
    pub fn endorse(&self, next: &PublicKey) -> Result<String, LedgerError> {
        self.note(&endorsement(next))
    }

    /// A signed note that says that another key was this log's before.
    ///
    /// # Errors
    /// When KMS does not sign.
    pub fn follow(&self, previous: &PublicKey) -> Result<String, LedgerError> {
        self.note(&succession(previous))
    }

    /// A signed note over the hash of an `archive` entry.
    pub(super) fn claim(&self, entry: u64, claim: &str) -> Result<String, LedgerError> {
        self.note(&archiving(self.public().name(), entry, claim))
    }

    /// A checkpoint, signed.
    pub(super) fn sign(&self, unsigned: Unsigned) -> Result<CheckpointRow, LedgerError> {
        let note = self.note(&unsigned.checkpoint(self.public().name()).text())?;
        Ok(CheckpointRow { size: unsigned.size, time: Timestamp::now(), note, frontier: unsigned.frontier })
    }

    /// It blocks: KMS is asked, and answers within seconds or not at all.
    fn note(&self, text: &str) -> Result<String, LedgerError> {
        let (key, public) = match self {
            Self::File(signer) => return Ok(signer.note(text)),
            Self::Kms { key, public } => (key, public),
        };
        let ask = || Log::block_on(key.sign(text.as_bytes()));
        let signature = if Handle::try_current().is_ok() { tokio::task::block_in_place(ask) } else { ask() };
        let signature = signature.map_err(|error| LedgerError::Signing { error })?;
        let note = public.note_with(text, &signature);
        // What does not hold is not kept.
        note.ok_or_else(|| {
            let message = "its signature is not one of the key that it gave before".to_owned();
            let kind = ErrorKind::Malformed;
            let error = CallError { service: "kms", operation: "Sign", kind, code: None, message };
            LedgerError::Signing { error }
        })
    }
}
