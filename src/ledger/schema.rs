//! Opening the file: pragmas set and checked, the schema brought up to date.

use super::LedgerError;
use super::lock::has_one_name;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};
use std::path::Path;
use std::time::Duration;

/// SQLite's "application id" of a ledger: `RSCD`.
const APPLICATION_ID: i32 = 0x5253_4344;

const STEPS: &[M<'_>] = &[M::up(include_str!("../../migrations/01-ledger/up.sql"))];

/// The schema that this version writes.
const VERSION: i64 = 1;

const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// Size of a page in bytes: SQLite's default.
pub(super) const PAGE: usize = 4096;

/// Timeout of waiting for another process that writes.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// Maximum number of prepared statements that are kept: more than there are different ones.
const STATEMENTS: usize = 64;

/// Opens the ledger for writing; makes it, with mode 0600, when it is not there.
pub(super) fn open_writer(path: &Path) -> Result<Connection, LedgerError> {
    let shown = path.display().to_string();
    create(path)?;
    has_one_name(path)?;
    let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
    let foreign = |why: String| LedgerError::Foreign { path: shown.clone(), why };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sqlite)?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(foreign("this is another program's database, not a ledger".to_owned()));
    }
    connection.pragma_update(None, "journal_mode", "wal").map_err(sqlite)?;
    connection.pragma_update(None, "synchronous", "full").map_err(sqlite)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite)?;
    let journal: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(sqlite)?;
    let synchronous: i64 =
        connection.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(sqlite)?;
    if journal != "wal" || synchronous != 2 {
        return Err(foreign(format!(
            "the file system does not allow a durable ledger (journal_mode={journal}, synchronous={synchronous})"
        )));
    }
    // Several processes may begin at once: then one does it, and the others find it done.
    for tries in 0.. {
        if check_version(&connection, &shown)? == VERSION {
            break;
        }
        match MIGRATIONS.to_latest(&mut connection) {
            Err(_) if tries < 5 => {}
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => return Err(sqlite(err)),
            Err(error) => return Err(LedgerError::Schema { path: shown, error }),
            Ok(()) => {}
        }
    }
    Ok(connection)
}

/// Opens the ledger for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LedgerError> {
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(LedgerError::Missing { path: shown });
    }
    let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    if id != APPLICATION_ID {
        let why = "this is not a ledger of rescind".to_owned();
        return Err(LedgerError::Foreign { path: shown, why });
    }
    check_version(&connection, &shown)?;
    Ok(connection)
}

fn check_version(connection: &Connection, path: &str) -> Result<i64, LedgerError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| LedgerError::Sqlite { path: path.to_owned(), error })?;
    if version > VERSION {
        return Err(LedgerError::Foreign {
            path: path.to_owned(),
            why: format!(
                "it was written by a newer rescind (schema {version}, this one knows {VERSION}): use that one"
            ),
        });
    }
    Ok(version)
}

/// How many pages the write-ahead log beside the ledger can have.
pub(super) fn log_pages(path: &Path) -> usize {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let bytes = std::fs::metadata(log).map_or(0, |metadata| metadata.len());
    usize::try_from(bytes).unwrap_or(usize::MAX) / PAGE
}

fn create(path: &Path) -> Result<(), LedgerError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(LedgerError::Io { path: path.display().to_string(), error }),
    }
}
