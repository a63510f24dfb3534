//! What the ledger has of an incident.

use super::moment::{Actor, Moment};
use crate::finding::Finding;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{DoorsClosed, Entry, Event, Remediation, Trace, describe};
use crate::trail::Activity;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// Maximum number of keys from a call back to the stolen one.
const LONGEST_CHAIN: usize = 32;

/// What the ledger has of an incident.
#[derive(Default)]
pub(super) struct Record {
    /// The remediations, oldest first.
    pub members: Vec<Remediation>,
    /// Later findings, each with the number of the member that takes care of it.
    pub attached: Vec<(usize, Finding)>,
    /// The thief's calls that matter, each once, oldest first.
    pub activities: Vec<Activity>,
    /// What was read in CloudTrail, in order, without the calls.
    pub traces: Vec<Trace>,
    pub closed: Vec<(Timestamp, DoorsClosed)>,
    /// What rescind did.
    pub moments: Vec<Moment>,
}

impl Record {
    /// What the ledger has of the incident with this id; none when there is none.
    pub fn read(reader: &Reader, incident: &str) -> Result<Option<Self>, LedgerError> {
        let mut record = Self::default();
        for id in reader.remediations_of(incident)? {
            let mut member = reader.remediation(&id)?;
            // These can be long, and the entries below have them.
            (member.finding.detail, member.impact) = (None, None);
            member.history.activities = Vec::new();
            let number = record.members.len();
            record.attached.extend(reader.attached(&id)?.into_iter().map(|finding| (number, finding)));
            record.moments.push(seen(&member));
            for entry in reader.steps_of(&id)? {
                record.take(&id, entry);
            }
            record.members.push(member);
        }
        if record.members.is_empty() {
            return Ok(None);
        }
        record.order();
        let mut seen = HashSet::new();
        record.activities.retain(|activity| seen.insert(activity.call_id().to_owned()));
        Ok(Some(record))
    }

    fn take(&mut self, remediation: &str, entry: Entry) {
        let text = describe(&entry.event);
        let event = entry.event.kind().to_owned();
        let is_shown = match entry.event {
            Event::Trace(mut trace) => {
                let has_more = trace.ended || !trace.unread.is_empty();
                self.activities.append(&mut trace.activities);
                self.traces.push(*trace);
                // What was found in it is in the timeline by itself.
                has_more
            }
            Event::DoorsClosed(closed) => {
                self.closed.push((entry.time, closed));
                true
            }
            Event::Impact(_) | Event::Proposed { .. } => false,
            _ => true,
        };
        if is_shown {
            self.moments.push(Moment {
                at: entry.time,
                actor: Actor::Rescind,
                event,
                text,
                remediation: Some(remediation.to_owned()),
                entry: Some(entry.seq),
            });
        }
    }

    /// Sorts the thief's calls by time. CloudTrail's times are whole seconds: within one, what opened a key comes before
    /// what was done with it.
    fn order(&mut self) {
        let made: HashMap<String, Option<String>> = self
            .activities
            .iter()
            .filter_map(|one| Some((one.opened.as_ref()?.access_key.clone(), one.by.clone())))
            .collect();
        let depth = |activity: &Activity| {
            let mut key = activity.by.as_ref();
            // A record that names itself must not keep anybody here.
            (0..LONGEST_CHAIN)
                .take_while(|_| {
                    key = key.and_then(|key| made.get(key)).and_then(Option::as_ref);
                    key.is_some()
                })
                .count()
        };
        self.activities.sort_by_cached_key(|one| (one.at, depth(one), one.call.clone(), one.event.clone()));
    }

    /// The member with this id.
    pub fn member(&self, id: &str) -> Option<&Remediation> {
        self.members.iter().find(|member| member.id == id)
    }
}

/// The finding that led to a remediation.
fn seen(member: &Remediation) -> Moment {
    Moment {
        at: member.seen_at,
        actor: Actor::Rescind,
        event: "finding".to_owned(),
        text: format!("finding {}: {}", member.finding.finding_type, member.principal()),
        remediation: Some(member.id.clone()),
        entry: Some(member.finding_entry),
    }
}
