//! The trace of checks that led to a decision, for whoever reads it afterwards.

use crate::remediation::Check;

/// The checks so far.
#[derive(Debug, Default)]
pub(super) struct DecisionTrace {
    checks: Vec<Check>,
    open: &'static str,
    /// The check that decides, when it is not the last one.
    decisive: Option<usize>,
}

impl DecisionTrace {
    /// The check that is being made.
    pub fn begin(&mut self, check: &'static str) {
        self.open = check;
    }

    pub fn pass(&mut self, result: impl Into<String>) {
        self.checks.push(Check { check: self.open.to_owned(), result: result.into(), decided: false });
    }

    /// A check that was made before decides, whatever came after it.
    pub fn decided_by(&mut self, check: &str) {
        self.decisive = self.checks.iter().position(|made| made.check == check);
    }

    pub fn close(mut self, result: String) -> Vec<Check> {
        if let Some(check) = self.decisive.and_then(|number| self.checks.get_mut(number)) {
            (check.result, check.decided) = (result, true);
            return self.checks;
        }
        self.checks.push(Check { check: self.open.to_owned(), result, decided: true });
        self.checks
    }
}
