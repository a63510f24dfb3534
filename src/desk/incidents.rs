//! Incidents: in a line each, one in full, and what a person says about one.

use super::{DeskError, named};
use crate::ident::AccountId;
use crate::incident::{DoorStatus, Incident, IncidentDoor, IncidentState, SessionStatus};
use crate::ledger::{Append, Ledger, Reader};
use crate::org::AccountNames;
use crate::remediation::{Answer, DoorsClosed, Draft, Event, Remediation, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An incident in one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IncidentLine {
    /// Id of the incident.
    pub incident: String,
    /// Where it stands.
    pub state: IncidentState,
    /// When the first finding was decided about.
    pub opened_at: Timestamp,
    /// The principal that was stolen from first, and its account.
    pub first: String,
    /// The account that was stolen from first.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// Name of that account, where it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// Number of remediations.
    pub remediations: usize,
    /// Number of sessions that the thief has or opened.
    pub sessions: usize,
    /// How many of them are not denied and have not ended.
    pub sessions_open: usize,
    /// How many of them are denied.
    pub sessions_denied: usize,
    /// Number of doors, with what was turned off.
    pub doors: usize,
    /// How many of them are open.
    pub doors_open: usize,
    /// Number of regions in which CloudTrail cannot be read.
    pub unread: usize,
    /// What a person must do now, in order.
    pub to_do: Vec<String>,
}

/// An incident in one line.
#[must_use]
pub fn incident_line(incident: &Incident, names: &AccountNames) -> IncidentLine {
    let first = incident.remediations.first();
    let is_denied = |one: &&crate::incident::Session| one.status == SessionStatus::Denied;
    IncidentLine {
        incident: incident.id.clone(),
        state: incident.state,
        opened_at: incident.opened_at,
        first: first.map(|one| format!("{} in {}", one.principal, one.account)).unwrap_or_default(),
        account: first.map(|one| one.account.clone()),
        account_name: first.and_then(|one| names.of(&one.account)),
        remediations: incident.remediations.len(),
        sessions: incident.sessions.len(),
        sessions_open: incident.sessions.iter().filter(|one| one.is_open).count(),
        sessions_denied: incident.sessions.iter().filter(is_denied).count(),
        doors: incident.doors.len() + incident.blinds.len(),
        doors_open: incident.open_doors().count(),
        unread: incident.unread.len(),
        to_do: incident.to_do.clone(),
    }
}

/// The one incident that `text` names.
///
/// # Errors
/// When it names none or several.
pub fn incident(reader: &Reader, text: &str) -> Result<Incident, DeskError> {
    incident_of(reader, &named::incident_named(reader, text)?)
}

/// The incident with this id.
///
/// # Errors
/// When it is a part of another one by now, or the ledger cannot be read.
pub fn incident_of(reader: &Reader, id: &str) -> Result<Incident, DeskError> {
    let incident = Incident::read(reader, id, Timestamp::now())?;
    let names = reader.account_names()?;
    incident
        .map(|incident| incident.named(&names))
        .ok_or_else(|| DeskError::NotFound(format!("{id} is a part of another incident now")))
}

/// Records that doors are closed, and gives those, each once. All are looked at before one is recorded.
///
/// # Errors
/// When one is no door of the incident or is closed already, or the ledger cannot be written.
pub async fn close_doors(
    reader: &Reader,
    ledger: &Ledger,
    incident: &Incident,
    texts: &[String],
    answer: &Answer,
) -> Result<Vec<IncidentDoor>, DeskError> {
    let mut doors: Vec<&IncidentDoor> = Vec::new();
    for text in texts {
        let door = door(incident, text)?;
        if doors.iter().all(|other| other.door != door.door) {
            doors.push(door);
        }
    }
    let root = root(reader, incident)?;
    let ids: Vec<String> = doors.iter().map(|door| door.activity.event.clone()).collect();
    let event = Event::DoorsClosed(DoorsClosed { doors: ids, answer: answer.clone() });
    let entries = vec![Draft { subject: root.subject(), event }];
    ledger.append(Append { entries, ..Append::default() }).await?;
    Ok(doors.into_iter().cloned().collect())
}

/// The door that `text` names.
fn door<'i>(incident: &'i Incident, text: &str) -> Result<&'i IncidentDoor, DeskError> {
    let all = || incident.doors.iter().chain(&incident.blinds);
    let is_it = |door: &&IncidentDoor| {
        let event = door.activity.event.as_str();
        event.starts_with(text) && text.len() >= door.door.len().min(event.len())
    };
    let open = || {
        let open: Vec<&str> =
            all().filter(|door| door.status != DoorStatus::Closed).map(|door| door.door.as_str()).collect();
        if open.is_empty() { "none".to_owned() } else { open.join(", ") }
    };
    let Some(door) = all().find(is_it) else {
        let text = format!("{text:?} is no door of {}; those that are not closed: {}", incident.id, open());
        return Err(DeskError::NotFound(text));
    };
    match &door.closed {
        Some(closed) => Err(DeskError::Conflict(format!(
            "{} was closed by {} already; those that are not closed: {}",
            door.door,
            crate::safe::line(&closed.by),
            open()
        ))),
        None => Ok(door),
    }
}

/// The remediation that opened the incident.
fn root(reader: &Reader, incident: &Incident) -> Result<Remediation, DeskError> {
    let first = incident.remediations.first();
    let first = first.ok_or_else(|| DeskError::Conflict(format!("{} has no remediation", incident.id)))?;
    Ok(reader.remediation(&first.remediation)?)
}

/// Asks that CloudTrail is read for what is held of an incident, and gives what that is.
///
/// # Errors
/// When nothing of it waits for that, or the ledger cannot be written.
pub async fn ask_pursuit(
    reader: &Reader,
    ledger: &Ledger,
    incident: &Incident,
    answer: &Answer,
) -> Result<Vec<Remediation>, DeskError> {
    let mut waiting = Vec::new();
    for member in &incident.remediations {
        // A rejected one is as little revoked as a held one.
        if !matches!(member.state, State::Held | State::Rejected) {
            continue;
        }
        let remediation = reader.remediation(&member.remediation)?;
        // What was opened is read with the credentials that opened it.
        if remediation.finding.derived().is_none() && !remediation.history.is_pursuit_asked {
            waiting.push(remediation);
        }
    }
    if waiting.is_empty() {
        return Err(DeskError::Conflict(format!(
            "{}: nothing of it waits for that: CloudTrail is read for what is revoked, or that was requested already",
            incident.id
        )));
    }
    let of = |one: &Remediation| Draft { subject: one.subject(), event: Event::PursuitAsked(answer.clone()) };
    let entries = waiting.iter().map(of).collect();
    ledger.append(Append { entries, ..Append::default() }).await?;
    Ok(waiting)
}
