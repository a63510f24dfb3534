//! Occurrences that had been seen before.

use crate::finding::Finding;

/// Maximum number of occurrences that are kept. Of more, only the number: an input can be of any length.
const KEPT: usize = 10_000;

/// Occurrences that a run met and that were recorded before.
#[derive(Debug, Default)]
pub struct Seen {
    /// The first of them, without their full texts.
    pub findings: Vec<Finding>,
    /// How many there were.
    pub count: usize,
}

impl Seen {
    pub fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.findings.len() < KEPT {
            self.findings.push(Finding { detail: None, ..finding });
        }
    }

    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        self.findings.extend(other.findings);
        self.findings.truncate(KEPT);
    }
}
