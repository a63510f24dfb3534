//! Retention: the texts of closed entries are moved to a file, with proofs; their leaf hashes stay in the ledger.

use super::append::Appending;
use super::claim::claim;
use super::columns::states;
use super::emptied::Emptied;
use super::host_signer::HostSigner;
use super::prepared::Prepared;
use super::project::{SideTable, stamp};
use super::{LedgerError, Reader, checkpoint};
use crate::remediation::{Draft, Entry, Event};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Maximum number of entries that are moved in one transaction, and all those of a remediation together:
/// others can write in between.
const PART: usize = 10_000;

/// Entries that are moved together, because they belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed {
    /// The remediations that they belong to.
    pub remediations: Vec<String>,
    /// The occurrences, and the entry of the decision about each.
    occurrences: Vec<(String, i64)>,
    /// Numbers of their entries.
    pub entries: BTreeSet<i64>,
}

impl Closed {
    fn add(&mut self, other: Self) {
        self.remediations.extend(other.remediations);
        self.occurrences.extend(other.occurrences);
        self.entries.extend(other.entries);
    }
}

impl Reader {
    /// What is closed since before `before`, in parts that are moved one after the other: remediations
    /// that came to an end, findings that led to nothing, and entries about the service itself. A remediation
    /// whose deny is in place, or was left in place, stays: it is looked at, and can be released.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn closed_before(&self, before: Timestamp) -> Result<Vec<Closed>, LedgerError> {
        let mut all = self.closed_remediations(before)?;
        all.extend(self.closed_occurrences(before)?);
        all.extend(self.service_entries(before)?);
        let mut parts: Vec<Closed> = Vec::new();
        for closed in all {
            match parts.last_mut() {
                Some(part) if part.entries.len() + closed.entries.len() <= PART => part.add(closed),
                _ => parts.push(closed),
            }
        }
        Ok(parts)
    }

    fn closed_remediations(&self, before: Timestamp) -> Result<Vec<Closed>, LedgerError> {
        let sql = format!(
            "SELECT r.id FROM remediations r WHERE r.state IN {} AND
             (SELECT e.time FROM entries e WHERE e.remediation = r.id ORDER BY e.seq DESC LIMIT 1) < ?1
             ORDER BY r.opened",
            states(|state| !state.is_open() && !state.is_live())
        );
        let mut all = Vec::new();
        for id in self.column(&sql, [stamp(before)])? {
            all.extend(self.closed_remediation(&id, before)?);
        }
        Ok(all)
    }

    /// The remediation with every finding that it takes care of; none when one of those is not closed.
    fn closed_remediation(&self, id: &str, before: Timestamp) -> Result<Option<Closed>, LedgerError> {
        let mut closed = Closed { remediations: vec![id.to_owned()], ..Closed::default() };
        closed.entries.extend(self.entries_of(id)?.iter().map(|entry| entry.seq));
        let sql = "SELECT occurrence FROM remediations WHERE id = ?1
                   UNION SELECT occurrence FROM occurrences WHERE covered_by = ?1";
        for occurrence in self.column(sql, [id])? {
            let Some(of_it) = self.closed_occurrence(&occurrence, before, Some(id))? else { return Ok(None) };
            closed.add(of_it);
        }
        Ok(Some(closed))
    }

    /// Findings that led to no remediation.
    fn closed_occurrences(&self, before: Timestamp) -> Result<Vec<Closed>, LedgerError> {
        let sql = "SELECT o.occurrence FROM occurrences o JOIN entries d ON d.seq = o.decided
                   WHERE o.covered_by IS NULL AND o.verdict IN ('skip', 'observe', 'undecodable', 'unconfirmed') AND d.time < ?1
                   AND NOT EXISTS (SELECT 1 FROM remediations r WHERE r.occurrence = o.occurrence)
                   ORDER BY o.seq";
        let mut all = Vec::new();
        for occurrence in self.column(sql, [stamp(before)])? {
            all.extend(self.closed_occurrence(&occurrence, before, None)?);
        }
        Ok(all)
    }

    /// A finding with all decisions about it, if the last one is old enough and led to `remediation`.
    fn closed_occurrence(
        &self,
        occurrence: &str,
        before: Timestamp,
        remediation: Option<&str>,
    ) -> Result<Option<Closed>, LedgerError> {
        let Some(decided) = self.decided(occurrence)? else { return Ok(None) };
        let last = decided.decision.as_ref().unwrap_or(&decided.seen);
        if last.time >= before || last.takes_care() != remediation {
            return Ok(None);
        }
        let mut entries = BTreeSet::from([decided.seen.seq, last.seq]);
        if let Some(finding) = &decided.seen.subject.finding {
            let sql =
                "SELECT seq, body FROM entries WHERE finding = ?1 AND kind <> 'call' AND kind = 'decision'";
            let about_it = self.select(sql, [finding])?.into_iter().filter(
                |entry| matches!(&entry.event, Event::Decision { occurrence: about, .. } if about == occurrence),
            );
            entries.extend(about_it.map(|entry| entry.seq));
        }
        Ok(Some(Closed {
            remediations: Vec::new(),
            occurrences: vec![(occurrence.to_owned(), last.seq)],
            entries,
        }))
    }

    /// Polls, starts and stops. What later runs rest on stays: keys, opt-outs, watched regions, archives.
    fn service_entries(&self, before: Timestamp) -> Result<Vec<Closed>, LedgerError> {
        let connection = self.connection();
        let sql = "SELECT seq FROM entries WHERE remediation IS NULL AND time < ?1 AND kind IN
                   ('call', 'started', 'connected', 'stopped', 'organization', 'feed_failed', 'opt_outs_refused', 'alert',
                    'region_skipped', 'reloaded', 'reload_refused', 'witnessed')
                   ORDER BY seq";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map([stamp(before)], |row| row.get(0)).map_err(|e| self.sqlite(e))?;
        let all: Vec<i64> = rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))?;
        let part = |seqs: &[i64]| Closed { entries: seqs.iter().copied().collect(), ..Closed::default() };
        Ok(all.chunks(PART).map(part).collect())
    }
}

