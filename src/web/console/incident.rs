//! An incident: who, where, since when, and whether the thief is still inside.

use super::incidents::tone;
use super::page::{Done, Frame, back_to, html};
use super::sent::Sent;
use super::words::{Tone, When, Words};
use crate::config::WebRole;
use crate::desk::{self, DeskError};
use crate::incident::{DoorStatus, Incident, IncidentDoor, IncidentState, Session, SessionStatus};
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::State;
use crate::report::Drawing;
use crate::trail::Activity;
use crate::web::access::Places;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, Query, State as Has};
use axum::response::Response;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Maximum number of moments that are shown; the latest of more.
const MOMENTS: usize = 500;

#[derive(Template)]
#[template(path = "console/incident.html")]
struct IncidentPage {
    frame: Frame,
    id: String,
    title: String,
    state: IncidentState,
    tone: Tone,
    inside: (Tone, String),
    facts: Vec<(&'static str, String)>,
    opened: When,
    first_seen: Option<When>,
    to_do: Vec<String>,
    members: Vec<Member>,
    drawing: Drawing,
    lines: Vec<String>,
    left_out: usize,
    sessions: Vec<SessionRow>,
    doors: Vec<DoorPart>,
    taken: Vec<(String, String)>,
    denied: String,
    unknown: Vec<String>,
    moments: Vec<MomentRow>,
    moments_more: usize,
    /// Whoever asks may answer for every account of it.
    may_answer: bool,
    /// CloudTrail can be asked for what is held.
    can_pursue: bool,
}

struct Member {
    id: String,
    state: State,
    tone: Tone,
    principal: String,
    account: String,
    how: String,
    opened: When,
    may_answer: bool,
}

struct SessionRow {
    status: &'static str,
    tone: Tone,
    what: String,
    key: String,
    how: String,
    at: When,
    why: String,
    remediation: Option<String>,
}

struct DoorPart {
    id: String,
    /// CloudTrail's whole id of the call.
    event: String,
    status: &'static str,
    tone: Tone,
    what: String,
    how: String,
    at: When,
    why: String,
    needed_by: String,
    look: Vec<String>,
    take_away: Vec<String>,
    closed: String,
    is_closed: bool,
}

struct MomentRow {
    at: When,
    actor: String,
    text: String,
    remediation: Option<String>,
}

pub(super) async fn page(
    Has(app): Has<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/incidents", String::new()).with(&done);
    let read = move |reader: &Reader| {
        let places = caller.access.places(reader)?;
        let found = desk::incident_among(reader, &id, |account| places.show(Some(account)));
        let found = found.map_err(|error| match error {
            DeskError::NotFound(_) => Problem::not_found(format!("no incident matches {id:?}")),
            other => other.into(),
        })?;
        let incident = desk::incident_of(reader, &found)?;
        Ok::<_, Problem>(IncidentPage::of(frame, incident, &places))
    };
    html(&app.read(read).await?)
}

pub(super) async fn close_doors(
    Has(app): Has<Arc<App>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Problem> {
    act::close_doors(&app, &sent.caller, &id, &sent.all("door"), sent.text("reason")).await?;
    Ok(back_to(&address(&app, &id).await?, "doors"))
}

pub(super) async fn pursue(
    Has(app): Has<Arc<App>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Problem> {
    act::pursue(&app, &sent.caller, &id, sent.text("reason")).await?;
    Ok(back_to(&address(&app, &id).await?, "pursued"))
}

/// The address of the incident that a text names.
async fn address(app: &App, text: &str) -> Result<String, Problem> {
    let text = text.to_owned();
    let id = app.read(move |reader: &Reader| desk::incident_named(reader, &text)).await?;
    Ok(format!("/incidents/{id}"))
}

impl IncidentPage {
    fn of(mut frame: Frame, incident: Incident, places: &Places) -> Self {
        let first = incident.remediations.first();
        let title = first.map(|one| format!("{} in {}", one.principal, one.account)).unwrap_or_default();
        frame.title = format!("Incident: {title}");
        let is_approver = |account| places.allow(WebRole::Approver, account);
        let members = incident.remediations.iter().map(|one| Member {
            id: one.remediation.clone(),
            state: one.state,
            tone: Tone::of(one.state),
            principal: one.principal.clone(),
            account: one.account.to_string(),
            how: how(one),
            opened: When::of(one.opened_at),
            may_answer: one.state == State::Held && is_approver(&one.account),
        });
        let stolen = incident.sessions.iter().filter(|one| one.is_stolen && one.ordered_by.is_none());
        let denied: Vec<String> =
            incident.denied.calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let moments_more = incident.timeline.len().saturating_sub(MOMENTS);
        let moments = incident.timeline.iter().skip(moments_more).map(|one| MomentRow {
            at: When::of(one.at),
            actor: one.actor.to_string(),
            text: one.text.clone(),
            remediation: one.remediation.clone(),
        });
        let waits = |state| matches!(state, State::Held | State::Rejected);
        Self {
            frame,
            title,
            state: incident.state,
            tone: tone(incident.state),
            inside: inside(&incident),
            facts: facts(&incident),
            opened: When::of(incident.opened_at),
            first_seen: stolen.map(|one| one.at).min().map(When::of),
            members: members.collect(),
            drawing: Drawing::of(&incident.graph),
            lines: incident.graph.lines(),
            left_out: incident.graph.left_out,
            sessions: incident.sessions.iter().map(session).collect(),
            doors: incident.doors.iter().chain(&incident.blinds).map(door).collect(),
            taken: incident.taken.iter().map(|one| (what(&one.activity), call(&one.activity))).collect(),
            denied: denied.join(", "),
            unknown: unknown(&incident),
            moments: moments.collect(),
            moments_more,
            may_answer: incident.remediations.iter().all(|one| is_approver(&one.account)),
            can_pursue: incident.remediations.iter().any(|one| waits(one.state)),
            to_do: incident.to_do,
            id: incident.id,
        }
    }

    fn has_doors_to_close(&self) -> bool {
        self.doors.iter().any(|door| !door.is_closed)
    }
}

/// Whether the thief is still inside, as far as rescind sees.
fn inside(incident: &Incident) -> (Tone, String) {
    let count = |status| incident.sessions.iter().filter(|one| one.is_open && one.status == status).count();
    let (free, held) = (count(SessionStatus::NotDenied), count(SessionStatus::Held));
    let (being, doors) = (count(SessionStatus::BeingRevoked), incident.open_doors().count());
    let is_contested = incident.remediations.iter().any(|one| one.state == State::Contested);
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    if free > 0 {
        let text =
            format!("The thief is still inside: {} {} not denied.", counted(free, "session"), are(free));
        (Tone::Bad, text)
    } else if held > 0 {
        let waits = if held == 1 { "waits" } else { "wait" };
        let text = format!("The thief is still inside: {} {waits} for an answer.", counted(held, "session"));
        (Tone::Bad, text)
    } else if is_contested {
        let text = "The thief fights back: a deny is removed again and again, and put back.";
        (Tone::Bad, text.to_owned())
    } else if being > 0 {
        let text = format!(
            "The thief is being shut out: {} {} being revoked.",
            counted(being, "session"),
            are(being)
        );
        (Tone::Warn, text)
    } else if doors > 0 {
        let text = format!(
            "No session of the thief is open, but {} {}: they can come back.",
            counted(doors, "door"),
            are(doors)
        );
        (Tone::Warn, text)
    } else {
        (Tone::Good, "No session of the thief is open, and no door.".to_owned())
    }
}

fn facts(incident: &Incident) -> Vec<(&'static str, String)> {
    let joined = |all: BTreeSet<String>| all.into_iter().collect::<Vec<_>>().join(", ");
    let accounts = incident.remediations.iter().map(|one| one.account.to_string()).collect();
    let from = incident.sessions.iter().filter_map(|one| one.from.clone()).collect();
    let keys = incident.sessions.iter().filter(|one| one.is_stolen).filter_map(|one| one.access_key.clone());
    let all = [
        ("Accounts", joined(accounts)),
        ("Used from", joined(from)),
        ("Stolen access keys", joined(keys.collect())),
        ("Remediations", incident.remediations.len().to_string()),
        ("Sessions", incident.sessions.len().to_string()),
        (
            "Doors",
            format!(
                "{} open of {}",
                incident.open_doors().count(),
                incident.doors.len() + incident.blinds.len()
            ),
        ),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// What led to a remediation.
fn how(one: &crate::incident::Member) -> String {
    match (&one.call, &one.by, &one.ordered_by) {
        (Some(call), Some(by), _) => format!("opened by {call} with {by}"),
        (Some(call), None, _) => format!("opened by {call}"),
        (None, _, Some(by)) => format!("ordered by {by}"),
        (None, _, None) => "a finding".to_owned(),
    }
}

fn session(session: &Session) -> SessionRow {
    let account = session.account.as_ref().map_or_else(String::new, |account| format!(" in {account}"));
    let name = session.name.as_deref().map_or_else(String::new, |name| format!(", session {name}"));
    let from = session.from.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
    let how = if let Some(by) = &session.ordered_by {
        format!("revocation ordered by {by}{from}")
    } else if session.is_stolen {
        format!("stolen, used{from}")
    } else {
        let by = session.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
        format!("{}{by}{from}", session.call.as_deref().unwrap_or("opened"))
    };
    SessionRow {
        status: session.status.words(),
        tone: match session.status {
            SessionStatus::Denied => Tone::Good,
            SessionStatus::Ended => Tone::Plain,
            SessionStatus::Held | SessionStatus::NotDenied => Tone::Bad,
            SessionStatus::BeingRevoked => Tone::Warn,
        },
        what: format!("{}: {}{account}{name}", session.thing, session.principal),
        key: session.access_key.clone().unwrap_or_else(|| "not known".to_owned()),
        how,
        at: When::of(session.at),
        why: session.why.clone(),
        remediation: session.remediation.clone(),
    }
}

fn what(activity: &Activity) -> String {
    format!("{} {}", activity.thing, activity.object.as_deref().unwrap_or("without a name"))
}

fn call(activity: &Activity) -> String {
    let by = activity.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
    let from = activity.source_ip.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{by}{from}", activity.call)
}

fn door(door: &IncidentDoor) -> DoorPart {
    let activity = &door.activity;
    let outside = activity.outside.join(" ");
    let outside = if outside.is_empty() { outside } else { format!(", open to {outside}") };
    let closed = door.closed.as_ref();
    let advice = door.advice.as_ref().filter(|_| closed.is_none());
    DoorPart {
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

/// What rescind does not know about it.
fn unknown(incident: &Incident) -> Vec<String> {
    let regions = incident.unread.iter().map(|one| {
        let place = format!("account {}, {}, key {}", one.account, one.region.region, one.access_key);
        format!("{place}: {}: {}", one.region.error, one.region.what_to_do)
    });
    let unread = incident.keys.iter().filter(|key| !key.ended).map(|key| match key.until {
        Some(until) => format!(
            "key {}: CloudTrail was read up to {}; its records come up to 15 minutes late",
            key.access_key,
            until.strftime("%Y-%m-%d %H:%M:%S UTC")
        ),
        None => format!("key {}: CloudTrail showed nothing of it yet", key.access_key),
    });
    let waits = |state| matches!(state, State::Held | State::Rejected);
    let is_unsearched = incident.looks.is_empty() && incident.remediations.iter().any(|one| waits(one.state));
    let unsearched = is_unsearched.then(|| {
        "what the credentials were used for: CloudTrail is searched once they are revoked, or when an approver asks for it"
            .to_owned()
    });
    unsearched.into_iter().chain(regions).chain(incident.not_read.iter().cloned()).chain(unread).collect()
}
