//! Signed notes (C2SP signed-note) with Ed25519, and the tree heads in them (C2SP tlog-checkpoint).

use super::tree::Hash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;

/// The algorithm byte of Ed25519 in key ids and encoded keys (C2SP signed-note).
const ED25519: u8 = 1;

/// Prefix of each signature line.
pub(super) const DASH: &str = "\u{2014} ";

/// Signs checkpoints. Its secret is never shown.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public())
    }
}

/// Checks signatures of checkpoints. As text: `NAME+KEYID+BASE64`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

/// A tree head: a number of entries, and the root of the tree over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// Number of entries that it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// The id of a key for signatures of this type.
pub(super) fn id_of(name: &str, algorithm: u8, key: &VerifyingKey) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', algorithm]).chain_update(key.as_bytes());
    let hash: Hash = hash.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    id_of(name, ED25519, key)
}

/// The parts of an encoded key for signatures of Ed25519: name, key bytes.
fn parts(text: &str) -> Option<(&str, Vec<u8>)> {
    parts_of(text, ED25519)
}

/// The parts of an encoded key for signatures of this type: name, key bytes.
pub(super) fn parts_of(text: &str, algorithm: u8) -> Option<(&str, Vec<u8>)> {
    let mut parts = text.trim().splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, BASE64.decode(parts.next()?).ok()?);
    let legal = !name.is_empty() && !name.contains(char::is_whitespace) && id.len() == 8;
    (legal && key.len() == 33 && key[0] == algorithm).then_some((name, key))
}

/// Maximum number of signatures of a note that are read. Ours have one, and one of each cosigner.
pub(super) const SIGNATURES: usize = 64;

/// A note with more signature lines.
#[must_use]
pub fn cosigned(mut note: String, lines: &[String]) -> String {
    for line in lines {
        note.push_str(line);
        note.push('\n');
    }
    note
}

/// A note's text with its last newline, and its signature lines. None when it has no empty line.
#[must_use]
pub fn split(note: &str) -> Option<(&str, &str)> {
    let end = note.rfind("\n\n")?;
    Some((&note[..=end], &note[end + 2..]))
}

pub(super) fn endorsement(next: &PublicKey) -> String {
    format!("{}\nsigned from now on with\n{next}\n", next.name)
}

pub(super) fn succession(previous: &PublicKey) -> String {
    format!("{}\nsigned before with\n{previous}\n", previous.name)
}

pub(super) fn archiving(log: &str, entry: u64, claim: &str) -> String {
    format!("{log}\nmoved to an archive, recorded as entry {entry}\n{claim}\n")
}

/// The ids of the keys that a note says it is signed with. Nothing of it is checked: it says which keys are worth trying.
pub(super) fn signer_ids(note: &str) -> Vec<[u8; 4]> {
    let signatures = note.rfind("\n\n").map_or("", |end| &note[end + 2..]);
    let id = |line: &str| {
        let signature = BASE64.decode(line.strip_prefix(DASH)?.rsplit(' ').next()?).ok()?;
        signature.first_chunk::<4>().copied()
    };
    signatures.lines().take(SIGNATURES).filter_map(id).collect()
}

/// The key that a note signs for, if it is one that signs for a key. Its signature is not checked.
pub(super) fn endorsed_key(note: &str) -> Option<PublicKey> {
    let key = PublicKey::parse(note.lines().nth(2)?).ok()?;
    note.starts_with(&endorsement(&key)).then_some(key)
}

/// The key that a note says was before, if it is one that says so. Its signature is not checked.
pub(super) fn replaced_key(note: &str) -> Option<PublicKey> {
    let key = PublicKey::parse(note.lines().nth(2)?).ok()?;
    note.starts_with(&succession(&key)).then_some(key)
}

const SECRET: &str = "PRIVATE+KEY+";

