//! The denies that are watched over, how long they were in force, and the quarantines beside them.

use super::columns::states;
use super::project::stamp;
use super::{LedgerError, Open, Reader};
use crate::ident::AccountId;
use crate::remediation::{InForce, InForceTotal, Remediation, State, Target};
use jiff::Timestamp;
use rusqlite::params;
use std::collections::HashSet;

/// The entries that began a quarantine that has no end.
const QUARANTINES: &str = "FROM entries q WHERE q.kind = 'quarantining' AND q.kind <> 'call' AND NOT EXISTS
    (SELECT 1 FROM entries l WHERE l.remediation = q.remediation AND l.seq > q.seq AND l.kind IN ('lifted', 'not_quarantined'))";

/// When AWS accepted a deny of a remediation for the first time: by AWS's clock, where it was asked.
const FIRST_PUT: &str =
    "(SELECT coalesce(json_extract(CAST(a.body AS TEXT), '$.data.aws_time'), a.time) FROM entries a
    WHERE a.remediation = r.id AND +a.kind = 'accepted' ORDER BY a.seq LIMIT 1)";

/// A deny that is watched over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Id of the remediation that made the deny.
    pub remediation: String,
    /// The account of the principal.
    pub account: AccountId,
    /// The principal's key, as [`crate::remediation::Target::key`] gives it.
    pub key: String,
    /// When its latest step was recorded.
    pub last: Timestamp,
    /// Its impact was gathered.
    pub has_impact: bool,
}

/// How the denies are doing that are needed now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DeniesNow {
    /// How long they were in force, all together.
    pub in_force: InForceTotal,
    /// Number of denies that are contested.
    pub contested: u64,
}

impl Reader {
    /// The denies that are in force, oldest first; with those that expired and are still there; without
    /// those whose cutoff lies before `over`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn watched_denies(
        &self,
        with_expired: bool,
        over: Option<Timestamp>,
    ) -> Result<Vec<Watched>, LedgerError> {
        let impacts = "SELECT remediation FROM entries WHERE kind = 'impact' AND kind <> 'call'";
        let impacts: HashSet<String> = self.column(impacts, [])?.into_iter().collect();
        let connection = self.connection();
        let sql = format!(
            "SELECT r.id, r.account, r.role_key, e.time FROM remediations r JOIN entries e ON e.seq = r.last
             WHERE r.state IN {} AND (?1 IS NULL OR r.cutoff > ?1) ORDER BY r.opened",
            states(|state| state.is_in_place() || with_expired && state == State::Expired)
        );
        let mut statement = connection.prepare_cached(&sql).map_err(|e| self.sqlite(e))?;
        let row = |row: &rusqlite::Row<'_>| <(String, String, String, String)>::try_from(row);
        let rows = statement.query_map(params![over.map(stamp)], row);
        rows.map_err(|e| self.sqlite(e))?
            .map(|row| {
                let (remediation, account, key, last) = row.map_err(|e| self.sqlite(e))?;
                let account = account.parse().map_err(|e| self.bad_row("remediations", &e))?;
                let last = last.parse().map_err(|e: jiff::Error| self.bad_row("remediations", &e))?;
                let has_impact = !Target::has_impact(&key) || impacts.contains(&remediation);
                Ok(Watched { remediation, account, key, last, has_impact })
            })
            .collect()
    }

    /// How long the denies were in force that are needed now, and how many of them are contested.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn denies_now(&self) -> Result<DeniesNow, LedgerError> {
        let mut now = DeniesNow::default();
        let Some(until) = self.last_time()? else { return Ok(now) };
        // One that was never found gone is in force since it was put. The others are few, and are read in full.
        let sql = format!(
            "SELECT r.id, {FIRST_PUT} AS put, r.state IN {} AND r.id NOT IN
             (SELECT remediation FROM entries WHERE kind IN ('drift', 'not_applied') AND kind <> 'call' AND remediation IS NOT NULL)
             FROM remediations r WHERE r.state IN {} AND put IS NOT NULL",
            states(State::is_in_place),
            states(|state| state.is_in_place() || state.is_open())
        );
        let rows: Vec<(String, String, bool)> = {
            let connection = self.connection();
            let mut statement = connection.prepare_cached(&sql).map_err(|e| self.sqlite(e))?;
            let rows = statement.query_map([], |row| row.try_into()).map_err(|e| self.sqlite(e))?;
            rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))?
        };
        for (id, put, is_whole) in rows {
            if is_whole {
                let put = put.parse().map_err(|e: jiff::Error| self.bad_row("entries", &e))?;
                now.in_force.add(&InForce::whole(put, until));
                continue;
            }
            let remediation = self.remediation(&id)?;
            now.contested += u64::from(remediation.history.is_contested);
            if let Some(one) = remediation.in_force(until) {
                now.in_force.add(&one);
            }
        }
        Ok(now)
    }

    /// The remediations whose quarantine is attached, or may be, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn quarantined(&self) -> Result<Vec<Open>, LedgerError> {
        self.open_where(&format!("r.id IN (SELECT q.remediation {QUARANTINES})"))
    }

    /// Another remediation of the same principal whose quarantine is attached, or may be.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn quarantined_beside(&self, remediation: &Remediation) -> Result<Option<String>, LedgerError> {
        let sql = format!(
            "SELECT r.id FROM remediations r WHERE r.account = ?1 AND r.role_key = ?2 AND r.id <> ?3
             AND EXISTS (SELECT 1 {QUARANTINES} AND q.remediation = r.id) ORDER BY r.opened LIMIT 1"
        );
        let target = &remediation.target;
        let others = self.column(&sql, params![target.account.as_str(), target.key(), remediation.id])?;
        Ok(others.into_iter().next())
    }

    /// How many remediations are quarantined, and since when the oldest of them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn quarantines(&self) -> Result<(usize, Option<Timestamp>), LedgerError> {
        let mut known = self.known_quarantines();
        let connection = self.connection();
        let sql = "SELECT seq, kind, remediation, time FROM entries
             WHERE kind IN ('quarantining', 'lifted', 'not_quarantined') AND kind <> 'call' AND seq > ?1 ORDER BY seq";
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let mut rows = statement.query([known.seq]).map_err(|e| self.sqlite(e))?;
        while let Some(row) = rows.next().map_err(|e| self.sqlite(e))? {
            let (seq, kind, remediation, time): (i64, String, Option<String>, String) =
                row.try_into().map_err(|e| self.sqlite(e))?;
            known.take(seq, &kind, remediation, time);
        }
        let (count, oldest) = known.now();
        let oldest = oldest.map(|time| time.parse());
        let oldest = oldest.transpose().map_err(|e: jiff::Error| self.bad_row("entries", &e))?;
        Ok((count, oldest))
    }
}
