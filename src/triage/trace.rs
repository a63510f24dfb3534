//! The trace of checks that led to a decision, for whoever reads it afterwards.

use crate::remediation::Check;

/// The checks so far.
#[derive(Debug, Default)]
pub(super) struct DecisionTrace {
    checks: Vec<Check>,
    open: &'static str,
}

impl DecisionTrace {
    /// The check that is being made.
    pub fn begin(&mut self, check: &'static str) {
        self.open = check;
    }

    /// It passed.
    pub fn pass(&mut self, result: impl Into<String>) {
        self.checks.push(Check { check: self.open.to_owned(), result: result.into(), decided: false });
    }

    /// It decided.
    pub fn close(mut self, result: String) -> Vec<Check> {
        self.checks.push(Check { check: self.open.to_owned(), result, decided: true });
        self.checks
    }
}
