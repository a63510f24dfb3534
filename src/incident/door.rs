//! The doors that a thief opened, and the eyes that he closed.

use super::outcome::Outcome;
use super::record::Record;
use crate::finding::DerivedKind;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::State;
use crate::trail::{Activity, Door, Meaning, Thing};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Minimum number of characters of CloudTrail's event id that name a door.
const SHORTEST: usize = 8;

/// Something that a thief made or turned off, and whether it still is so.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IncidentDoor {
    /// Its id: the beginning of CloudTrail's id of the call, long enough to be the only one of the incident.
    pub door: String,
    /// The call.
    pub activity: Activity,
    /// What to do about it.
    pub advice: Option<Door>,
    /// Whether it is still open, as far as rescind knows.
    pub status: DoorStatus,
    /// The remediation that denies what was made, or is to.
    pub remediation: Option<String>,
    /// Who closed it, and how.
    pub closed: Option<Closed>,
}

/// Who closed a door.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// When that was reported.
    pub at: Timestamp,
    /// Who reported it.
    pub by: String,
    /// What was done, in their words.
    pub reason: String,
}

/// Whether a door is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoorStatus {
    /// Nobody has closed it.
    Open,
    /// What was made is denied everything. It is still there.
    Contained,
    /// A person has closed it.
    Closed,
}

impl DoorStatus {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Contained => "contained",
            Self::Closed => "closed",
        }
    }
}

/// What the calls with this meaning made or turned off, in the order in which it can be taken away: the newest first, and
/// a role or a user after what it has.
pub(super) fn doors(
    record: &Record,
    reader: &Reader,
    meaning: Meaning,
) -> Result<Vec<IncidentDoor>, LedgerError> {
    let ids: BTreeSet<&str> = record.activities.iter().map(|activity| activity.event.as_str()).collect();
    let of_meaning = record.activities.iter().filter(|one| one.meaning == meaning && one.worked());
    let mut doors: Vec<IncidentDoor> = of_meaning
        .map(|activity| {
            let (status, remediation, closed) = outcome(record, reader, activity)?;
            Ok(IncidentDoor {
                door: unique(&activity.event, &ids),
                activity: activity.clone(),
                advice: activity.door(),
                status,
                remediation,
                closed,
            })
        })
        .collect::<Result<_, LedgerError>>()?;
    let has_more = |thing| matches!(thing, Thing::Role | Thing::User);
    doors.sort_by_key(|door| (Reverse(door.activity.at), has_more(door.activity.thing)));
    Ok(doors)
}

/// As much of an id as none of the others begins with. They are sorted: the one before it and the one behind it have
/// the most in common with it.
fn unique(id: &str, ids: &BTreeSet<&str>) -> String {
    let same = |other: &&str| id.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let before = ids.range(..id).next_back().map_or(0, same);
    let behind = ids.range(id..).find(|other| **other != id).map_or(0, same);
    id.chars().take(SHORTEST.max(before.max(behind) + 1)).collect()
}

fn outcome(
    record: &Record,
    reader: &Reader,
    activity: &Activity,
) -> Result<(DoorStatus, Option<String>, Option<Closed>), LedgerError> {
    let is_it = |id: &String| *id == activity.event || id == activity.call_id();
    let closed = record.closed.iter().rev().find(|(_, closed)| closed.doors.iter().any(is_it));
    let closed = closed.map(|(at, closed)| {
        let (by, reason) = (closed.answer.by.clone(), closed.answer.reason.clone());
        Closed { at: *at, by, reason }
    });
    let status = if closed.is_some() { DoorStatus::Closed } else { DoorStatus::Open };
    let kind = match activity.thing {
        Thing::AccessKey => DerivedKind::AccessKey,
        Thing::User => DerivedKind::User,
        Thing::Role => DerivedKind::Role,
        _ => return Ok((status, None, closed)),
    };
    // One that works again is named in the call, and not in the answer.
    let key = activity.opened.as_ref().map(|opened| opened.access_key.as_str());
    let key = key.or_else(|| activity.names.get("key").map(String::as_str));
    let key = key.filter(|_| kind == DerivedKind::AccessKey);
    let outcome =
        Outcome::decided(record, reader, &kind.occurrence_of(activity.call_id(), activity.at, key))?;
    let member = outcome.remediation.as_deref().and_then(|id| record.member(id));
    let Some(member) = member else { return Ok((status, None, closed)) };
    let by_hand = member.answer.as_ref().filter(|_| member.state == State::DoneByHand);
    let by_hand = by_hand.map(|given| {
        let (by, reason) = (given.answer.by.clone(), given.answer.reason.clone());
        Closed { at: given.at, by, reason }
    });
    let closed = closed.or(by_hand);
    let status = match (&closed, member.state.is_in_place()) {
        (Some(_), _) => DoorStatus::Closed,
        (None, true) => DoorStatus::Contained,
        (None, false) => DoorStatus::Open,
    };
    Ok((status, Some(member.id.clone()), closed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_door_has_an_id_of_its_own(ids in prop::collection::btree_set("[ab]{9,14}", 1..30)) {
            let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
            for id in &ids {
                let short = unique(id, &ids);
                let named = ids.iter().filter(|other| other.starts_with(&short)).count();
                // One that another begins with is whole.
                prop_assert!(named == 1 || short == *id, "{short} of {ids:?}");
                prop_assert!(short.len() >= SHORTEST);
            }
        }
    }
}
