//! How many incidents are not closed, and how many doors are open, counted as the ledger grows.

use super::view::{Incident, IncidentState};
use crate::ledger::{LedgerError, Reader};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of incidents that are read in one round. Of many, the counts are right after some rounds.
const AT_ONCE: usize = 50;

/// Number of rounds after which those that are not closed are read again: sessions end by themselves.
const ROUNDS: u32 = 12;

/// How many incidents are not closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentCounts {
    /// Incidents that are open.
    pub open: usize,
    /// Incidents that are contained.
    pub contained: usize,
    /// Doors of all of them that are open.
    pub open_doors: usize,
}

/// Counts the incidents that are not closed. Only what changed is read again.
#[derive(Debug, Default)]
pub struct IncidentCounter {
    /// The last entry that was looked at; none before the first round.
    seq: Option<i64>,
    /// Those that are to be read.
    waiting: BTreeSet<String>,
    /// Those that are not closed, with their open doors.
    known: BTreeMap<String, (IncidentState, usize)>,
    /// The one that was read last: the next one in order has its turn, so that each has.
    at: String,
    rounds: u32,
}

impl IncidentCounter {
    /// Takes what the ledger has since the last time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn update(&mut self, reader: &Reader, now: Timestamp) -> Result<IncidentCounts, LedgerError> {
        let last = reader.last()?;
        match self.seq {
            None => self.waiting.extend(reader.incidents_to_look_at()?),
            Some(seq) if seq < last => self.waiting.extend(reader.incidents_after(seq)?),
            Some(_) => {}
        }
        self.seq = Some(last);
        self.rounds += 1;
        if self.rounds >= ROUNDS {
            self.rounds = 0;
            // One of them may have become a part of another.
            self.waiting.extend(self.known.keys().cloned());
        }
        for _ in 0..AT_ONCE {
            let Some(id) = self.next() else { break };
            let incident = Incident::read(reader, &id, now)?;
            match incident.filter(|incident| incident.state != IncidentState::Closed) {
                Some(incident) => {
                    let doors = incident.open_doors().count();
                    self.known.insert(id, (incident.state, doors));
                }
                None => {
                    self.known.remove(&id);
                }
            }
        }
        Ok(self.counts())
    }

    /// Counts all of them at once.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn count(reader: &Reader, now: Timestamp) -> Result<IncidentCounts, LedgerError> {
        let mut counter = Self::default();
        loop {
            let counts = counter.update(reader, now)?;
            if counter.waiting.is_empty() {
                return Ok(counts);
            }
        }
    }

    fn next(&mut self) -> Option<String> {
        let behind = self.waiting.range(std::mem::take(&mut self.at)..).next();
        let id = behind.or_else(|| self.waiting.first())?.clone();
        self.waiting.remove(&id);
        self.at.clone_from(&id);
        Some(id)
    }

    fn counts(&self) -> IncidentCounts {
        let of = |state| self.known.values().filter(|(one, _)| *one == state).count();
        IncidentCounts {
            open: of(IncidentState::Open),
            contained: of(IncidentState::Contained),
            open_doors: self.known.values().map(|(_, doors)| doors).sum(),
        }
    }
}

impl std::fmt::Display for IncidentCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let doors = crate::plural::counted(self.open_doors, "door");
        let incidents = crate::plural::counted(self.open, "incident");
        write!(f, "{incidents} open, {} contained; {doors} open", self.contained)
    }
}
