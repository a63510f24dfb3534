//! Incidents: all that hangs together with one theft.

use super::change::Change;
use super::document::{Document, Items, unless_it_is_known};
use super::remediations::{PageAsked, Why};
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

/// Maximum number of incidents that are read for a page: each is put together from all that it has.
const READ: usize = 200;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/v1/incidents",
            get_with(list, |o| o.id("incidents").summary("The incidents, the latest first")),
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
    #[schemars(with = "Option<Vec<IncidentState>>", length(min = 1))]
    state: Option<String>,
    #[serde(flatten)]
    page: PageAsked,
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
    let (most, before) = (wanted.page.most()?.min(READ), wanted.page.before()?);
    let read = move |reader: &Reader| listed(reader, &caller.access.places(reader)?, &states, most, before);
    let items = app.read(read).await?;
    Ok(Document(items))
}

/// Whoever may see a part of an incident sees all of it: it is one theft. A page may have fewer than were asked for, and a
/// next one all the same: not all that are read are in a state that is wanted.
fn listed(
    reader: &Reader,
    places: &Places,
    states: &[IncidentState],
    most: usize,
    before: Option<i64>,
) -> Result<Items<IncidentLine>, DeskError> {
    let shown = places.shown();
    let found = reader.latest_incidents(shown.as_deref(), before, most)?;
    // What is settled is not read where nobody asks for it.
    let may_be_closed = states.is_empty() || states.contains(&IncidentState::Closed);
    let open: Option<HashSet<String>> =
        if may_be_closed { None } else { Some(reader.incidents_to_look_at()?.into_iter().collect()) };
    let (mut items, now, names) = (Vec::new(), Timestamp::now(), reader.account_names()?);
    for id in found.ids.iter().filter(|id| open.as_ref().is_none_or(|open| open.contains(*id))) {
        let Some(incident) = Incident::read(reader, id, now)? else { continue };
        if states.is_empty() || states.contains(&incident.state) {
            items.push(desk::incident_line(&incident, &names));
        }
    }
    Ok(Items { items, next: found.next })
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
    #[schemars(length(min = 1))]
    doors: Vec<String>,
    /// What was done, for the ledger.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
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
