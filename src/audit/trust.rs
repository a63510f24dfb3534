//! Which keys may have signed the checkpoints, and which did.

use crate::ledger::note::{Checkpoint, PublicKey};
use rusqlite::Connection;
use serde_json::Value;

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
    /// Entries that introduce a key that no earlier key signed.
    pub unendorsed: Vec<u64>,
    /// The keys that the ledger names, and in which entries.
    named: Vec<(u64, PublicKey)>,
    /// Keys before the trusted ones, each with the entry at which its successor, which signed that it follows, took
    /// over.
    followed: Vec<(u64, PublicKey)>,
}

impl Trust {
    /// Finds out which keys count: those in `handed_in`, and each that one of them, or one that it
    /// signed for, has signed for in turn. When none is handed in, all that the ledger names.
    pub fn find(connection: &Connection, handed_in: Vec<PublicKey>) -> rusqlite::Result<Self> {
        let mut statement =
            connection.prepare("SELECT seq, body FROM entries WHERE kind = 'signing_key' ORDER BY seq")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let own_word = handed_in.is_empty();
        let (unendorsed, named, followed) = Default::default();
        let mut trust = Self { keys: handed_in, own_word, unendorsed, named, followed };
        let mut follows = Vec::new();
        for row in rows {
            let (seq, body) = row?;
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            let Some(key) = value["data"]["public_key"].as_str().and_then(|text| PublicKey::parse(text).ok())
            else {
                continue;
            };
            let seq = u64::try_from(seq).unwrap_or(u64::MAX);
            let note = |name: &str| value["data"][name].as_str().unwrap_or_default();
            // What the ledger says is not trusted: only the signature of the key before it is.
            let endorsed = note("endorsed");
            if own_word || trust.keys.iter().any(|known| known.endorses(&key, endorsed)) {
                trust.add(&key);
            }
            if !trust.named.is_empty()
                && !trust.named.iter().any(|(_, before)| before.endorses(&key, endorsed))
            {
                trust.unendorsed.push(seq);
            }
            follows.push(note("follows").to_owned());
            trust.named.push((seq, key));
        }
        trust.look_back(&follows);
        Ok(trust)
    }

    /// Goes back from the latest to the first: the key that a trusted one says it followed.
    fn look_back(&mut self, follows: &[String]) {
        for (at, ((seq, key), note)) in self.named.iter().zip(follows).enumerate().rev() {
            let counts = self.keys.contains(key) || self.followed.iter().any(|(_, known)| known == key);
            let before = self.named.iter().take(at).find(|(_, before)| counts && key.follows(before, note));
            self.followed.extend(before.map(|(_, before)| (*seq, before.clone())));
        }
    }

    /// Whether a key has signed the `archive` entry `seq`: a trusted one, or one from before
    /// it in its time.
    pub fn claims(&self, seq: u64, claim: &str, note: &str) -> bool {
        let claimed = |key: &PublicKey| key.claims(seq, claim, note);
        self.keys.iter().any(claimed) || self.followed.iter().any(|(until, key)| seq < *until && claimed(key))
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
        // The tree that the first trusted key has signed covers everything before it.
        let first = self.named.iter().find(|(_, key)| self.keys.contains(key)).map_or(0, |(seq, _)| *seq);
        let mut earlier = self.named.iter().filter(|(seq, _)| *seq < first);
        match earlier.find_map(|(_, key)| key.open(note).ok()) {
            Some(checkpoint) if checkpoint.size < first => Worth::Earlier,
            _ => Worth::Nothing,
        }
    }
}
