//! How the service and its work are doing.

use crate::desk::Picture;
use crate::web::app::App;
use crate::web::identity::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::get;
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new().api_route("/v1/status", get(status))
}

/// How the service and its work are doing, as `rescind status -o json` has it.
async fn status(State(app): State<Arc<App>>, _: Caller) -> Result<Json<Value>, Problem> {
    let config = Arc::clone(&app.config);
    let picture = app.read(move |reader| Picture::take(&config, reader)).await?;
    serde_json::to_value(picture).map(Json).map_err(|error| Problem::unavailable(error.to_string()))
}

impl aide::OperationInput for Caller {}
