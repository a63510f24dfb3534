//! What can go wrong with the ledger.

use crate::log::Broken;
use crate::remediation::{CallError, Illegal};
use std::sync::Arc;

/// Why the ledger could not be read or written. The text says which file; causes are sources.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite could not read or write the file.
    #[error("{path}: {}: {error}", hint(error))]
    Sqlite {
        /// Path of the ledger's file.
        path: String,
        /// What SQLite said. It is no source: its own source says the same in other words.
        error: rusqlite::Error,
    },
    /// The file is a database, but not a ledger of ours, or one that this version cannot use.
    #[error("{path}: {why}")]
    Foreign {
        /// Path of the ledger's file.
        path: String,
        /// Why it cannot be used.
        why: String,
    },
    /// There is no ledger yet.
    #[error(
        "{path}: no ledger there yet: `rescind run` or `rescind handle` makes one; --config names another configuration"
    )]
    Missing {
        /// Path where the ledger should be.
        path: String,
    },
    /// Others use the file all the time.
    #[error("{path}: {what}: try again later")]
    Busy {
        /// Path of the contended file.
        path: String,
        /// What the other processes are doing.
        what: &'static str,
    },
    /// SQLite took an entry and did not write it: a trigger that is not rescind's can do that.
    #[error(
        "{path}: SQLite did not store an entry, which a trigger of somebody else can cause: see `rescind ledger verify`"
    )]
    NotTaken {
        /// Path of the ledger's file.
        path: String,
    },
    /// The schema cannot be brought up to date.
    #[error("{path}: its schema cannot be brought up to date")]
    Schema {
        /// Path of the ledger's file.
        path: String,
        /// The migration that failed.
        #[source]
        error: rusqlite_migration::Error,
    },
    /// Another rescind is acting on this ledger.
    #[error(
        "{path}: another rescind is acting on this ledger ({holder}): stop it first, or let it do the work"
    )]
    Locked {
        /// Path of the ledger's file.
        path: String,
        /// What the lock file says about the holder.
        holder: String,
    },
    /// A file that belongs to the ledger, such as its lock, its signing key or a copy, cannot be read or written.
    #[error("{path}")]
    Io {
        /// Path of that file.
        path: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// A step that cannot follow the one before it. Nothing was written.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// Another change is planned by now.
    #[error("{remediation}: another change is planned by now, and nothing was recorded")]
    OtherPlan {
        /// Id of the remediation.
        remediation: String,
    },
    /// An entry that cannot be read back.
    #[error("{path}: entry {seq} cannot be read: {error}")]
    BadEntry {
        /// Path of the ledger's file.
        path: String,
        /// Number of the entry.
        seq: i64,
        /// What is wrong with it.
        error: String,
    },
    /// A row beside the entries that cannot be read, or is missing.
    #[error("{path}: {what}: {error}. `rescind ledger rebuild` makes the tables from the entries again")]
    BadRow {
        /// Path of the ledger's file.
        path: String,
        /// The table, or what of a remediation is missing.
        what: String,
        /// What is wrong with it.
        error: String,
    },
    /// There is no remediation with this id.
    #[error("{path}: there is no remediation {id}")]
    Unknown {
        /// Path of the ledger's file.
        path: String,
        /// The id that was asked for.
        id: String,
    },
    /// Nothing is signed yet.
    #[error("{path}: there is no checkpoint yet: `rescind ledger checkpoint` makes one")]
    NoCheckpoint {
        /// Path of the ledger's file.
        path: String,
    },
    /// The entries are not those that were signed for.
    #[error("{path}: entry {seq}: {what}. No checkpoint is signed: see `rescind ledger verify`")]
    Tampered {
        /// Path of the ledger's file.
        path: String,
        /// Number of the first entry that differs.
        seq: i64,
        /// What differs from what was signed.
        what: String,
    },
    /// The key in KMS does not sign.
    #[error("the key that signs checkpoints cannot be used")]
    Signing {
        /// The call that failed.
        #[source]
        error: CallError,
    },
    /// No key of the ledger has signed for this host's, or it was rotated.
    #[error(
        "{path}: this key may not sign: no key of this ledger has signed for it yet, or it was rotated. A host with such a key does when it leads, or with `rescind ledger checkpoint`"
    )]
    NotEndorsed {
        /// Where the key is.
        path: String,
    },
    /// An entry that could not be read back once it is written. It was not.
    #[error("an entry {kind:?} cannot be recorded: {error}")]
    Unwritable {
        /// The kind of entry.
        kind: &'static str,
        /// Why it could not be read back.
        error: String,
    },
    /// An entry that was to be written together with others failed, and they with it.
    #[error(transparent)]
    Shared(Arc<LedgerError>),
    /// A remediation that is in a state to which its entries do not lead.
    #[error("the remediation {remediation} is {state}, but its entries do not lead to that state")]
    Inconsistent {
        /// Id of the remediation.
        remediation: String,
        /// State that the remediation is in.
        state: String,
    },
    /// The file follows a log, and the configuration names none.
    #[error(
        "{path}: this ledger follows a log: name its table in the configuration ([ledger] table), or it would part from what other hosts write"
    )]
    HasLog {
        /// Path of the ledger's file.
        path: String,
    },
    /// The file is a ledger by itself, and the configuration names a log.
    #[error(
        "{path}: this ledger is not in the log yet: `rescind ledger publish` puts it there; a new host begins with an empty file"
    )]
    NotPublished {
        /// Path of the ledger's file.
        path: String,
    },
    /// The file and the log say different things.
    #[error("{path}: {what}. Keep both as evidence; `rescind ledger verify` checks the file")]
    Diverged {
        /// Path of the ledger's file.
        path: String,
        /// What does not fit.
        what: String,
    },
    /// The log has items that do not follow each other.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The regions of the log's table agree only later: two hosts could both lead.
    #[error(
        "the table {table} in {region} has no multi-Region strong consistency, and the configuration names replicas: take `replicas` out, or make such a table (docs/high-availability.md)"
    )]
    NotStrong {
        /// Name of the table.
        table: String,
        /// Region in which it was looked at.
        region: String,
    },
    /// The log cannot be read or written.
    #[error("the log cannot be read or written, and nothing is done without a record")]
    Log {
        /// The call that failed.
        #[source]
        error: CallError,
    },
    /// Another host leads the log.
    #[error(
        "{host} leads: it acts, and this host does not. Give orders and answers here; they reach it by the log"
    )]
    Led {
        /// The process that leads.
        host: String,
    },
    /// Another process leads: nothing was written.
    #[error("another host leads from now on (epoch {epoch}): this one stops acting")]
    Deposed {
        /// Number of the other's leadership.
        epoch: u64,
    },
    /// The writer has ended.
    #[error("the ledger's writer has ended: nothing can be recorded")]
    Closed,
}

