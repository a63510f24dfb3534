//! What people report about an incident, and ask for: doors that are closed, a search of CloudTrail.

use super::page::back_to;
use super::sent::Sent;
use crate::desk;
use crate::ledger::Reader;
use crate::web::act;
use crate::web::app::App;
use crate::web::problem::Problem;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

pub(super) async fn close_doors(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Problem> {
    act::close_doors(&app, &sent.caller, &id, &sent.all("door"), sent.text("reason")).await?;
    Ok(back_to(&address(&app, &id).await?, "doors"))
}

pub(super) async fn pursue(
    State(app): State<Arc<App>>,
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
