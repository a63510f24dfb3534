//! Why a file cannot be verified.

use super::schema::Unknown;

/// How to copy a ledger whole.
pub const HOW_TO_COPY: &str = "Copy with `rescind ledger backup -O FILE`, or stop rescind and copy ledger.db, ledger.db-wal and ledger.db-shm together.";

/// Why a file cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// SQLite cannot open or read the file.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// It is no ledger.
    #[error("this is not a ledger of rescind")]
    Foreign,
    /// It has no tables.
    #[error(
        "this file has no tables: it is not a ledger, or it was copied without its -wal file. {HOW_TO_COPY}"
    )]
    Empty,
    /// It was written by a newer version.
    #[error("it was written by a newer version of rescind (schema {0}): use that version")]
    Newer(i64),
}

impl From<Unknown> for Unreadable {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Foreign => Self::Foreign,
            Unknown::Empty => Self::Empty,
            Unknown::Newer(version) => Self::Newer(version),
        }
    }
}
