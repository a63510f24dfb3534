//! Which keys may have signed the checkpoints, and which did.

use crate::ledger::note::{Checkpoint, PublicKey};
use crate::ledger::trust::{KeySet, named_keys, unendorsed};
use rusqlite::Connection;

/// A note, and where it comes from.
pub struct Note {
    pub text: String,
    pub whence: String,
    /// The size that the ledger's column says.
    pub column: Option<i64>,
}

/// What a note is worth.
pub enum Worth {
    /// Signed by a trusted key.
    Signed(Checkpoint),
    /// Signed by a key that the ledger had before a trusted one. It is checked if that key is given as well.
    Earlier,
    /// Signed neither by a trusted key nor by an earlier one.
    Nothing,
}

/// The keys that are trusted.
pub struct Trust {
    /// The keys that were given, and those that they signed.
    pub keys: Vec<PublicKey>,
    /// No key was given, so those that the ledger names are trusted.
    pub own_word: bool,
    /// Entries that introduce a key that no key before it signed.
    pub unendorsed: Vec<u64>,
    /// The keys that the ledger names, and in which entries.
    named: Vec<(u64, PublicKey)>,
    set: KeySet,
}

impl Trust {
    /// Finds out which keys count: those in `handed_in`, and each that one of them, or one that it
    /// signed for, has signed for in turn. When none is handed in, all that the ledger names.
    pub fn find(connection: &Connection, handed_in: Vec<PublicKey>) -> rusqlite::Result<Self> {
        let named = named_keys(connection)?;
        let own_word = handed_in.is_empty();
        let given = if own_word { named.iter().map(|one| one.key.clone()).collect() } else { handed_in };
        let set = KeySet::find(&given, &named);
        let unendorsed = unendorsed(&named);
        let named = named.into_iter().map(|one| (one.seq, one.key)).collect();
        Ok(Self { keys: set.keys.clone(), own_word, unendorsed, named, set })
    }

    /// Whether a key has signed the `archive` entry `seq`: a trusted one, or one from before
    /// it in its time.
    pub fn claims(&self, seq: u64, claim: &str, note: &str) -> bool {
        self.set.any(seq, |key| key.claims(seq, claim, note))
    }

    /// What a note is worth.
    pub fn weigh(&self, note: &str) -> Worth {
        if let Some(checkpoint) = self.set.open(note) {
            return Worth::Signed(checkpoint);
        }
        // The tree that the first trusted key has signed covers everything before it.
        let first = self.named.iter().find(|(_, key)| self.keys.contains(key)).map_or(0, |(seq, _)| *seq);
        let mut earlier = self.named.iter().filter(|(seq, _)| *seq < first);
        match earlier.find_map(|(_, key)| key.open(note).ok()) {
            Some(checkpoint) if checkpoint.size < first => Worth::Earlier,
            _ => Worth::Nothing,
        }
    }
}
