//! Which keys may have signed the checkpoints, and which did.

use crate::ledger::note::{Checkpoint, PublicKey};
use rusqlite::Connection;
use serde_json::Value;

/// A note, where it comes from, and the checkpoint in it once its signature is checked.
pub struct Note {
    pub text: String,
    pub whence: String,
}

/// The keys that count.
pub struct Trust {
    /// Those that were handed in, and those that they vouch for.
    pub keys: Vec<PublicKey>,
    /// Nobody said which keys count, so the ledger's own word was taken.
    pub own_word: bool,
}

impl Trust {
    /// Finds out which keys count: those in `handed_in`, and each that the ledger names in an entry
    /// which one of them has signed for. When none is handed in, all that the ledger names.
    pub fn find(
        connection: &Connection,
        handed_in: Vec<PublicKey>,
        notes: &[Note],
    ) -> rusqlite::Result<Self> {
        let mut statement =
            connection.prepare("SELECT seq, body FROM entries WHERE kind = 'signing_key' ORDER BY seq")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let mut named = Vec::new();
        for row in rows {
            let (seq, body) = row?;
            let seq = u64::try_from(seq).unwrap_or(u64::MAX);
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            let key = value["data"]["public_key"].as_str().and_then(|text| PublicKey::parse(text).ok());
            named.extend(key.map(|key| (seq, key)));
        }
        let own_word = handed_in.is_empty();
        let mut trust = Self { keys: handed_in, own_word };
        if own_word {
            named.drain(..).for_each(|(_, key)| trust.add(key));
        }
        // Whom a new key is vouched for by, can itself be vouched for only by an older one.
        for (seq, key) in named {
            let vouched = |note: &Note| trust.open(&note.text).is_some_and(|known| known.size >= seq);
            if !trust.keys.contains(&key) && notes.iter().any(vouched) {
                trust.add(key);
            }
        }
        Ok(trust)
    }

    fn add(&mut self, key: PublicKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }

    /// The checkpoint in a note that one of these keys has signed.
    pub fn open(&self, note: &str) -> Option<Checkpoint> {
        self.keys.iter().find_map(|key| key.open(note).ok())
    }
}
