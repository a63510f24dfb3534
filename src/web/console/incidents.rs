//! The incidents, the latest first.

use super::page::Frame;
use super::words::{Tone, When};
use crate::desk::{IncidentLine, incident_line};
use crate::incident::{Incident, IncidentState};
use crate::ledger::Reader;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;

/// Number of incidents on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "console/incidents.html")]
struct IncidentsPage {
    frame: Frame,
    /// Closed ones are listed as well.
    is_all: bool,
    rows: Vec<Row>,
    number: usize,
    has_more: bool,
}

struct Row {
    line: IncidentLine,
    tone: Tone,
    opened: When,
}

/// Which incidents are listed.
#[derive(Deserialize)]
pub(super) struct Wanted {
    state: Option<String>,
    page: Option<usize>,
}

/// How much a state asks for attention.
pub(super) fn tone(state: IncidentState) -> Tone {
    match state {
        IncidentState::Open => Tone::Bad,
        IncidentState::Contained => Tone::Warn,
        IncidentState::Closed => Tone::Good,
    }
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/incidents", "Incidents");
    let is_all = wanted.state.as_deref() == Some("all");
    let number = wanted.page.unwrap_or(1).max(1);
    let read = move |frame, reader: &Reader, places: &Places| {
        let mut ids = reader.incidents()?;
        if !is_all {
            let some: HashSet<String> = reader.incidents_to_look_at()?.into_iter().collect();
            ids.retain(|id| some.contains(id));
        }
        let (mut rows, mut met, now) = (Vec::new(), 0, Timestamp::now());
        let names = reader.account_names()?;
        let (from, to) = ((number - 1).saturating_mul(PAGE), number.saturating_mul(PAGE));
        for id in ids {
            // Without closed ones all are few; of all only the page's own are read.
            if is_all && met < from && places.show(None) {
                met += 1;
                continue;
            }
            let Some(incident) = Incident::read(reader, &id, now)? else { continue };
            let is_shown = incident.remediations.iter().any(|one| places.show(Some(&one.account)));
            if !is_shown || (!is_all && incident.state == IncidentState::Closed) {
                continue;
            }
            met += 1;
            if met > to {
                break;
            }
            if met > from {
                let line = incident_line(&incident, &names);
                rows.push(Row { tone: tone(line.state), opened: When::of(line.opened_at), line });
            }
        }
        Ok(IncidentsPage { frame, is_all, rows, number, has_more: met > to })
    };
    frame.filled(&app, read).await
}
