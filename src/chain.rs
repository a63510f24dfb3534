//! An error and its causes, in one line.

use std::error::Error;
use std::fmt::Write;

/// The text of an error and those of its causes, each once: `the ledger cannot be used: disk is full`.
///
/// For logs, entries and screens. The text of an error itself leaves its cause out.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[derive(Debug, thiserror::Error)]
    #[error("effect")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_is_named_once() {
        let error = Outer(std::io::Error::other("cause"));
        assert_eq!(chain(&error), "effect: cause");
        assert_eq!(format!("{:#}", anyhow::Error::from(error)), "effect: cause");
    }
}
