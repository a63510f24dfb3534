//! An entry of the log, read: what is left to do is to write it.

use super::hollow::Hollow;
use super::tree::{self, Hash};
use crate::remediation::Entry;

/// An entry of the log, read.
#[derive(Debug)]
pub(super) struct Replayed {
    /// Its canonical JSON.
    pub body: Vec<u8>,
    /// What it is.
    pub what: What,
}

/// What an entry of the log is.
#[derive(Debug)]
pub(super) enum What {
    /// As it was written.
    Entry { entry: Box<Entry>, occurrence: Option<String>, leaf: Hash },
    /// Its text is in an archive.
    Hollow { hollow: Hollow, leaf: Hash },
    /// It cannot be read.
    Unreadable(String),
}

impl Replayed {
    /// Reads an entry.
    pub fn read(body: Vec<u8>) -> Self {
        let what = What::of(&body);
        Self { body, what }
    }
}

impl What {
    fn of(body: &[u8]) -> Self {
        if let Some(hollow) = Hollow::of(body) {
            return match hollow.leaf() {
                Some(leaf) => Self::Hollow { hollow, leaf },
                None => Self::Unreadable("its leaf hash cannot be read".to_owned()),
            };
        }
        match serde_json::from_slice::<Entry>(body) {
            Ok(entry) => {
                let occurrence = entry.event.occurrence();
                Self::Entry { entry: Box::new(entry), occurrence, leaf: tree::leaf(body) }
            }
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }
}