impl LedgerError {
    /// Whether another process acts, on this file or as the leader of its log.
    #[must_use]
    pub fn is_other_acting(&self) -> bool {
        matches!(self, Self::Locked { .. }) || self.is_deposed()
    }

    /// Whether the log does not answer.
    #[must_use]
    pub fn is_of_log(&self) -> bool {
        match self {
            Self::Log { .. } | Self::Closed => true,
            Self::Shared(error) => error.is_of_log(),
            _ => false,
        }
    }

    /// Whether nothing may be signed: what was signed before was changed, or nobody has signed for this host's key.
    #[must_use]
    pub fn keeps_from_signing(&self) -> bool {
        matches!(self, Self::Tampered { .. } | Self::NotEndorsed { .. })
    }

    /// Whether the key cannot sign just now: everything else goes on.
    #[must_use]
    pub fn is_of_key(&self) -> bool {
        match self {
            Self::Signing { .. } => true,
            Self::Shared(error) => error.is_of_key(),
            _ => false,
        }
    }

    /// Whether another process leads.
    #[must_use]
    pub fn is_deposed(&self) -> bool {
        match self {
            Self::Deposed { .. } | Self::Led { .. } => true,
            Self::Shared(error) => error.is_deposed(),
            _ => false,
        }
    }
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
