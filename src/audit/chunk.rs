//! A chunk of entries, checked independently of the others: chunks are checked in parallel.

use super::canonical::Members;
use super::lifecycle::{Act, Step};
use super::problem::{NAMED, Problem};
use super::tree::{Hash, Tree, leaf};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;

/// Number of entries in a chunk: a power of two, so that each chunk is a complete subtree.
pub const CHUNK: i64 = 4096;

/// What a chunk gave.
#[derive(Default)]
pub struct Chunk {
    /// How many entries are there.
    pub entries: u64,
    pub tree: Tree,
    /// How the tree of the chunk stood at the sizes that were asked for.
    pub at: Vec<(u64, Tree)>,
    pub problems: Vec<Problem>,
    /// Those that are not named.
    pub more_problems: u64,
    /// What happened to remediations, in order.
    pub steps: Vec<Step>,
    /// Entries whose text was archived: the number of the `archive` entry, their own number and time.
    pub archived: Vec<(i64, i64, String)>,
    /// The `archive` entries, and what each of them says.
    pub archives: Vec<(i64, ArchiveClaim)>,
}

/// What an `archive` entry says about the entries that it moved.
pub struct ArchiveClaim {
    /// How many entries it has.
    pub count: u64,
    /// The hash of what is left of them.
    pub left_sha256: String,
    /// The hash of everything that the entry says, without the signature.
    pub claim: String,
    /// The note of the key that signed for that.
    pub signed: String,
}

const COLUMNS: [&str; 6] = ["kind", "remediation", "finding", "account", "region", "principal"];

impl Chunk {
    /// Checks the entries of chunk `index`, the last of all being `last`. `sizes` are the sizes of the
    /// tree at which its root is wanted.
    pub fn check(connection: &Connection, index: i64, last: i64, sizes: &BTreeSet<u64>) -> Self {
        let before = index.saturating_mul(CHUNK);
        let (first, end) = (before.saturating_add(1), before.saturating_add(CHUNK).min(last));
        let mut chunk = Self::default();
        let mut next = first;
        if let Err(error) = chunk.rows(connection, (first, end), &mut next, sizes) {
            chunk.problem(next, format!("the file cannot be read here: {error}"));
        } else if next <= end {
            chunk.problem(next, missing(next, end));
        }
        chunk
    }

    fn rows(
        &mut self,
        connection: &Connection,
        (first, end): (i64, i64),
        next: &mut i64,
        sizes: &BTreeSet<u64>,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, time, kind, remediation, finding, account, region, principal, body, leaf_hash
             FROM entries WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query([first, end])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if seq != *next {
                self.problem(*next, missing(*next, seq - 1));
                // A leaf that nobody has keeps its place, so that what follows is where it was.
                (*next..seq).for_each(|_| self.tree.push([0; 32]));
            }
            *next = seq.saturating_add(1);
            let leaf = self.entry(seq, row)?;
            self.entries += 1;
            self.tree.push(leaf);
            let size = u64::try_from(seq).unwrap_or(0);
            if sizes.contains(&size) {
                self.at.push((size, self.tree.clone()));
            }
        }
        Ok(())
    }

    fn problem(&mut self, entry: i64, what: impl Into<String>) {
        if self.problems.len() < NAMED {
            self.problems.push(Problem { entry: Some(entry), what: what.into() });
        } else {
            self.more_problems += 1;
        }
    }

    fn entry(&mut self, seq: i64, row: &Row<'_>) -> rusqlite::Result<Hash> {
        let bytes = |column| match row.get_ref(column) {
            Ok(ValueRef::Blob(bytes)) => bytes,
            _ => &[],
        };
        let (body, stored) = (bytes(8), bytes(9));
        if text(row, 2) == Some("archived") {
            self.archived(seq, body, row);
            return Ok(stored.try_into().unwrap_or_default());
        }
        let leaf = leaf(body);
        if leaf[..] != *stored {
            self.problem(seq, "its text was changed: it does not match its hash");
        }
        match Members::of(body) {
            Some(members) => self.columns(seq, &members, row)?,
            None => self.problem(seq, "its text is not canonical JSON"),
        }
        Ok(leaf)
    }

    /// An entry that was moved to an archive: its number, its time and its leaf are what is left of it.
    fn archived(&mut self, seq: i64, body: &[u8], row: &Row<'_>) {
        let archive = std::str::from_utf8(body)
            .ok()
            .and_then(|text| text.strip_prefix("{\"archived\":")?.strip_suffix('}')?.parse::<i64>().ok())
            .filter(|archive| *archive > seq && format!("{{\"archived\":{archive}}}").as_bytes() == body);
        let bare = (3..8).all(|column| matches!(row.get_ref(column), Ok(ValueRef::Null)));
        match (archive, text(row, 1)) {
            (Some(archive), Some(time)) if bare && is_canonical(time) => {
                self.archived.push((archive, seq, time.to_owned()));
            }
            _ => self.problem(seq, "its text was removed, but not by archiving"),
        }
    }

    /// The columns, by which entries are found, say the same as the text.
    fn columns(&mut self, seq: i64, members: &Members<'_>, row: &Row<'_>) -> rusqlite::Result<()> {
        if members.raw("seq").and_then(|text| text.parse().ok()) != Some(seq) {
            self.problem(seq, "its text belongs to another entry");
        }
        if !same_time(text(row, 1), members.raw("time")) {
            self.problem(seq, "its time does not match its text");
        }
        for (column, name) in (2..8).zip(COLUMNS) {
            let same = match row.get_ref(column)? {
                ValueRef::Null => members.is(name, None),
                ValueRef::Text(text) => {
                    std::str::from_utf8(text).is_ok_and(|text| members.is(name, Some(text)))
                }
                _ => false,
            };
            if !same {
                self.problem(seq, format!("its {name} does not match its text"));
            }
        }
        if text(row, 2) == Some("archive")
            && let Some(data) = members.raw("data").and_then(|data| Members::of(data.as_bytes()))
        {
            let text = |name| data.text(name).unwrap_or_default();
            let count = data.raw("entries").and_then(|count| count.parse().ok()).unwrap_or_default();
            let claim = crate::digest::sha256(data.without("signed").as_bytes());
            let (left_sha256, signed) = (text("left_sha256"), text("signed"));
            self.archives.push((seq, ArchiveClaim { count, left_sha256, claim, signed }));
        }
        if let (Some(kind), Some(id)) = (text(row, 2), text(row, 3))
            && let Some(act) = Act::of(kind, members.raw("data").unwrap_or_default())
        {
            self.steps.push(Step::new(seq, id, act));
        }
        Ok(())
    }
}

