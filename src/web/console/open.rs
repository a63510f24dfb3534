//! The incidents that are not closed, kept while the ledger grows: only what changed is read again.

use crate::desk::{IncidentLine, incident_line};
use crate::ident::AccountId;
use crate::incident::{Incident, IncidentState, Session, SessionStatus};
use crate::ledger::{LedgerError, Reader};
use crate::org::AccountNames;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Number of incidents that are read for one page however long that takes.
const AT_LEAST: usize = 20;

/// Time after which no more are read for one page. The others have their turn at the next one.
const LONGEST: Duration = Duration::from_millis(50);

/// Time after which one is read again, though nothing was recorded of it: what is said of it rests on more than that.
const STALE: SignedDuration = SignedDuration::from_secs(60);

/// Time after which no more are read again for one page. Meanwhile what is known of them is shown.
const AGAIN: Duration = Duration::from_millis(20);

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
    /// When a session of it ends by itself.
    ends: Option<Timestamp>,
    /// When it was read.
    read_at: Timestamp,
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
        let (last, now, begun) = (reader.last()?, Timestamp::now(), Instant::now());
        match known.seq {
            None => known.waiting.extend(reader.incidents_to_look_at()?),
            Some(seq) if seq < last => known.waiting.extend(reader.incidents_after(seq)?),
            Some(_) => {}
        }
        known.seq = Some(last);
        let ended = known.open_where(|one| one.ends.is_some_and(|ends| ends <= now));
        known.waiting.extend(ended.into_iter().map(|(_, id)| id));
        let mut read = 0;
        while read < AT_LEAST || begun.elapsed() < LONGEST {
            let Some(id) = known.waiting.pop_first() else { break };
            known.read(reader, id, now)?;
            read += 1;
        }
        let mut stale = known.open_where(|one| now.duration_since(one.read_at) > STALE);
        stale.sort_unstable();
        for (number, (_, id)) in stale.into_iter().enumerate() {
            if number > 0 && begun.elapsed() > AGAIN {
                break;
            }
            known.read(reader, id, now)?;
        }
        let mut incidents: Vec<OpenIncident> = known.open.values().cloned().collect();
        incidents.sort_by_key(|one| std::cmp::Reverse(one.line.opened_at));
        Ok(Listed { incidents, unread: known.waiting.len() })
    }
}

impl Known {
    /// Those of which something is so, each with when it was read.
    fn open_where(&self, is_so: impl Fn(&OpenIncident) -> bool) -> Vec<(Timestamp, String)> {
        self.open.iter().filter(|(_, one)| is_so(one)).map(|(id, one)| (one.read_at, id.clone())).collect()
    }

    fn read(&mut self, reader: &Reader, id: String, now: Timestamp) -> Result<(), LedgerError> {
        let incident = Incident::read(reader, &id, now)?;
        match incident.filter(|incident| incident.state != IncidentState::Closed) {
            Some(incident) => self.open.insert(id, OpenIncident::of(&incident, now)),
            None => self.open.remove(&id),
        };
        Ok(())
    }
}

impl OpenIncident {
    fn of(incident: &Incident, now: Timestamp) -> Self {
        let count =
            |status| incident.sessions.iter().filter(|one| one.is_open && one.status == status).count();
        Self {
            line: incident_line(incident, &AccountNames::default()),
            accounts: incident.remediations.iter().map(|one| one.account.clone()).collect(),
            not_denied: count(SessionStatus::NotDenied),
            held: count(SessionStatus::Held),
            being_revoked: count(SessionStatus::BeingRevoked),
            ends: incident.sessions.iter().filter_map(Session::ends).min(),
            read_at: now,
        }
    }
}
