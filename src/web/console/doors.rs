//! The doors of an incident: what the thief made to come back by.

use super::words::{Tone, When};
use crate::incident::{DoorStatus, IncidentDoor};
use crate::trail::Activity;

/// A door.
pub(super) struct DoorPart {
    pub id: String,
    /// CloudTrail's whole id of the call.
    pub event: String,
    pub status: &'static str,
    pub tone: Tone,
    pub what: String,
    pub how: String,
    pub at: When,
    pub why: String,
    pub needed_by: String,
    pub look: Vec<String>,
    pub take_away: Vec<String>,
    pub closed: String,
    pub is_closed: bool,
}

/// What a call made.
pub(super) fn what(activity: &Activity) -> String {
    format!("{} {}", activity.thing, activity.object.as_deref().unwrap_or("without a name"))
}

/// The call, by what key and from where.
pub(super) fn call(activity: &Activity) -> String {
    let by = activity.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
    let from = activity.source_ip.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{by}{from}", activity.call)
}

impl DoorPart {
    /// As the page shows it.
    pub fn of(door: &IncidentDoor) -> Self {
        let activity = &door.activity;
        let outside = activity.outside.join(" ");
        let outside = if outside.is_empty() { outside } else { format!(", open to {outside}") };
        let closed = door.closed.as_ref();
        let advice = door.advice.as_ref().filter(|_| closed.is_none());
        Self {
            id: door.door.clone(),
            event: activity.event.clone(),
            status: door.status.words(),
            tone: match door.status {
                DoorStatus::Open => Tone::Bad,
                DoorStatus::Contained => Tone::Warn,
                DoorStatus::Closed => Tone::Good,
            },
            what: format!("{}{outside}", what(activity)),
            how: call(activity),
            at: When::of(activity.at),
            why: advice.map(|one| one.why.clone()).unwrap_or_default(),
            needed_by: advice.map(|one| one.needed_by.clone()).unwrap_or_default(),
            look: advice.map(|one| one.look.clone()).unwrap_or_default(),
            take_away: advice.map(|one| one.take_away.clone()).unwrap_or_default(),
            closed: closed.map(|one| format!("Closed by {}: {}", one.by, one.reason)).unwrap_or_default(),
            is_closed: closed.is_some(),
        }
    }
}