/// Where entries were moved to.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Name of the archive's file.
    pub file: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// What was closed before this was moved.
    pub before: Timestamp,
}

/// Takes the texts of what is in an archive by now out of the ledger, says so in an entry, and signs for it.
/// Gives how many; none when something of it was taken up again meanwhile: then it stays.
pub(super) fn move_out(
    appending: &mut Appending<'_>,
    closed: &Closed,
    to: &Moved,
    signer: &HostSigner,
) -> Result<Option<usize>, LedgerError> {
    let path = appending.path();
    let sqlite = |error| LedgerError::Sqlite { path: path.to_owned(), error };
    if !is_still_closed(appending.connection(), closed).map_err(sqlite)? {
        return Ok(None);
    }
    let left_sha256 = left_sha256(appending.connection(), &closed.entries).map_err(sqlite)?;
    let event_with = |signed| Event::Archive {
        file: to.file.clone(),
        sha256: to.sha256.clone(),
        before: to.before,
        entries: closed.entries.len(),
        left_sha256: left_sha256.clone(),
        remediations: closed.remediations.clone(),
        signed,
    };
    // Nothing in it cannot be JSON.
    let unsigned = serde_json::to_value(event_with(String::new())).unwrap_or_default();
    let event = event_with(signer.claim(appending.next(), &claim(unsigned))?);
    let seq = appending.one(&Prepared::new(Draft::of_service(event))?)?.unwrap_or_default();
    let occurrences = closed.occurrences.iter().map(|(name, _)| name.clone()).collect();
    let emptied = Emptied::by(seq, &closed.entries, closed.remediations.clone(), occurrences);
    appending.beside(&SideTable::Emptied(emptied))?;
    // A text that is gone without a signature for it would be a tampering.
    if let Some(row) = checkpoint::make(appending.connection(), path, signer)? {
        appending.beside(&SideTable::Checkpoint(row))?;
    }
    Ok(Some(closed.entries.len()))
}

/// What is left of the entries, hashed: of each its number and its time, and a line feed.
fn left_sha256(connection: &Connection, seqs: &BTreeSet<i64>) -> rusqlite::Result<String> {
    let mut time = connection.prepare("SELECT time FROM entries WHERE seq = ?1")?;
    let mut hash = Sha256::new();
    for seq in seqs {
        let time: String = time.query_row([seq], |row| row.get(0))?;
        hash.update(format!("{seq} {time}\n"));
    }
    Ok(crate::digest::hex(&hash.finalize()))
}

/// Nothing was added to it since it was looked at, and nobody else moved it.
fn is_still_closed(connection: &Connection, closed: &Closed) -> rusqlite::Result<bool> {
    let mut last = connection.prepare("SELECT max(seq) FROM entries WHERE remediation = ?1")?;
    for id in &closed.remediations {
        let last: Option<i64> = last.query_row([id], |row| row.get(0))?;
        if last.is_none_or(|last| !closed.entries.contains(&last)) {
            return Ok(false);
        }
    }
    let mut decided = connection.prepare("SELECT decided FROM occurrences WHERE occurrence = ?1")?;
    for (occurrence, wanted) in &closed.occurrences {
        let decided: Option<Option<i64>> = decided.query_row([occurrence], |row| row.get(0)).optional()?;
        if decided.flatten() != Some(*wanted) {
            return Ok(false);
        }
    }
    let mut covers = connection.prepare("SELECT occurrence FROM occurrences WHERE covered_by = ?1")?;
    let known: BTreeSet<&str> =
        closed.occurrences.iter().map(|(occurrence, _)| occurrence.as_str()).collect();
    for id in &closed.remediations {
        let covered = covers.query_map([id], |row| row.get::<_, String>(0))?;
        for occurrence in covered {
            if !known.contains(occurrence?.as_str()) {
                return Ok(false);
            }
        }
    }
    let mut there = connection.prepare("SELECT kind <> 'archived' FROM entries WHERE seq = ?1")?;
    for seq in &closed.entries {
        if !there.query_row([seq], |row| row.get::<_, bool>(0))? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Reader {
    /// The archive into which a remediation was moved, by the beginning of its id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn archive_of(&self, remediation: &str) -> Result<Option<Entry>, LedgerError> {
        let mut archives = self.of_kind("archive")?;
        archives.retain(|entry| {
            matches!(&entry.event, Event::Archive { remediations, .. }
                if remediations.iter().any(|id| id.starts_with(remediation)))
        });
        Ok(archives.pop())
    }
}
