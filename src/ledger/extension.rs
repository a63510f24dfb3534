//! That the ledger goes on from what somebody saw of it before.

use super::note::Checkpoint;
use super::tree::{Hash, consistency_proof};
use super::{LedgerError, Reader};
use crate::remediation::{Entry, Event};
use rusqlite::params;

/// Maximum number of entries about cosignatures that are looked through for those of one checkpoint, or for a
/// witness's last one. They stand close together.
const COSIGNED: i64 = 100;

impl Reader {
    /// The proof that the tree of the first `size` entries goes on from that of the first `old` ones (RFC 6962, section
    /// 2.1.2). Whole subtrees are kept, so that it takes no longer for a million entries.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn consistency_proof(&self, old: u64, size: u64) -> Result<Vec<Hash>, LedgerError> {
        consistency_proof(self, old, size)
    }

    /// The checkpoint over so many entries; none when none was made there.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn checkpoint_at(&self, size: u64) -> Result<Option<Checkpoint>, LedgerError> {
        Ok(self.checkpoint_note(size)?.and_then(|note| Checkpoint::parse(&note)))
    }

    /// The same, as a note.
    pub(super) fn checkpoint_note(&self, size: u64) -> Result<Option<String>, LedgerError> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        Ok(self.column("SELECT note FROM checkpoints WHERE size = ?1", [size])?.pop())
    }

    /// The cosignatures that the ledger has of the checkpoint over so many entries: a signature line each.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cosignatures(&self, size: u64) -> Result<Vec<String>, LedgerError> {
        let after = i64::try_from(size).unwrap_or(i64::MAX);
        let all = self.cosigned_after(after)?.into_iter();
        Ok(all.filter(|(_, of, ..)| *of == size).map(|(.., line)| line).collect())
    }

    /// The size of the last checkpoint that a witness cosigned.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_cosigned(&self, witness: &str) -> Result<Option<u64>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE kind = 'cosigned' AND kind <> 'call' ORDER BY seq DESC LIMIT ?1";
        let all = self.select(sql, [COSIGNED])?.into_iter().filter_map(cosigned);
        Ok(all.filter(|(name, ..)| name == witness).map(|(_, size, _)| size).max())
    }

    /// The first checkpoint over an entry that a witness cosigned: its size.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn first_cosigned_over(&self, seq: i64) -> Result<Option<u64>, LedgerError> {
        let all = self.cosigned_after(seq)?.into_iter().map(|(_, size, _)| size);
        Ok(all.filter(|size| i64::try_from(*size).is_ok_and(|size| size >= seq)).min())
    }

    fn cosigned_after(&self, seq: i64) -> Result<Vec<(String, u64, String)>, LedgerError> {
        let sql = "SELECT seq, body FROM entries WHERE kind = 'cosigned' AND kind <> 'call' AND seq > ?1 ORDER BY seq LIMIT ?2";
        Ok(self.select(sql, params![seq, COSIGNED])?.into_iter().filter_map(cosigned).collect())
    }
}

/// Who cosigned how many entries, and the signature line. What is cosigned was there before: an entry that says
/// otherwise is somebody's, and would keep the witness from being asked.
fn cosigned(entry: Entry) -> Option<(String, u64, String)> {
    match entry.event {
        Event::Cosigned { witness, size, cosignature, .. } if size < entry.seq.unsigned_abs() => {
            Some((witness, size, cosignature))
        }
        _ => None,
    }
}
