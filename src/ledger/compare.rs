//! A ledger's file against its log: the same entries, in the same order.

use super::hollow::leaf_of;
use super::logged::{Log, READ};
use super::position::position;
use super::tree::{Frontier, Hash, leaf};
use super::{LedgerError, schema};
use crate::log::{Broken, Chain};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a file and its log have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many items the log has.
    pub items: u64,
    /// How many entries the log has.
    pub entries: u64,
    /// The root of the tree over them, in hexadecimal.
    pub root: String,
    /// The roots of the tree at the sizes that were asked for.
    pub roots: BTreeMap<u64, Hash>,
    /// The log is empty, and the file has entries: it is a ledger by itself.
    pub is_unpublished: bool,
    /// How many of them the file has not read yet.
    pub unread: u64,
    /// The first entry that is not the same in both, and what is wrong with it.
    pub differs: Option<(u64, String)>,
    /// The first item that does not follow the one before it.
    pub broken: Option<Broken>,
}

/// Reads the whole log, and compares it with the file at `path`, entry by entry. Of the tree over the log's entries, the
/// roots at `sizes` are kept. `progress` gets how many were read.
///
/// # Errors
/// When the log does not answer and was given up, or the file cannot be read.
pub fn compare(
    path: &Path,
    log: &Log,
    sizes: &BTreeSet<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<Comparison, LedgerError> {
    let connection = schema::open_reader(path)?;
    let sqlite = |error| LedgerError::Sqlite { path: path.display().to_string(), error };
    let at = position(&connection).map_err(sqlite)?;
    let has_entries = connection.query_row("SELECT EXISTS (SELECT 1 FROM entries)", [], |row| row.get(0));
    let is_unpublished = at.is_none() && has_entries.map_err(sqlite)?;
    let own = at.unwrap_or_default();
    let (mut found, mut chain, mut frontier) = (Comparison::default(), Chain::default(), Frontier::default());
    'read: loop {
        let items = log.read_on(chain.tail().position + 1, READ)?;
        if items.is_empty() {
            break;
        }
        for item in items {
            if item.position == own.position && item.hash() != own.hash {
                found.differs.get_or_insert((
                    found.entries + 1,
                    format!("the file was made from another item at position {}", item.position),
                ));
            }
            let group = match chain.take(item) {
                Ok(group) => group,
                Err(broken) => {
                    found.broken = Some(broken);
                    break 'read;
                }
            };
            found.items = chain.tail().position;
            for body in group.iter().flat_map(|group| &group.bodies) {
                let leaf = leaf_of(body).unwrap_or_else(|| leaf(body));
                frontier.push(leaf);
                found.entries += 1;
                if sizes.contains(&found.entries) {
                    found.roots.insert(found.entries, frontier.root());
                }
                let is_unread = chain.tail().position > own.position;
                found.unread += u64::from(is_unread);
                if found.differs.is_none() {
                    found.differs =
                        difference(&connection, found.entries, &leaf, is_unread).map_err(sqlite)?;
                }
            }
            progress(found.entries);
        }
    }
    if found.differs.is_none() && found.broken.is_none() {
        let sql = "SELECT coalesce(max(seq), 0) FROM entries";
        let last: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(sqlite)?;
        // Another process can have read on meanwhile.
        if last.unsigned_abs() > found.entries && position(&connection).map_err(sqlite)? == Some(own) {
            found.differs = Some((found.entries + 1, "the log does not have it".to_owned()));
        }
    }
    found.is_unpublished = is_unpublished && found.entries == 0;
    found.root = crate::digest::hex(&frontier.root());
    Ok(found)
}

/// What is wrong with an entry of the file, which need not be there if it `is_unread`.
fn difference(
    connection: &Connection,
    seq: u64,
    wanted: &Hash,
    is_unread: bool,
) -> rusqlite::Result<Option<(u64, String)>> {
    let there: Option<Hash> = connection
        .prepare_cached("SELECT leaf_hash FROM entries WHERE seq = ?1")?
        .query_row([i64::try_from(seq).unwrap_or(i64::MAX)], |row| row.get(0))
        .optional()?;
    Ok(match there {
        Some(there) if there == *wanted => None,
        Some(_) => Some((seq, "the log has another text".to_owned())),
        None if is_unread => None,
        None => Some((seq, "the file does not have it, and the log does".to_owned())),
    })
}
