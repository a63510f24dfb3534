//! Reading the ledger. A reader never blocks the writer.

use super::entry::{Entry, Event, Refused, Subject};
use super::state::State;
use super::{LedgerError, schema};
use crate::finding::Finding;
use crate::ident::{AccountId, Region, RoleId, RoleName};
use crate::remedy::{Change, Cutoff, Proof, Target};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

/// The ledger, open for reading.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
    path: String,
}

/// What triage needs to know of a remediation of the same role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its id.
    pub remediation: String,
    /// Where it stands.
    pub state: State,
    /// Its cutoff, once there is one.
    pub cutoff: Option<Cutoff>,
    /// When AWS had accepted it.
    pub accepted_at: Option<Timestamp>,
    /// The id of the role that it was for.
    pub role_id: Option<RoleId>,
}

impl InForce {
    /// The cutoff, as far as it can be relied on without looking: a cutoff of ours lies half a
    /// minute after the change. One that is later was found on the role, and who wrote it there
    /// can take it away.
    #[must_use]
    pub fn covering_cutoff(&self) -> Option<Cutoff> {
        let relied_on = self.accepted_at.and_then(|at| at.checked_add(RELIED_ON).ok()).map(Cutoff::round_up);
        match (self.cutoff, relied_on) {
            (Some(cutoff), Some(relied_on)) => Some(cutoff.min(relied_on)),
            (cutoff, _) => cutoff,
        }
    }
}

/// How long after a change its cutoff is relied on, by this machine's clock.
const RELIED_ON: SignedDuration = SignedDuration::from_mins(2);

/// A remediation, put together from its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Remediation {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// The finding that led to it.
    pub finding: Finding,
    /// Whom it is for.
    pub target: Target,
    /// When credentials that it revokes were last seen in use, by any finding.
    pub last_seen: Timestamp,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// The change that was made or is being made.
    pub change: Option<Change>,
    /// When AWS had accepted the change.
    pub accepted_at: Option<Timestamp>,
    /// How far it is proved.
    pub proof: Option<Proof>,
    /// The latest refusal.
    pub refused: Option<Refused>,
    /// Why it is not known whether the change is in place.
    pub uncertain: Option<String>,
}

impl Remediation {
    /// What an entry about it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            remediation: Some(self.id.clone()),
            finding: Some(self.finding.id.clone()),
            account: Some(self.target.account.clone()),
            region: Some(self.finding.region.clone()),
            principal: Some(self.target.role.to_string()),
        }
    }
}

/// An occurrence and what was decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The entry that recorded it: a finding, or something undecodable.
    pub seen: Entry,
    /// The decision's entry, once there is one.
    pub decision: Option<Entry>,
}

impl Reader {
    /// Opens the ledger at `path` for reading only.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = schema::open_reader(path)?;
        Ok(Self { connection: Mutex::new(connection), path: path.display().to_string() })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sqlite(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::Sqlite { path: self.path.clone(), error }
    }

    fn bad(&self, seq: i64, error: &dyn ToString) -> LedgerError {
        LedgerError::BadEntry { path: self.path.clone(), seq, error: error.to_string() }
    }

    fn select(&self, sql: &str, params: impl Params) -> Result<Vec<Entry>, LedgerError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement
            .query_map(params, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .map_err(|e| self.sqlite(e))?;
        rows.map(|row| {
            let (seq, body) = row.map_err(|e| self.sqlite(e))?;
            serde_json::from_slice(&body).map_err(|e| self.bad(seq, &e))
        })
        .collect()
    }

