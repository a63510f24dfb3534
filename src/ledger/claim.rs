//! The key's signature for what an entry says of an archive.

use super::note::PublicKey;
use crate::canonical;
use serde_json::Value;

/// The hash of what an entry tells of an archive, but for the signature over that.
pub(super) fn claim(mut entry: Value) -> String {
    let mut data = entry.get_mut("data").map(Value::take).unwrap_or_default();
    data.as_object_mut().map(|told| told.remove("signed"));
    crate::digest::sha256(&canonical::of(&data).unwrap_or_default())
}

/// Whether `key` has signed for what entry `seq` tells of an archive.
pub(super) fn is_claimed(key: &PublicKey, seq: u64, body: &[u8]) -> bool {
    let entry: Value = serde_json::from_slice(body).unwrap_or_default();
    let note = entry["data"]["signed"].as_str().unwrap_or_default().to_owned();
    key.claims(seq, &claim(entry), &note)
}
