//! The tables beside the entries: those that can be rebuilt from the entries, and those that can be read again from
//! AWS.

use super::LedgerError;
use super::emptied::Emptied;
use crate::ident::{AccountId, Region};
use crate::org::{Placement, Snapshot};
use crate::remediation::{Event, Standing, Subject, Target};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, params};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is kept beside the entries, and cannot be made from them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideTable {
    /// How far a feed has come.
    Cursor(Cursor),
    /// The accounts of the organization.
    Organization(Arc<Snapshot>),
    /// Where an account stands.
    Placement(AccountId, Placement),
    /// How far a channel of notifications has come.
    Channel(ChannelState),
    /// A checkpoint was made.
    Checkpoint(CheckpointRow),
    /// The texts of entries are in an archive.
    Emptied(Emptied),
}

/// A checkpoint as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// Number of entries that it covers.
    pub size: u64,
    /// When it was made.
    pub time: Timestamp,
    /// The signed note.
    pub note: String,
    /// Where the next one goes on, in base64.
    pub frontier: String,
}

/// How far a channel of notifications has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    /// Name of the channel in the configuration.
    pub name: String,
    /// Everything up to this entry is delivered, or not for this channel.
    pub seq: i64,
    /// How often it failed in a row.
    pub failures: u32,
    /// Time of the first failure of those in a row.
    pub failed_since: Option<Timestamp>,
    /// Message of the latest failure.
    pub error: Option<String>,
}

impl ChannelState {
    /// It has come so far, and nothing is wrong.
    #[must_use]
    pub fn at(name: &str, seq: i64) -> Self {
        Self { name: name.to_owned(), seq, failures: 0, failed_since: None, error: None }
    }
}

/// How far a region's feed has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The region that is polled.
    pub region: Region,
    /// The detector in it.
    pub detector: String,
    /// The latest `updatedAt` that was recorded.
    pub updated_at: Timestamp,
}

/// An entry that is written, as far as the tables are made from it.
pub(super) struct Projected<'a> {
    pub seq: i64,
    pub time: Timestamp,
    pub subject: &'a Subject,
    pub event: &'a Event,
    pub occurrence: Option<&'a str>,
}

/// Updates the tables that can be rebuilt from the entries.
pub(super) fn project(connection: &Connection, entry: &Projected<'_>, path: &str) -> Result<(), LedgerError> {
    let sqlite = |error| LedgerError::Sqlite { path: path.to_owned(), error };
    let seq = entry.seq;
    if !entry.event.is_step() {
        return Ok(());
    }
    if let Some(occurrence) = entry.occurrence {
        let verdict = entry.event.verdict_at_once();
        connection
            .prepare_cached(
                "INSERT INTO occurrences (occurrence, seq, decided, verdict) VALUES (?1, ?2, ?3, ?4)",
            )
            .and_then(|mut s| s.execute(params![occurrence, seq, verdict.map(|_| seq), verdict]))
            .map_err(sqlite)?;
    }
    if let Event::Decision { occurrence, verdict, covered_by, last_seen, .. } = entry.event {
        // A remediation that is under way is also for what came later.
        connection
            .prepare_cached("UPDATE remediations SET last_seen = max(last_seen, ?2) WHERE id = ?1")
            .and_then(|mut s| s.execute(params![covered_by, stamp(*last_seen)]))
            .map_err(sqlite)?;
        connection
            .prepare_cached(
                "UPDATE occurrences SET decided = ?2, verdict = ?3, covered_by = ?4 WHERE occurrence = ?1",
            )
            .and_then(|mut s| s.execute(params![occurrence, seq, verdict.name(), covered_by]))
            .map_err(sqlite)?;
    }
    if let Event::Decision { covered_by: Some(covering), incident: Some(incident), .. } = entry.event {
        join_incidents(connection, covering, incident).map_err(sqlite)?;
    }
    if let (Event::Watching, Some(region)) = (entry.event, &entry.subject.region) {
        connection
            .prepare_cached("INSERT OR IGNORE INTO watched (region, since) VALUES (?1, ?2)")
            .and_then(|mut s| s.execute([region.as_str(), &stamp(entry.time)]))
            .map_err(sqlite)?;
    }
    let Some(id) = &entry.subject.remediation else { return Ok(()) };
    let from = connection
        .prepare_cached("SELECT state, proof FROM remediations WHERE id = ?1")
        .and_then(|mut s| {
            s.query_row([id], |row| Ok(Standing { state: row.get(0)?, proof: row.get(1)? })).optional()
        })
        .map_err(sqlite)?;
    // What is put back, or finished after a crash, was counted when it began.
    let begins = from.is_some_and(|from| from.state.is_to_begin());
    let Some(Standing { state, proof }) = Standing::after(from, entry.event, id)? else { return Ok(()) };
    if let Event::Refused(refused) = entry.event
        && refused.frees_covered()
    {
        free_covered(connection, id).map_err(sqlite)?;
    }
    let changed = match entry.event {
        Event::Decision { occurrence, target: Some(target), last_seen, incident, recurrence, .. } => {
            let follows = recurrence.as_ref().map(|recurrence| recurrence.of.as_str());
            let follows = match (incident, follows) {
                (None, None) => same_key(connection, target, occurrence).map_err(sqlite)?,
                (_, follows) => follows.map(str::to_owned),
            };
            let incident =
                incident_of(connection, id, incident.as_deref(), follows.as_deref()).map_err(sqlite)?;
            run(
                connection,
                "INSERT INTO remediations (id, occurrence, account, role_key, state, last_seen, opened, last, incident)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
                params![
                    id,
                    occurrence,
                    target.account.as_str(),
                    target.key(),
                    state,
                    stamp(*last_seen),
                    seq,
                    incident
                ],
            )
        }
        Event::Intent { change } => run(
            connection,
            "UPDATE remediations SET state = ?2, proof = ?3, last = ?4, cutoff = ?5,
             begun_at = ifnull(?6, begun_at) WHERE id = ?1",
            params![id, state, proof, seq, change.cutoff.to_string(), begins.then(|| stamp(entry.time))],
        ),
        _ => run(
            connection,
            "UPDATE remediations SET state = ?2, proof = ?3, last = ?4 WHERE id = ?1",
            params![id, state, proof, seq],
        ),
    };
    changed.map(|_| ()).map_err(sqlite)
}

