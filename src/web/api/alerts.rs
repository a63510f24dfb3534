//! Alerts: read, and seen to.

use super::change::Change;
use super::document::{Document, Items, unless_it_is_known};
use super::remediations::Why;
use crate::desk::{self, AlertLine, DeskError};
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::{Path, Query, State};
use axum::middleware::from_fn;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route("/v1/alerts", get_with(list, |o| o.id("alerts").summary("The alerts, the latest first")))
        .layer(from_fn(unless_it_is_known))
        .api_route(
            "/v1/alerts/{entry}/acknowledge",
            post_with(acknowledge, |o| o.id("acknowledge").summary("Say that an alert was seen to")),
        )
}

/// Which alerts are listed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only those that were raised since this time, such as 2026-11-30T12:00:00Z. The default is a day ago.
    #[schemars(with = "Option<Timestamp>")]
    since: Option<String>,
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Document<Items<AlertLine>>, Problem> {
    let since: Timestamp = match &wanted.since {
        None => Timestamp::now().saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN),
        Some(text) => text.parse().map_err(|_| {
            Problem::invalid(format!("since: {text:?}: expected a time such as 2026-11-30T12:00:00Z"))
        })?,
    };
    let items = app
        .read(move |reader| {
            let places = caller.access.places(reader)?;
            let mut lines = desk::alert_lines(reader, since)?;
            lines.retain(|line| places.show(line.account.as_ref()));
            Ok::<_, DeskError>(Items::all(lines))
        })
        .await?;
    Ok(Document(items))
}

async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(entry): Path<i64>,
    Change { caller, body }: Change<Why>,
) -> Result<Document<AlertLine>, Problem> {
    act::acknowledge(&app, &caller, entry, &body.reason).await.map(Document)
}
