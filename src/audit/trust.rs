//! Which keys may have signed the checkpoints, and which did.

use crate::ledger::note::{Checkpoint, PublicKey};
use rusqlite::Connection;
use serde_json::Value;

/// A note, and where it comes from.
pub struct Note {
    pub text: String,
    pub whence: String,
}

/// What a note is worth.
pub enum Worth {
    /// Signed by a key that counts.
    Signed(Checkpoint),
    /// Signed by a key that the ledger had before one that counts: whoever wants it checked hands in that
    /// key as well.
    Earlier,
    /// Neither.
    Nothing,
}

/// The keys that count.
pub struct Trust {
    /// Those that were handed in, and those that they signed for.
    pub keys: Vec<PublicKey>,
    /// Nobody said which keys count, so the ledger's own word was taken.
    pub own_word: bool,
    /// The keys that the ledger names, and in which entries.
    named: Vec<(u64, PublicKey)>,
}

impl Trust {
    /// Finds out which keys count: those in `handed_in`, and each that one of them, or one that it
    /// signed for, has signed for in turn. When none is handed in, all that the ledger names.
    pub fn find(connection: &Connection, handed_in: Vec<PublicKey>) -> rusqlite::Result<Self> {
        let mut statement =
            connection.prepare("SELECT seq, body FROM entries WHERE kind = 'signing_key' ORDER BY seq")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let own_word = handed_in.is_empty();
        let mut trust = Self { keys: handed_in, own_word, named: Vec::new() };
        for row in rows {
            let (seq, body) = row?;
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            let Some(key) = value["data"]["public_key"].as_str().and_then(|text| PublicKey::parse(text).ok())
            else {
                continue;
            };
            // Not the ledger's word counts, but the signature of the key before it.
            let note = value["data"]["endorsed"].as_str().unwrap_or_default();
            if own_word || trust.keys.iter().any(|known| known.endorses(&key, note)) {
                trust.add(&key);
            }
            trust.named.push((u64::try_from(seq).unwrap_or(u64::MAX), key));
        }
        Ok(trust)
    }

    fn add(&mut self, key: &PublicKey) {
        if !self.keys.contains(key) {
            self.keys.push(key.clone());
        }
    }

    /// What a note is worth.
    pub fn weigh(&self, note: &str) -> Worth {
        if let Some(checkpoint) = self.keys.iter().find_map(|key| key.open(note).ok()) {
            return Worth::Signed(checkpoint);
        }
        // The tree that the first key that counts has signed is over all that was before it.
        let first = self.named.iter().find(|(_, key)| self.keys.contains(key)).map_or(0, |(seq, _)| *seq);
        let mut earlier = self.named.iter().filter(|(seq, _)| *seq < first);
        match earlier.find_map(|(_, key)| key.open(note).ok()) {
            Some(checkpoint) if checkpoint.size < first => Worth::Earlier,
            _ => Worth::Nothing,
        }
    }
}
