//! The fuzzers' corpus: what they are begun with, and what they have found.

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod targets;

fn replay(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut count = 0;
    for file in std::fs::read_dir(&corpus).expect("a corpus") {
        let file = file.expect("a file").path();
        let bytes = std::fs::read(&file).expect("readable");
        let done = std::panic::catch_unwind(|| target(&bytes));
        assert!(done.is_ok(), "{}", file.display());
        count += 1;
    }
    assert!(count > 3, "{count} files in {}", corpus.display());
}

#[test]
fn findings() {
    replay("finding", targets::finding);
}

#[test]
fn what_a_verifier_is_given() {
    replay("verifier", targets::verifier);
}

#[test]
fn configurations() {
    replay("config", targets::config);
}
