//! Finds a remediation by a prefix of its id, as people write it, if only one id has that prefix.

use super::{LedgerError, Reader};
use rusqlite::OptionalExtension;

/// Minimum number of characters of an id that are shown where there is no room for all.
const SHORT: usize = 14;

impl Reader {
    /// The remediations whose ids start with `text`, and those of a finding with that id. A whole id names
    /// its own only.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn matching(&self, text: &str) -> Result<Vec<String>, LedgerError> {
        if self.occurrence_of(text)?.is_some() {
            return Ok(vec![text.to_owned()]);
        }
        let sql = "SELECT id FROM remediations WHERE id >= ?1 AND substr(id, 1, length(?1)) = ?1
                   UNION SELECT remediation FROM entries
                   WHERE finding = ?1 AND kind <> 'call' AND kind = 'decision' AND remediation IS NOT NULL";
        self.column(sql, [text])
    }

    /// The occurrence that led to the remediation with this id, if there is one.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn occurrence_of(&self, remediation: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.column("SELECT occurrence FROM remediations WHERE id = ?1", [remediation])?.pop())
    }

    /// As much of an id as no other remediation's begins with, for tables.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn short_id<'i>(&self, id: &'i str) -> Result<&'i str, LedgerError> {
        let mut length = SHORT;
        for sql in [
            "SELECT max(id) FROM remediations WHERE id < ?1",
            "SELECT min(id) FROM remediations WHERE id > ?1",
        ] {
            let beside: Option<Option<String>> = self
                .connection()
                .prepare_cached(sql)
                .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
                .map_err(|e| self.sqlite(e))?;
            let beside = beside.flatten().unwrap_or_default();
            let same = id.bytes().zip(beside.bytes()).take_while(|(one, other)| one == other).count();
            length = length.max(same + 1);
        }
        Ok(id.get(..length).unwrap_or(id))
    }
}
