//! A ledger that is made for a report.

use crate::made::{report, write};
use rescind::remediation::Draft;
use serde_json::Value;

/// A ledger of these remediations.
pub struct Made {
    directory: tempfile::TempDir,
}

impl Made {
    pub fn of(stories: impl IntoIterator<Item = Vec<Draft>>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        write(&directory.path().join("ledger.db"), stories);
        Self { directory }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    pub fn report(&self, format: &str) -> String {
        report(&self.directory.path().join("ledger.db"), format)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.report("json")).expect("JSON")
    }
}
