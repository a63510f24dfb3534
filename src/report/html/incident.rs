//! One incident on the page.

use super::graph::Drawing;
use super::prose::Prose;
use super::shown::Shown;
use crate::incident::{DoorStatus, Incident, IncidentDoor, IncidentState, Session};
use crate::plural::counted;
use crate::trail::{Activity, Door};
use askama::Template;

#[derive(Template)]
#[template(path = "report/incident.html")]
pub(super) struct IncidentPage<'a> {
    s: &'a Incident,
    is_open: bool,
    class: &'static str,
    title: String,
    opened: String,
    doors_open: String,
    drawing: Drawing,
    lines: Vec<String>,
    sessions: Vec<SessionRow<'a>>,
    doors: Vec<DoorPart>,
    taken: Vec<String>,
    denied: String,
    unread: Vec<Prose>,
}

struct SessionRow<'a> {
    status: &'static str,
    what: String,
    key: String,
    at: String,
    why: Prose,
    remediation: Option<&'a str>,
}

struct DoorPart {
    class: &'static str,
    status: &'static str,
    what: String,
    id: String,
    how: String,
    note: Prose,
    commands: Vec<String>,
}

impl<'a> IncidentPage<'a> {
    pub fn of(incident: &'a Incident) -> Self {
        let first = incident.remediations.first();
        let title = first.map(|one| format!("{} in {}", one.principal, one.account)).unwrap_or_default();
        let denied = &incident.denied.calls;
        let denied: Vec<String> = denied.iter().map(|(name, count)| format!("{count} {name}")).collect();
        Self {
            s: incident,
            is_open: incident.state == IncidentState::Open,
            class: match incident.state {
                IncidentState::Open => "not_acted",
                IncidentState::Contained => "other",
                IncidentState::Closed => "acted",
            },
            title,
            opened: Shown::time(&incident.opened_at),
            doors_open: format!("{} open", counted(incident.open_doors().count(), "door")),
            drawing: Drawing::of(&incident.graph),
            lines: incident.graph.lines().iter().map(|line| Shown::text(line)).collect(),
            sessions: incident.sessions.iter().map(session).collect(),
            doors: incident.doors.iter().chain(&incident.blinds).map(door).collect(),
            taken: incident.taken.iter().map(|taken| Shown::text(&what(&taken.activity))).collect(),
            denied: Shown::text(&denied.join(", ")),
            unread: unread(incident),
        }
    }
}

fn session(session: &Session) -> SessionRow<'_> {
    let account = session.account.as_ref().map_or_else(String::new, |account| format!(" in {account}"));
    let name = session.name.as_deref().map_or_else(String::new, |name| format!(", session {name}"));
    SessionRow {
        status: session.status.words(),
        what: Shown::text(&format!("{}: {}{account}{name}", session.thing, session.principal)),
        key: Shown::text(session.access_key.as_deref().unwrap_or("–")),
        at: Shown::time(&session.at),
        why: Shown::prose(&session.why),
        remediation: session.remediation.as_deref(),
    }
}

fn what(activity: &Activity) -> String {
    format!("{} {}", activity.thing, activity.object.as_deref().unwrap_or("without a name"))
}

fn door(door: &IncidentDoor) -> DoorPart {
    let activity = &door.activity;
    let by = activity.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
    let outside = activity.outside.join(" ");
    let outside = if outside.is_empty() { outside } else { format!(", open to {outside}") };
    let closed = door.closed.as_ref();
    let note = closed.map(|closed| format!("Closed by {}: {}", closed.by, closed.reason));
    let advice: Option<&Door> = door.advice.as_ref().filter(|_| closed.is_none());
    let note =
        note.or_else(|| advice.map(|advice| format!("{} Who may need it: {}", advice.why, advice.needed_by)));
    let commands = advice.map(|advice| advice.look.iter().chain(&advice.take_away).cloned().collect());
    DoorPart {
        class: if door.status == DoorStatus::Open { "not_acted" } else { "acted" },
        status: door.status.words(),
        what: Shown::text(&format!("{}{outside}", what(activity))),
        id: Shown::text(&door.door),
        how: Shown::text(&format!("{} {}{by}", activity.call, Shown::time(&activity.at))),
        note: Shown::prose(&note.unwrap_or_default()),
        commands: commands.unwrap_or_default(),
    }
}

fn unread(incident: &Incident) -> Vec<Prose> {
    let regions = incident.unread.iter().map(|one| {
        let place = format!("account {}, {}, key {}", one.account, one.region.region, one.access_key);
        format!("{place}: {}: {}", one.region.error, one.region.what_to_do)
    });
    regions.chain(incident.not_read.iter().cloned()).map(|line| Shown::prose(&line)).collect()
}