impl Signer {
    /// A new key for the log of this name.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate(name: &str) -> Result<Self, getrandom::Error> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(&seed) })
    }

    /// The same key, for the log of this name.
    #[must_use]
    pub fn of_log(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// A new key for a new log, with a name that no other log has.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new_log() -> Result<Self, getrandom::Error> {
        Self::generate(&new_name()?)
    }

    /// Reads a key from its file.
    ///
    /// # Errors
    /// When the file cannot be read or has no key. The text never shows what is in it.
    pub fn load(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let seed = text.strip_prefix(SECRET).and_then(parts);
        let seed = seed.and_then(|(name, key)| Some((name, <[u8; 32]>::try_from(&key[1..]).ok()?)));
        let Some((name, seed)) = seed else {
            let error = "not a signing key of rescind (its text is not shown)";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, error));
        };
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(&seed) })
    }

    /// Writes the key to a new file, mode 0600.
    ///
    /// # Errors
    /// When it cannot be written, or is there already.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut secret = vec![ED25519];
        secret.extend(self.key.as_bytes());
        let text = format!("{SECRET}{}+{}+{}\n", self.name, self.public().id(), BASE64.encode(secret));
        let mut file = options.open(path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()
    }

    /// The key that checks its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// A signed note that says how the tree of this log stands.
    #[must_use]
    pub fn sign(&self, size: u64, root: &Hash) -> String {
        self.note(&Checkpoint { origin: self.name.clone(), size, root: *root }.text())
    }

    /// A signed note that says that another key is this log's from now on.
    #[must_use]
    pub fn endorse(&self, next: &PublicKey) -> String {
        self.note(&endorsement(next))
    }

    /// A signed note that says that another key was this log's before.
    #[must_use]
    pub fn follow(&self, previous: &PublicKey) -> String {
        self.note(&succession(previous))
    }

    /// A signed note over the hash of an `archive` entry.
    #[must_use]
    pub fn claim(&self, entry: u64, claim: &str) -> String {
        self.note(&archiving(&self.name, entry, claim))
    }

    pub(super) fn note(&self, text: &str) -> String {
        signed(&self.name, &self.key.verifying_key(), text, &self.key.sign(text.as_bytes()))
    }
}

/// A note, with one signature.
fn signed(name: &str, key: &VerifyingKey, text: &str, signature: &Signature) -> String {
    let mut bytes = key_id(name, key).to_vec();
    bytes.extend(signature.to_bytes());
    format!("{text}\n{DASH}{name} {}\n", BASE64.encode(bytes))
}

/// Why a text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Its form is another one.
    #[error("expected a public key as `rescind ledger key` prints it: NAME+KEYID+BASE64")]
    Form,
    /// It was altered, or put together from two.
    #[error("the key id does not match the key")]
    Id,
}

/// Why a note is not accepted as a key's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// It has no signature.
    #[error("not a signed note: no signature")]
    Unsigned,
    /// No signature is the key's.
    #[error("not signed by {0}")]
    NotSignedBy(Box<PublicKey>),
    /// It is signed, and is something else.
    #[error("the note is not a checkpoint")]
    NoCheckpoint,
    /// It is the checkpoint of a log with another name.
    #[error("a checkpoint of another log: {}", crate::ident::quoted(.0))]
    OtherLog(String),
}

