//! What the fuzz targets do with their input. `make test` does the same with the corpus.

use rescind::audit::{Kept, Keys, canonical, proof, verify};
use rescind::config::{Config, OptOuts};
use rescind::finding::decode;
use rescind::ledger::note::{Checkpoint, PublicKey};
use std::path::Path;

/// Whatever comes as a finding ends in findings or in a word about what is wrong.
pub fn finding(data: &[u8]) {
    for finding in decode(data).into_iter().flatten() {
        // What is recorded about it has to be readable again.
        let text = serde_json::to_string(&finding).expect("a finding is JSON");
        let again = serde_json::from_str(&text).expect("and reads back");
        assert_eq!(finding, again);
        assert!(!finding.occurrence().is_empty());
    }
}

/// A ledger that rescind wrote. What is done to it here must be seen, and nothing must panic.
const LEDGER: &[u8] = include_bytes!("../../tests/it/ledgers/fixed.db");
const CHECKPOINT: &str = include_str!("../../tests/it/ledgers/fixed.checkpoint");
const KEY: &str = include_str!("../../tests/it/ledgers/fixed.pub");

/// The first byte says what the rest is taken for.
pub fn verifier(data: &[u8]) {
    let Some((what, data)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(data);
    match what % 4 {
        0 => {
            // What we take for canonical, another implementation writes the same way.
            if canonical::Members::of(data).is_some() {
                let value: serde_json::Value = serde_json::from_slice(data).expect("canonical JSON is JSON");
                assert_eq!(serde_json_canonicalizer::to_vec(&value).expect("and canonical"), data);
            }
        }
        1 => {
            let _ = Checkpoint::parse(&text);
            let _ = PublicKey::parse(&text);
            let key = PublicKey::parse(KEY).expect("a key");
            if let Ok(checkpoint) = key.open(&text) {
                assert_eq!(checkpoint, key.open(CHECKPOINT).expect("signed"), "nobody else signs");
            }
        }
        2 => {
            let key = PublicKey::parse(KEY).expect("a key");
            let keys = Keys { signers: vec![key], ..Keys::default() };
            let _ = proof::check(&text, &keys);
        }
        _ => patched(data),
    }
}

/// Bytes of the ledger's file are changed: four bytes of input for one, three for where and one for what.
fn patched(data: &[u8]) {
    let mut ledger = LEDGER.to_vec();
    for patch in data.chunks_exact(4) {
        let at = usize::from(patch[0]) << 16 | usize::from(patch[1]) << 8 | usize::from(patch[2]);
        let at = at % ledger.len();
        ledger[at] = patch[3];
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &ledger).expect("written");
    let kept =
        [Kept { name: "kept".to_owned(), note: CHECKPOINT.to_owned(), place: rescind::audit::Place::Given }];
    let key = PublicKey::parse(KEY).expect("a key");
    let keys = Keys { signers: vec![key], ..Keys::default() };
    if let Ok(found) = verify(file.path(), &kept, keys, &mut |_, _| {})
        && found.problems.is_empty()
    {
        // Then everything in it is as it was: the kept checkpoint is over all of it.
        assert_eq!(found.entries, 67);
        assert_eq!(found.root, "bcfb9034d79ad8cf4d3bea88140495c7f0dc27c2295ee49e5696e69f78d4e624");
    }
}

/// Whatever comes as a configuration ends in one or in a word about what is wrong, and where.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(error) = Config::parse(&text, Path::new("rescind.toml")) {
        assert!(error.to_string().contains("rescind.toml"), "{error}");
    }
    let now = "2026-11-22T00:00:00Z".parse().expect("a time");
    let _ = OptOuts::parse(&text, Path::new("opt-outs.toml"), now);
}
