//! What an archive took out of the ledger: the texts are gone, and the numbers, times and leaf hashes stay.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an archive took out of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emptied {
    /// Number of the `archive` entry.
    archive: i64,
    /// Numbers of the entries whose texts are gone: runs of them, the first and the last of each.
    entries: Vec<(i64, i64)>,
    /// The remediations among them.
    remediations: Vec<String>,
    /// The occurrences among them.
    occurrences: Vec<String>,
}

impl Emptied {
    /// What the `archive` entry of this number takes out.
    pub(super) fn by(
        archive: i64,
        entries: &BTreeSet<i64>,
        remediations: Vec<String>,
        occurrences: Vec<String>,
    ) -> Self {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for seq in entries {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *seq => *last = *seq,
                _ => runs.push((*seq, *seq)),
            }
        }
        Self { archive, entries: runs, remediations, occurrences }
    }

    /// Takes it out.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<usize> {
        let mut remediation = connection.prepare_cached("DELETE FROM remediations WHERE id = ?1")?;
        for id in &self.remediations {
            remediation.execute([id])?;
        }
        let mut occurrence = connection.prepare_cached("DELETE FROM occurrences WHERE occurrence = ?1")?;
        for name in &self.occurrences {
            occurrence.execute([name])?;
        }
        let mut entries = connection.prepare_cached(
            "UPDATE entries SET kind = 'archived', body = ?3, remediation = NULL, finding = NULL,
             account = NULL, region = NULL, principal = NULL WHERE seq BETWEEN ?1 AND ?2",
        )?;
        // Where the trigger reads the number.
        let body = format!("{{\"archived\":{}}}", self.archive).into_bytes();
        let mut count = 0;
        for (first, last) in &self.entries {
            count += entries.execute(params![first, last, body])?;
        }
        Ok(count)
    }
}