impl PublicKey {
    /// From its text.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let (name, key) = parts(text).ok_or(BadKey::Form)?;
        let bytes = <[u8; 32]>::try_from(&key[1..]).map_err(|_| BadKey::Form)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| BadKey::Form)?;
        let public = Self { name: name.to_owned(), key };
        if public.to_string() == text.trim() { Ok(public) } else { Err(BadKey::Id) }
    }

    /// A key of the log of this name, by its 32 bytes.
    #[must_use]
    pub fn of_log(name: &str, bytes: &[u8; 32]) -> Option<Self> {
        Some(Self { name: name.to_owned(), key: VerifyingKey::from_bytes(bytes).ok()? })
    }

    /// Whether it is the same key, though perhaps of a log of another name.
    #[must_use]
    pub fn has_bytes(&self, bytes: &[u8; 32]) -> bool {
        self.key.as_bytes() == bytes
    }

    /// A note with a signature that somebody else made with this key; none when it is not one over this text.
    pub(super) fn note_with(&self, text: &str, signature: &[u8]) -> Option<String> {
        let signature = Signature::from_slice(signature).ok()?;
        self.key.verify_strict(text.as_bytes(), &signature).ok()?;
        Some(signed(&self.name, &self.key, text, &signature))
    }

    /// The key's id, in hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        crate::digest::hex(&key_id(&self.name, &self.key))
    }

    /// The same as bytes: what its signatures begin with.
    pub(super) fn id_bytes(&self) -> [u8; 4] {
        key_id(&self.name, &self.key)
    }

    /// The name of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a note is this key's word for another key.
    #[must_use]
    pub fn endorses(&self, next: &Self, note: &str) -> bool {
        self.name == next.name && self.signed(note).is_ok_and(|text| text == endorsement(next))
    }

    /// Whether a note is this key's word that it came after another key.
    #[must_use]
    pub fn follows(&self, previous: &Self, note: &str) -> bool {
        self.name == previous.name && self.signed(note).is_ok_and(|text| text == succession(previous))
    }

    /// Whether a note is this key's signature over the hash of an `archive` entry.
    #[must_use]
    pub fn claims(&self, entry: u64, claim: &str, note: &str) -> bool {
        self.signed(note).is_ok_and(|text| text == archiving(&self.name, entry, claim))
    }

    /// The checkpoint in a note that this key signed.
    ///
    /// # Errors
    /// When the note is none, or is not signed by this key.
    pub fn open(&self, note: &str) -> Result<Checkpoint, BadNote> {
        let checkpoint = Checkpoint::parse(self.signed(note)?).ok_or(BadNote::NoCheckpoint)?;
        if checkpoint.origin != self.name {
            return Err(BadNote::OtherLog(checkpoint.origin));
        }
        Ok(checkpoint)
    }

    /// The text of a note that this key signed.
    fn signed<'n>(&self, note: &'n str) -> Result<&'n str, BadNote> {
        let (text, signatures) = split(note).ok_or(BadNote::Unsigned)?;
        let signed = signatures.lines().take(SIGNATURES).any(|line| {
            let signature = line.strip_prefix(DASH).and_then(|rest| rest.strip_prefix(self.name.as_str()));
            let bytes = signature.and_then(|rest| BASE64.decode(rest.strip_prefix(' ')?).ok());
            let Some((id, signature)) = bytes.as_ref().and_then(|bytes| bytes.split_at_checked(4)) else {
                return false;
            };
            let signature = Signature::from_slice(signature);
            id == key_id(&self.name, &self.key)
                && signature
                    .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
        });
        if !signed {
            return Err(BadNote::NotSignedBy(Box::new(self.clone())));
        }
        Ok(text)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id(), BASE64.encode(key))
    }
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    /// From the text of a note, its signatures left aside.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok()?;
        let root = BASE64.decode(root).ok()?.try_into().ok()?;
        // One way to write a number only.
        (number.to_string() == size).then(|| Self { origin: origin.to_owned(), size: number, root })
    }
}

/// A name that no other log has.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_name() -> Result<String, getrandom::Error> {
    let mut name = [0_u8; 8];
    getrandom::fill(&mut name)?;
    Ok(format!("rescind/{}", crate::digest::hex(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_can_be_checked_and_nothing_else() {
        let signer = Signer::generate("rescind/0011223344556677").expect("random");
        let public = PublicKey::parse(&signer.public().to_string()).expect("a key");
        let root = [7_u8; 32];
        let note = signer.sign(42, &root);
        let checkpoint = public.open(&note).expect("signed");
        assert_eq!((checkpoint.size, checkpoint.root), (42, root));
        for (from, to) in [("\n42\n", "\n43\n"), ("rescind/00", "rescind/01"), ("BwcHBwcH", "BwcHBwcI")] {
            let changed = note.replacen(from, to, 1);
            assert_ne!(changed, note);
            assert!(public.open(&changed).is_err(), "{changed}");
        }
        let other = Signer::generate("rescind/0011223344556677").expect("random");
        assert!(other.public().open(&note).is_err());
        assert!(public.open("").is_err() && public.open("\n\n").is_err());
        assert!(!format!("{signer:?}").contains(&BASE64.encode(signer.key.as_bytes())));
    }

    /// The example key and note of Go's golang.org/x/mod/sumdb/note.
    #[test]
    fn another_implementations_note_is_understood() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let public = PublicKey::parse(key).expect("a key");
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        // Signed by him, and no checkpoint.
        assert_eq!(public.open(note), Err(BadNote::NoCheckpoint));
        let changed = public.open(&note.replace("answer", "question"));
        assert_eq!(changed, Err(BadNote::NotSignedBy(Box::new(public))));
    }
}
