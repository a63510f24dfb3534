//! Which checkpoints stand where nobody can replace them.

use super::{LedgerError, Reader};
use crate::remediation::Event;
use rusqlite::params;

/// A checkpoint that stands at the witness, as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWitnessed {
    /// Number of entries under it.
    pub size: u64,
    /// The object that has it.
    pub object: String,
}

impl Reader {
    /// The checkpoint that was witnessed last. An entry that claims more entries than there were before it is somebody's
    /// forgery, and keeps nothing from being witnessed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_witnessed(&self) -> Result<Option<LastWitnessed>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE kind = 'witnessed' AND kind <> 'call' ORDER BY seq DESC LIMIT 100";
        Ok(self.select(sql, [])?.into_iter().find_map(|entry| match entry.event {
            Event::Witnessed { size, object, .. } if size < entry.seq.unsigned_abs() => {
                Some(LastWitnessed { size, object })
            }
            _ => None,
        }))
    }

    /// Whether the entries after `after`, up to `to`, say more than that a checkpoint was witnessed or cosigned. Otherwise each of
    /// them would lead to another one, for ever.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_worth_witnessing(&self, after: u64, to: u64) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM entries WHERE seq > ?1 AND seq <= ?2 AND kind NOT IN ('witnessed', 'cosigned') AND
                   NOT (kind = 'call' AND coalesce(json_extract(CAST(body AS TEXT), '$.data.service'), '') = 's3'))";
        let number = |size| i64::try_from(size).unwrap_or(i64::MAX);
        self.connection()
            .query_row(sql, params![number(after), number(to)], |row| row.get(0))
            .map_err(|error| self.sqlite(error))
    }
}