fn missing(first: i64, last: i64) -> String {
    if first == last {
        format!("entry {first} is missing or out of order")
    } else {
        format!("entries {first} to {last} are missing or out of order")
    }
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Option<&'r str> {
    match row.get_ref(column) {
        Ok(ValueRef::Text(text)) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// The column is the one way to write the time of the text: it always has milliseconds, the text only those
/// that are not zero. Another spelling of the same instant would be sorted elsewhere, out of a report's period.
fn same_time(column: Option<&str>, raw: Option<&str>) -> bool {
    let raw = raw.and_then(|raw| raw.strip_prefix('"')?.strip_suffix('"'));
    let (Some(column), Some(raw)) = (column, raw) else { return false };
    let short = column.strip_suffix('Z').map(|time| time.trim_end_matches('0').trim_end_matches('.'));
    is_canonical(column) && raw.strip_suffix('Z') == short
}

/// A time in UTC with milliseconds, as rescind writes it into the column: `2026-11-22T10:00:00.120Z`.
fn is_canonical(column: &str) -> bool {
    let parsed = column.parse::<jiff::Timestamp>();
    parsed.is_ok_and(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string() == column)
}

#[cfg(test)]
mod tests {
    use super::same_time;

    #[test]
    fn a_time_has_one_spelling() {
        for (column, raw, same) in [
            ("2026-11-22T10:00:00.120Z", "2026-11-22T10:00:00.12Z", true),
            ("2026-11-22T10:00:00.000Z", "2026-11-22T10:00:00Z", true),
            ("2026-11-22T10:00:10.000Z", "2026-11-22T10:00:10Z", true),
            ("2026-11-22T10:00:00.120Z", "2026-11-22T10:00:00.120Z", false),
            ("2026-11-22T10:00:00.120Z", "2026-11-22T10:00:00.13Z", false),
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", false),
            ("+002026-11-22T10:00:00.120Z", "2026-11-22T10:00:00.12Z", false),
            ("2026-11-22T12:00:00.120+02:00", "2026-11-22T10:00:00.12Z", false),
            ("2026-11-22 10:00:00.120Z", "2026-11-22 10:00:00.12Z", false),
            ("2026-11-22T10:00:60.000Z", "2026-11-22T10:00:60Z", false),
        ] {
            let raw = format!("\"{raw}\"");
            assert_eq!(same_time(Some(column), Some(&raw)), same, "{column} {raw}");
        }
    }
}
