//! Puts a ledger that was one by itself into an empty log.

use super::compare::{Comparison, compare};
use super::hollow::Hollow;
use super::logged::{Log, READ, Settled};
use super::position::{move_to, position};
use super::project::{CheckpointRow, SideTable};
use super::tree::{Hash, leaf};
use super::{LedgerError, Reader, schema};
use crate::log::{Chain, Group, Tail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Maximum number of entries of an item.
const TOGETHER: i64 = 500;

/// Puts all that the ledger at `path` has into the log, and compares both at the end. What an interrupted attempt put
/// there is not put again. Nobody else may write meanwhile: the caller has the ledger's lock. `progress` gets how many
/// entries stand in the log.
///
/// # Errors
/// When the ledger is in a log already, the log has something else, or either cannot be read or written.
pub fn publish(path: &Path, log: &Log, progress: &mut dyn FnMut(u64)) -> Result<Comparison, LedgerError> {
    let connection = schema::open_writer(path)?;
    let shown = path.display().to_string();
    let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
    if position(&connection).map_err(sqlite)?.is_some() {
        return compare(path, log, &BTreeSet::new(), progress);
    }
    let other = |what: String| LedgerError::Diverged { path: shown.clone(), what };
    let mut chain = Chain::default();
    let mut seq = 0;
    let mut is_done = false;
    loop {
        let items = log.read_on(chain.tail().position + 1, READ)?;
        if items.is_empty() {
            break;
        }
        for item in items {
            let Some(group) = chain.take(item)? else { continue };
            for body in &group.bodies {
                let there = lines(&connection, seq, 1).map_err(sqlite)?.pop();
                seq += 1;
                if there.as_ref() != Some(body) {
                    return Err(other(format!("the log has another ledger: entry {seq} is not the same")));
                }
            }
            is_done |= !group.beside.is_empty();
            progress(seq.unsigned_abs());
        }
    }
    let mut tail = chain.tail().clone();
    let put = |tail: &mut Tail, first: i64, bodies: Vec<Vec<u8>>, beside: Vec<Vec<u8>>| {
        let writer = log.writer().to_owned();
        let group = Group { epoch: 0, writer, first: first.unsigned_abs(), bodies, beside };
        let items = group.items(tail);
        let known = log.put(&items);
        if log.settle(&items, known)? == Settled::Others {
            return Err(other("somebody else writes to the log: nothing may run meanwhile".to_owned()));
        }
        if let Some(last) = items.last() {
            *tail = Tail { position: last.position, epoch: last.epoch, hash: last.hash() };
        }
        Ok(())
    };
    loop {
        let bodies = lines(&connection, seq, TOGETHER).map_err(sqlite)?;
        let count = i64::try_from(bodies.len()).unwrap_or(i64::MAX);
        if count == 0 {
            break;
        }
        put(&mut tail, seq + 1, bodies, Vec::new())?;
        seq += count;
        progress(seq.unsigned_abs());
    }
    if !is_done {
        put(&mut tail, seq + 1, Vec::new(), side_tables(path, &connection)?)?;
    }
    move_to(&connection, &tail).map_err(sqlite)?;
    compare(path, log, &BTreeSet::new(), progress)
}

/// The entries behind `seq`, as the log has them.
fn lines(connection: &Connection, seq: i64, most: i64) -> rusqlite::Result<Vec<Vec<u8>>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, time, kind = 'archived', body, leaf_hash FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = statement.query_map(params![seq, most], |row| {
        let (seq, time): (i64, String) = (row.get(0)?, row.get(1)?);
        let (is_archived, body, hash): (bool, Vec<u8>, Hash) = (row.get(2)?, row.get(3)?, row.get(4)?);
        if !is_archived || leaf(&body) == hash {
            return Ok(body);
        }
        let archive =
            std::str::from_utf8(&body).ok().and_then(|text| text.get(12..text.len() - 1)?.parse().ok());
        Ok(Hollow::new(archive.unwrap_or_default(), seq, time.parse().unwrap_or_default(), &hash).line())
    })?;
    rows.collect()
}

/// What stands beside the entries and cannot be made from them, as the log has it.
fn side_tables(path: &Path, connection: &Connection) -> Result<Vec<Vec<u8>>, LedgerError> {
    let reader = Reader::open(path)?;
    let sqlite = |error| LedgerError::Sqlite { path: path.display().to_string(), error };
    let mut rows = reader.cursors()?.into_iter().map(SideTable::Cursor).collect::<Vec<_>>();
    rows.extend(reader.organization()?.map(|snapshot| SideTable::Organization(Arc::new(snapshot))));
    rows.extend(reader.channels()?.into_iter().map(SideTable::Channel));
    let mut statement = connection
        .prepare("SELECT size, time, note, frontier FROM checkpoints ORDER BY size")
        .map_err(sqlite)?;
    let checkpoints = statement
        .query_map([], |row| {
            Ok(CheckpointRow {
                size: row.get::<_, i64>(0)?.unsigned_abs(),
                time: row.get::<_, String>(1)?.parse().unwrap_or_default(),
                note: row.get(2)?,
                frontier: BASE64.encode(row.get::<_, Vec<u8>>(3)?),
            })
        })
        .map_err(sqlite)?;
    for checkpoint in checkpoints {
        rows.push(SideTable::Checkpoint(checkpoint.map_err(sqlite)?));
    }
    Ok(rows.iter().map(|row| serde_json::to_vec(row).unwrap_or_default()).collect())
}
