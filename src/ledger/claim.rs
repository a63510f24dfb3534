//! The key's signature over what an `archive` entry says.

use super::trust::KeySet;
use crate::canonical;
use serde_json::Value;

/// The hash of an `archive` entry, without the signature in it.
pub(super) fn claim(mut entry: Value) -> String {
    let mut data = entry.get_mut("data").map(Value::take).unwrap_or_default();
    data.as_object_mut().map(|data| data.remove("signed"));
    crate::digest::sha256(&canonical::of(&data).unwrap_or_default())
}

/// Whether a key that counts has signed the `archive` entry `seq`.
pub(super) fn is_claimed(keys: &KeySet, seq: u64, body: &[u8]) -> bool {
    let entry: Value = serde_json::from_slice(body).unwrap_or_default();
    let note = entry["data"]["signed"].as_str().unwrap_or_default().to_owned();
    let claim = claim(entry);
    keys.any(seq, |key| key.claims(seq, &claim, &note))
}
