//! Why a file cannot be judged.

use super::schema::Unknown;

/// How to copy a ledger whole.
pub const HOW_TO_COPY: &str = "Copy with `rescind ledger backup FILE`, or stop rescind and copy ledger.db, ledger.db-wal and ledger.db-shm together.";

/// Why a file cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// SQLite said no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// It is no ledger.
    #[error("this is not a ledger of rescind")]
    Foreign,
    /// It has no tables.
    #[error(
        "nothing of a ledger is in this file: it is none of rescind's, or a copy without the -wal that lay beside it. {HOW_TO_COPY}"
    )]
    Empty,
    /// It was written by a newer version.
    #[error("it was written by a newer rescind (schema {0}): use that one")]
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
