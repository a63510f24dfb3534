//! An incident: who, where, since when, and whether the thief is still inside.

use super::doors::{DoorPart, call, what};
use super::incidents::tone;
use super::inside::inside;
use super::page::{Done, Frame};
use super::thief::SessionRow;
use super::words::{Tone, When, Words};
use crate::config::WebRole;
use crate::desk::{self, DeskError};
use crate::incident::{self, Incident, IncidentState};
use crate::ledger::Reader;
use crate::remediation::State;
use crate::report::Drawing;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, Query, State as Has};
use axum::response::Response;
use std::collections::{BTreeSet, HashSet};
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
    /// Whoever asks may open its page.
    is_visible: bool,
    may_answer: bool,
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
    let read = move |frame, reader: &Reader, places: &Places| {
        let found = desk::incident_among(reader, &id, |account| places.show(Some(account)));
        let found = found.map_err(|error| match error {
            DeskError::NotFound(_) => Problem::not_found(format!("no incident matches {id:?}")),
            other => other.into(),
        })?;
        let incident = desk::incident_of(reader, &found)?;
        Ok(IncidentPage::of(frame, incident, places))
    };
    frame.filled(&app, read).await
}

impl IncidentPage {
    fn of(mut frame: Frame, incident: Incident, places: &Places) -> Self {
        let first = incident.remediations.first();
        let title = first.map(|one| format!("{} in {}", one.principal, one.account)).unwrap_or_default();
        frame.title = format!("Incident: {title}");
        let is_approver = |account| places.allow(WebRole::Approver, account);
        let shown = incident.remediations.iter().filter(|one| places.show(Some(&one.account)));
        let visible: HashSet<String> = shown.map(|one| one.remediation.clone()).collect();
        let members = incident.remediations.iter().map(|one| Member {
            id: one.remediation.clone(),
            state: one.state,
            tone: Tone::of(one.state),
            principal: one.principal.clone(),
            account: one.account.to_string(),
            how: how(one),
            opened: When::of(one.opened_at),
            is_visible: visible.contains(&one.remediation),
            may_answer: one.state == State::Held && is_approver(&one.account),
        });
        let stolen = incident.sessions.iter().filter(|one| one.is_stolen && one.ordered_by.is_none());
        let denied: Vec<String> =
            incident.denied.calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let has_several = incident.remediations.len() > 1;
        let moments_more = incident.timeline.len().saturating_sub(MOMENTS);
        let moments = incident.timeline.iter().skip(moments_more).map(|one| MomentRow {
            at: When::of(one.at),
            actor: one.actor.to_string(),
            text: one.text.clone(),
            remediation: one.remediation.clone().filter(|id| has_several && visible.contains(id)),
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
            sessions: incident.sessions.iter().map(SessionRow::of).map(|row| row.linked(&visible)).collect(),
            doors: incident.doors.iter().chain(&incident.blinds).map(DoorPart::of).collect(),
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
            if incident.is_unsearched() {
                "not searched yet".to_owned()
            } else {
                let all = incident.doors.len() + incident.blinds.len();
                format!("{} open of {all}", incident.open_doors().count())
            },
        ),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// What led to a remediation.
fn how(one: &incident::Member) -> String {
    match (&one.call, &one.by, &one.ordered_by) {
        (Some(call), Some(by), _) => format!("opened by {call} with {by}"),
        (Some(call), None, _) => format!("opened by {call}"),
        (None, _, Some(by)) => format!("ordered by {by}"),
        (None, _, None) => "a finding".to_owned(),
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
    let is_waiting = incident.is_unsearched() && incident.remediations.iter().any(|one| waits(one.state));
    let unsearched = is_waiting.then(|| {
        "what the credentials were used for: CloudTrail is searched once they are revoked, or when an approver asks for it"
            .to_owned()
    });
    unsearched.into_iter().chain(regions).chain(incident.not_read.iter().cloned()).chain(unread).collect()
}
