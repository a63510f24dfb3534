//! What can go wrong with the ledger.

use crate::remediation::Illegal;
use std::sync::Arc;

/// Why the ledger could not be read or written. The text says which file; causes are sources.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite said no.
    #[error("{path}: {}: {error}", hint(error))]
    Sqlite {
        /// The ledger's file.
        path: String,
        /// What SQLite said. It is no source: its own source says the same in other words.
        error: rusqlite::Error,
    },
    /// The file is a database, but not a ledger of ours, or one that this version cannot use.
    #[error("{path}: {why}")]
    Foreign {
        /// The ledger's file.
        path: String,
        /// In which way.
        why: String,
    },
    /// There is no ledger yet.
    #[error(
        "{path}: no ledger there yet: `rescind run` or `rescind handle` makes one; --config names another configuration"
    )]
    Missing {
        /// The ledger's file.
        path: String,
    },
    /// Others use the file all the time.
    #[error("{path}: {what}: try again when less is going on")]
    Busy {
        /// The file.
        path: String,
        /// What they do.
        what: &'static str,
    },
    /// SQLite took an entry and did not write it: a trigger that is not rescind's can do that.
    #[error("{path}: an entry was not taken: see `rescind ledger verify`")]
    NotTaken {
        /// The ledger's file.
        path: String,
    },
    /// The schema cannot be brought up to date.
    #[error("{path}: its schema cannot be brought up to date")]
    Schema {
        /// The ledger's file.
        path: String,
        /// Why.
        #[source]
        error: rusqlite_migration::Error,
    },
    /// Another rescind is acting on this ledger.
    #[error(
        "{path}: another rescind is acting on this ledger ({holder}): stop it first, or let it do the work"
    )]
    Locked {
        /// The ledger's file.
        path: String,
        /// What the lock file says about the holder.
        holder: String,
    },
    /// The lock file cannot be made.
    #[error("{path}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// A step that cannot follow the one before it. Nothing was written.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// An entry that cannot be read back.
    #[error("{path}: entry {seq} cannot be read: {error}")]
    BadEntry {
        /// The ledger's file.
        path: String,
        /// The entry's number.
        seq: i64,
        /// What is wrong with it.
        error: String,
    },
    /// The entries are not those that were signed for.
    #[error("{path}: entry {seq}: {what}: nothing is signed; see `rescind ledger verify`")]
    Tampered {
        /// The ledger's file.
        path: String,
        /// The entry's number.
        seq: i64,
        /// What is wrong.
        what: String,
    },
    /// An entry that could not be read back once it is written. It was not.
    #[error("an entry {kind:?} cannot be recorded: {error}")]
    Unwritable {
        /// The kind of entry.
        kind: &'static str,
        /// Why.
        error: String,
    },
    /// An entry that was to be written together with others failed, and they with it.
    #[error(transparent)]
    Shared(Arc<LedgerError>),
    /// A remediation that is in a state to which its entries do not lead.
    #[error("the remediation {remediation} is {state}, and its entries do not lead there")]
    Inconsistent {
        /// The remediation's id.
        remediation: String,
        /// Its state.
        state: String,
    },
    /// The writer has ended.
    #[error("the ledger's writer has ended: nothing can be recorded")]
    Closed,
}

fn hint(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly};
    match error.sqlite_error_code() {
        Some(DiskFull) => "make room on the disk; nothing is done without a record",
        Some(ReadOnly) => "the file or its directory is not writable",
        Some(DatabaseBusy) => "another process holds the file for too long",
        Some(DatabaseCorrupt) => "the file is damaged: keep it as evidence, and restore a backup",
        Some(NotADatabase) => "this is not a ledger",
        Some(CannotOpen) => "check that its directory exists and is accessible",
        _ => "the ledger cannot be used",
    }
}
