//! One item of the log.

use sha2::{Digest, Sha256};

/// One item of the log: a group of entries, or a part of one that is too large for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the log, from 1, without gaps.
    pub position: u64,
    /// Number of the leadership under which it was put. It never goes down.
    pub epoch: u64,
    /// The process that put it: the host's name, and what distinguishes its processes.
    pub writer: String,
    /// Which part of its group it is, from 1.
    pub part: u32,
    /// How many parts the group has.
    pub parts: u32,
    /// Number of the group's first entry.
    pub first: u64,
    /// How many entries the group has. There may be none: then it has only what stands beside them.
    pub count: u64,
    /// Hash of the item before it, in hexadecimal; empty for the first.
    pub before: String,
    /// Its part of the group, as [`Group`](super::Group) writes it.
    pub payload: Vec<u8>,
}

impl Item {
    /// SHA-256 of all of it, in hexadecimal: of its numbers and names, a space between them, a line feed, and the
    /// payload.
    #[must_use]
    pub fn hash(&self) -> String {
        let Self { position, epoch, writer, part, parts, first, count, before, payload } = self;
        let head = format!("{position} {epoch} {writer} {part} {parts} {first} {count} {before}\n");
        crate::digest::hex(&Sha256::new_with_prefix(head).chain_update(payload).finalize())
    }
}