    fn column(&self, sql: &str, params: impl Params) -> Result<Vec<String>, LedgerError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map(params, |row| row.get(0)).map_err(|e| self.sqlite(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    /// Entry number `seq`.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, seq: i64) -> Result<Entry, LedgerError> {
        let mut entries = self.select("SELECT seq, body FROM entries WHERE seq = ?1", [seq])?;
        entries.pop().ok_or_else(|| self.bad(seq, &"there is no such entry"))
    }

    /// The number of the last entry; 0 when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last(&self) -> Result<i64, LedgerError> {
        self.connection()
            .query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| row.get(0))
            .map_err(|e| self.sqlite(e))
    }

    /// The entries after number `seq`, but for AWS calls, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn since(&self, seq: i64) -> Result<Vec<Entry>, LedgerError> {
        self.select("SELECT seq, body FROM entries WHERE seq > ?1 AND kind <> 'call' ORDER BY seq", [seq])
    }

    /// All entries of a remediation, with those of its finding's decision, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn entries_of(&self, remediation: &str) -> Result<Vec<Entry>, LedgerError> {
        self.select("SELECT seq, body FROM entries WHERE remediation = ?1 ORDER BY seq", [remediation])
    }

    /// How far the feed of a detector has come.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cursor(&self, region: &Region, detector: &str) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT updated_at FROM cursors WHERE region = ?1 AND detector = ?2";
        let text = self.column(sql, params![region.as_str(), detector])?.pop();
        text.map(|text| text.parse().map_err(|e| self.bad(0, &e))).transpose()
    }

    /// What was done to a role before. The newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(&self, account: &AccountId, role: &RoleName) -> Result<Vec<InForce>, LedgerError> {
        let sql = "SELECT id FROM remediations WHERE account = ?1 AND role_key = ?2 ORDER BY opened DESC";
        let ids = self.column(sql, params![account.as_str(), role.key()])?;
        ids.iter()
            .map(|id| {
                let remediation = self.remediation(id)?;
                Ok(InForce {
                    remediation: remediation.id,
                    state: remediation.state,
                    cutoff: remediation.change.as_ref().map(|c| c.cutoff),
                    accepted_at: remediation.accepted_at,
                    role_id: remediation.change.map(|c| c.role_id).or(remediation.target.role_id),
                })
            })
            .collect()
    }

    /// Findings that are recorded and not decided, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn undecided(&self) -> Result<Vec<Finding>, LedgerError> {
        self.findings(
            "SELECT e.seq, e.body FROM occurrences o JOIN entries e USING (seq) WHERE o.decided IS NULL ORDER BY seq",
        )
    }

    /// Findings that were only observed, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn observed(&self) -> Result<Vec<Finding>, LedgerError> {
        self.findings(
            "SELECT e.seq, e.body FROM occurrences o JOIN entries e USING (seq) WHERE o.verdict = 'observe' ORDER BY seq",
        )
    }

    fn findings(&self, sql: &str) -> Result<Vec<Finding>, LedgerError> {
        let entries = self.select(sql, [])?;
        Ok(entries
            .into_iter()
            .filter_map(|entry| match entry.event {
                Event::Finding { finding, .. } => Some(*finding),
                _ => None,
            })
            .collect())
    }

    /// What was decided about an occurrence, if it was seen.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decided(&self, occurrence: &str) -> Result<Option<Decided>, LedgerError> {
        let seqs: Option<(i64, Option<i64>)> = self
            .connection()
            .query_row("SELECT seq, decided FROM occurrences WHERE occurrence = ?1", [occurrence], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(|e| self.sqlite(e))?;
        let Some((seen, decision)) = seqs else { return Ok(None) };
        let decision = decision.filter(|seq| *seq != seen).map(|seq| self.entry(seq)).transpose()?;
        Ok(Some(Decided { seen: self.entry(seen)?, decision }))
    }

    /// Every occurrence with its decision, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decisions(&self) -> Result<Vec<Decided>, LedgerError> {
        let occurrences = self.column("SELECT occurrence FROM occurrences ORDER BY seq", [])?;
        occurrences.iter().filter_map(|occurrence| self.decided(occurrence).transpose()).collect()
    }

    /// The remediations in a state that `wanted` names, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn remediations(&self, wanted: impl Fn(State) -> bool) -> Result<Vec<Remediation>, LedgerError> {
        let states: Vec<String> =
            State::all().filter(|state| wanted(*state)).map(|state| format!("'{state}'")).collect();
        let sql =
            format!("SELECT id FROM remediations WHERE state IN ({}) ORDER BY opened", states.join(","));
        self.column(&sql, [])?.iter().map(|id| self.remediation(id)).collect()
    }

    /// Ids that start with `prefix`, and remediations of a finding with that id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn matching(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT id FROM remediations WHERE substr(id, 1, length(?1)) = ?1
                   UNION SELECT remediation FROM entries WHERE finding = ?1 AND kind = 'decision' AND remediation IS NOT NULL";
        self.column(sql, [prefix])
    }

    /// The remediation with this id.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be read.
    pub fn remediation(&self, id: &str) -> Result<Remediation, LedgerError> {
        let (occurrence, state, last_seen): (String, String, String) = self
            .connection()
            .query_row("SELECT occurrence, state, last_seen FROM remediations WHERE id = ?1", [id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .map_err(|e| self.sqlite(e))?;
        let last_seen = last_seen.parse().map_err(|e| self.bad(0, &e))?;
        let state = state.parse().map_err(|e: String| self.bad(0, &e))?;
        let seen = self.decided(&occurrence)?.ok_or_else(|| self.bad(0, &"its finding is missing"))?.seen;
        let Event::Finding { finding, .. } = seen.event else {
            return Err(self.bad(seen.seq, &"expected a finding"));
        };
        let steps = self.select(
            "SELECT seq, body FROM entries WHERE remediation = ?1 AND kind <> 'call' ORDER BY seq",
            [id],
        )?;
        let mut target = None;
        let mut remediation = Steps::default();
        for step in steps {
            let time = step.time;
            match step.event {
                Event::Decision { target: Some(whom), .. } => target = Some((time, whom)),
                Event::Intent { change } => remediation.change = Some(change),
                Event::Accepted { .. } => remediation.accepted_at = Some(time),
                Event::Proof(proof) => remediation.proof = Some(proof),
                Event::Refused(refused) => remediation.refused = Some(refused),
                Event::Uncertain { error } => remediation.uncertain = Some(error),
                _ => {}
            }
        }
        let (opened_at, target) = target.ok_or_else(|| self.bad(0, &format!("{id} has no decision")))?;
        let Steps { change, accepted_at, proof, refused, uncertain } = remediation;
        Ok(Remediation {
            id: id.to_owned(),
            state,
            finding: *finding,
            target,
            last_seen,
            opened_at,
            change,
            accepted_at,
            proof,
            refused,
            uncertain,
        })
    }
}

#[derive(Default)]
struct Steps {
    change: Option<Change>,
    accepted_at: Option<Timestamp>,
    proof: Option<Proof>,
    refused: Option<Refused>,
    uncertain: Option<String>,
}
