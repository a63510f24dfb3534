//! What is covered, and what is opted out.

use super::document::{Document, Items, unless_it_is_known};
use crate::config::{OptOut, WebRole};
use crate::desk::{Coverage, DeskError};
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::middleware::from_fn;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/v1/coverage",
            get_with(coverage, |o| o.id("coverage").summary("Regions that are watched, and accounts")),
        )
        .api_route(
            "/v1/opt-outs",
            get_with(opt_outs, |o| o.id("opt_outs").summary("The opt-outs, as they were read last")),
        )
        .layer(from_fn(unless_it_is_known))
}

async fn coverage(State(app): State<Arc<App>>, caller: Caller) -> Result<Document<Coverage>, Problem> {
    let live = app.shared.live();
    let coverage = app
        .read(move |reader| {
            let places = caller.access.places(reader)?;
            let mut coverage = Coverage::read(reader, live.as_deref(), Timestamp::now())?;
            coverage.accounts.retain(|one| places.show(Some(&one.account)));
            Ok::<_, DeskError>(coverage)
        })
        .await?;
    Ok(Document(coverage))
}

/// An opt-out, and whether it applies.
#[derive(Serialize, JsonSchema)]
struct OptOutDocument {
    /// The opt-out, as the file has it.
    #[serde(flatten)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    opt_out: OptOut,
    /// It applies now.
    applies: bool,
    /// Number of days that are left, the last one included; none when it is permanent.
    days_left: Option<i64>,
}

async fn opt_outs(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Document<Items<OptOutDocument>>, Problem> {
    act::require(&app, &caller, WebRole::Viewer, None).await?;
    let now = Timestamp::now();
    let all = app.read(|reader| reader.opt_outs().map_err(DeskError::from)).await?;
    let document = |opt_out: OptOut| OptOutDocument {
        applies: opt_out.applies(now),
        days_left: opt_out.days_left(now),
        opt_out,
    };
    Ok(Document(Items::all(all.into_values().map(document).collect())))
}