/// An earlier remediation of the same principal for the same access key: it is the same theft.
fn same_key(connection: &Connection, target: &Target, occurrence: &str) -> rusqlite::Result<Option<String>> {
    let key = "json_extract(occurrence, '$[2]')";
    let sql = format!(
        "SELECT id FROM remediations WHERE account = ?1 AND role_key = ?2 AND {key} = json_extract(?3, '$[2]')
         AND {key} LIKE 'A%' ORDER BY opened LIMIT 1"
    );
    let params = params![target.account.as_str(), target.key(), occurrence];
    connection.prepare_cached(&sql)?.query_row(params, |row| row.get(0)).optional()
}

/// The incident of a new remediation: the one that it follows from, or that of the earlier remediation that should
/// have ended it, or one of its own.
fn incident_of(
    connection: &Connection,
    id: &str,
    incident: Option<&str>,
    follows: Option<&str>,
) -> rusqlite::Result<String> {
    let first = incident.map(first_of).or_else(|| follows.map(str::to_owned));
    let known = match first {
        None => None,
        Some(first) => connection
            .prepare_cached("SELECT incident FROM remediations WHERE id = ?1")?
            .query_row([first], |row| row.get(0))
            .optional()?,
    };
    Ok(known.unwrap_or_else(|| crate::remediation::incident_opened_by(id)))
}

/// What an incident's credentials opened is taken care of by another remediation: the incident of that and this are
/// one, under the id of the one that was opened first.
fn join_incidents(connection: &Connection, covering: &str, incident: &str) -> rusqlite::Result<usize> {
    let one = "SELECT incident FROM remediations WHERE id IN (?1, ?2)";
    run(
        connection,
        &format!(
            "UPDATE remediations SET incident =
                 (SELECT incident FROM remediations WHERE incident IN ({one}) ORDER BY opened LIMIT 1)
             WHERE incident IN ({one})"
        ),
        params![covering, first_of(incident)],
    )
}

/// The remediation that opened an incident.
fn first_of(incident: &str) -> String {
    format!("r-{}", incident.get(2..).unwrap_or_default())
}

/// A remediation ended in vain: what it took care of as well is to be decided about again.
fn free_covered(connection: &Connection, id: &str) -> rusqlite::Result<usize> {
    let sql =
        "UPDATE occurrences SET decided = NULL, verdict = NULL, covered_by = NULL WHERE covered_by = ?1";
    run(connection, sql, [id])
}

/// Runs a statement that is kept for the next time: there is one for most entries.
fn run(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

pub(super) fn write_beside(connection: &Connection, beside: &SideTable) -> rusqlite::Result<usize> {
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    };
    match beside {
        // A cursor that would go back stays: what lies between has been recorded.
        SideTable::Cursor(cursor) => connection
            .prepare_cached(
                "INSERT INTO cursors (region, detector, updated_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET updated_at = max(updated_at, excluded.updated_at)",
            )?
            .execute(params![cursor.region.as_str(), cursor.detector, stamp(cursor.updated_at)]),
        SideTable::Organization(snapshot) => connection
            .prepare_cached("INSERT OR REPLACE INTO organization (id, body) VALUES (1, ?1)")?
            .execute([json(serde_json::to_string(&**snapshot))?]),
        SideTable::Channel(channel) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO channels (name, seq, failures, failed_since, error) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                channel.name,
                channel.seq,
                channel.failures,
                channel.failed_since.map(stamp),
                channel.error
            ]),
        SideTable::Placement(account, placement) => connection
            .prepare_cached("INSERT OR REPLACE INTO placements (account, body) VALUES (?1, ?2)")?
            .execute([account.as_str(), &json(serde_json::to_string(placement))?]),
        SideTable::Checkpoint(row) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO checkpoints (size, time, note, frontier) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                i64::try_from(row.size).unwrap_or(i64::MAX),
                stamp(row.time),
                row.note,
                BASE64.decode(&row.frontier).unwrap_or_default()
            ]),
        SideTable::Emptied(emptied) => emptied.write(connection),
    }
}

/// A time as the columns have it: UTC, milliseconds.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
