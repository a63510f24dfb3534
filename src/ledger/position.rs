//! How far a ledger's file has come in its log.

use crate::log::Tail;
use rusqlite::{Connection, OptionalExtension, params};

/// The position in the log up to which the file has everything; none when it is a ledger by itself.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<Option<Tail>> {
    connection
        .prepare_cached("SELECT position, epoch, hash FROM log WHERE id = 1")?
        .query_row([], |row| {
            let (position, epoch): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(Tail { position: position.unsigned_abs(), epoch: epoch.unsigned_abs(), hash: row.get(2)? })
        })
        .optional()
}

/// The file has everything up to `tail` now.
pub(super) fn move_to(connection: &Connection, tail: &Tail) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO log (id, position, epoch, hash) VALUES (1, ?1, ?2, ?3)")?
        .execute(params![
            i64::try_from(tail.position).unwrap_or(i64::MAX),
            i64::try_from(tail.epoch).unwrap_or(i64::MAX),
            tail.hash
        ])
        .map(|_| ())
}
