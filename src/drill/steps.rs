//! The steps of a drill, each reported as soon as its result is known.

use crate::remediation::DrillStep;

/// Number of steps of a whole drill.
const NAMES: usize = 9;

pub(super) struct Steps<'a> {
    pub report: &'a mut dyn FnMut(&DrillStep),
    pub all: Vec<DrillStep>,
}

impl Steps<'_> {
    pub fn take(&mut self, name: &str, passed: bool, after_ms: Option<u64>, note: String) {
        let step = DrillStep { name: name.to_owned(), passed, after_ms, note };
        (self.report)(&step);
        self.all.push(step);
    }

    /// Each step was taken, and each passed.
    pub fn all_passed(&self) -> bool {
        self.all.len() == NAMES && self.all.iter().all(|step| step.passed)
    }
}
