//! The incidents that are not closed, kept while the ledger grows: only what changed is read again.

use crate::desk::{IncidentLine, incident_line};
use crate::ident::AccountId;
use crate::incident::{Incident, IncidentState, SessionStatus};
use crate::ledger::{LedgerError, Reader};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Maximum number of incidents that are read for one page. The others have their turn at the next one.
const AT_ONCE: usize = 100;

/// Time after which all of them are read again: sessions end by themselves.
const STALE: SignedDuration = SignedDuration::from_secs(60);

/// An incident that is not closed, in short.
#[derive(Debug, Clone)]
pub(super) struct OpenIncident {
    pub line: IncidentLine,
    /// The accounts of its remediations.
    pub accounts: BTreeSet<AccountId>,
    /// Sessions that nothing denies, and that nobody judged.
    pub not_denied: usize,
    /// Sessions that wait for a person's answer.
    pub held: usize,
    /// Sessions that are being revoked.
    pub being_revoked: usize,
}

/// The incidents that are not closed.
#[derive(Debug, Default)]
pub(super) struct OpenIncidents(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The last entry that was looked at; none before the first time.
    seq: Option<i64>,
    /// Those that are to be read.
    waiting: BTreeSet<String>,
    open: BTreeMap<String, OpenIncident>,
    /// When all were marked to be read again.
    at: Timestamp,
}

/// What is known of them.
pub(super) struct Listed {
    /// The latest first.
    pub incidents: Vec<OpenIncident>,
    /// How many may be open and were not looked at yet.
    pub unread: usize,
}

impl OpenIncidents {
    /// As the ledger has them now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn update(&self, reader: &Reader) -> Result<Listed, LedgerError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, now) = (reader.last()?, Timestamp::now());
        match known.seq {
            None => known.waiting.extend(reader.incidents_to_look_at()?),
            Some(seq) if seq < last => known.waiting.extend(reader.incidents_after(seq)?),
            Some(_) => {}
        }
        known.seq = Some(last);
        if now.duration_since(known.at) > STALE {
            known.at = now;
            let again: Vec<String> = known.open.keys().cloned().collect();
            known.waiting.extend(again);
        }
        for _ in 0..AT_ONCE {
            let Some(id) = known.waiting.pop_first() else { break };
            let incident = Incident::read(reader, &id, now)?;
            match incident.filter(|incident| incident.state != IncidentState::Closed) {
                Some(incident) => known.open.insert(id, OpenIncident::of(&incident)),
                None => known.open.remove(&id),
            };
        }
        let mut incidents: Vec<OpenIncident> = known.open.values().cloned().collect();
        incidents.sort_by_key(|one| std::cmp::Reverse(one.line.opened_at));
        Ok(Listed { incidents, unread: known.waiting.len() })
    }
}

impl OpenIncident {
    fn of(incident: &Incident) -> Self {
        let count =
            |status| incident.sessions.iter().filter(|one| one.is_open && one.status == status).count();
        Self {
            line: incident_line(incident),
            accounts: incident.remediations.iter().map(|one| one.account.clone()).collect(),
            not_denied: count(SessionStatus::NotDenied),
            held: count(SessionStatus::Held),
            being_revoked: count(SessionStatus::BeingRevoked),
        }
    }
}
