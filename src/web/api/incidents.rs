//! Incidents: all that hangs together with one theft.

use super::change::Change;
use super::document::{Document, Items, unless_it_is_known};
use super::remediations::Why;
use crate::desk::{self, DeskError, IncidentLine};
use crate::incident::{Incident, IncidentState};
use crate::ledger::Reader;
use crate::web::access::Places;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::{Path, Query, State};
use axum::middleware::from_fn;
use clap::ValueEnum;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// Maximum number of incidents that are listed.
const MOST: usize = 500;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/v1/incidents",
            get_with(list, |o| o.id("incidents").summary("The incidents, the latest first, at most 500")),
        )
        .api_route("/v1/incidents/{id}", get_with(show, |o| o.id("incident").summary("An incident in full")))
        .layer(from_fn(unless_it_is_known))
        .api_route(
            "/v1/incidents/{id}/doors",
            post_with(doors, |o| o.id("close_doors").summary("Report doors closed")),
        )
        .api_route(
            "/v1/incidents/{id}/pursue",
            post_with(pursue, |o| o.id("pursue").summary("Have CloudTrail read for what is held")),
        )
}

/// Which incidents are listed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only in these states: `open`, `contained`, `closed`; several are separated by commas.
    state: Option<String>,
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Document<Items<IncidentLine>>, Problem> {
    let mut states = Vec::new();
    for name in wanted.state.iter().flat_map(|text| text.split(',')) {
        let state = IncidentState::from_str(name.trim(), false);
        states.push(state.map_err(|_| Problem::invalid(format!("state: {name:?}: there is no such state")))?);
    }
    let items = app.read(move |reader| listed(reader, &caller.access.places(reader)?, &states)).await?;
    Ok(Document(items))
}

fn listed(
    reader: &Reader,
    places: &Places,
    states: &[IncidentState],
) -> Result<Items<IncidentLine>, DeskError> {
    let mut ids = reader.incidents()?;
    if !states.is_empty() && !states.contains(&IncidentState::Closed) {
        let some: HashSet<String> = reader.incidents_to_look_at()?.into_iter().collect();
        ids.retain(|id| some.contains(id));
    }
    let (mut items, now) = (Vec::new(), Timestamp::now());
    for id in ids {
        let Some(incident) = Incident::read(reader, &id, now)? else { continue };
        let is_wanted = states.is_empty() || states.contains(&incident.state);
        if is_wanted && is_shown(&incident, places) {
            items.push(desk::incident_line(&incident));
        }
        if items.len() == MOST {
            break;
        }
    }
    Ok(Items::all(items))
}

/// Whoever may see a part of it sees all of it: it is one theft.
fn is_shown(incident: &Incident, places: &Places) -> bool {
    incident.remediations.iter().any(|one| places.show(Some(&one.account)))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Document<Incident>, Problem> {
    let found = app.read(move |reader| {
        let places = caller.access.places(reader)?;
        let id = desk::incident_among(reader, &id, |account| places.show(Some(account)))?;
        desk::incident_of(reader, &id)
    });
    Ok(Document(found.await?))
}

/// Which doors are closed, and how.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Doors {
    /// The doors, by their ids or the beginnings of these.
    doors: Vec<String>,
    /// What was done, for the ledger.
    reason: String,
}

/// What became of an incident.
#[derive(Serialize, JsonSchema)]
struct DoorsReported {
    /// Id of the incident.
    incident: String,
    /// The doors that are closed now.
    closed: Vec<String>,
    /// Where the incident stands.
    state: IncidentState,
    /// How many doors are open.
    doors_open: usize,
}

async fn doors(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Change { caller, body }: Change<Doors>,
) -> Result<Document<DoorsReported>, Problem> {
    let closed = act::close_doors(&app, &caller, &id, &body.doors, &body.reason).await?;
    let after = app.read(move |reader| desk::incident(reader, &id)).await?;
    Ok(Document(DoorsReported {
        closed: closed.into_iter().map(|door| door.door).collect(),
        state: after.state,
        doors_open: after.open_doors().count(),
        incident: after.id,
    }))
}

/// What CloudTrail is read for.
#[derive(Serialize, JsonSchema)]
struct Pursued {
    /// The remediations whose credentials CloudTrail is searched for.
    pursued: Vec<String>,
}

async fn pursue(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Change { caller, body }: Change<Why>,
) -> Result<Document<Pursued>, Problem> {
    let pursued = act::pursue(&app, &caller, &id, &body.reason).await?;
    Ok(Document(Pursued { pursued }))
}
