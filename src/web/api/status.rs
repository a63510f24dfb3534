//! How the service is doing, and who asks.

use super::document::{Document, unless_it_is_known};
use crate::config::WebRole;
use crate::desk::Picture;
use crate::identity::Identity;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::middleware::from_fn;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/v1/status",
            get_with(status, |o| o.id("status").summary("How the service and its work are doing")),
        )
        .api_route(
            "/v1/whoami",
            get_with(whoami, |o| o.id("whoami").summary("Who asks, and what they may do")),
        )
        .layer(from_fn(unless_it_is_known))
}

async fn status(State(app): State<Arc<App>>, caller: Caller) -> Result<Document<Picture>, Problem> {
    act::require(&app, &caller, WebRole::Viewer, None).await?;
    let config = Arc::clone(&app.config);
    Ok(Document(app.read(move |reader| Picture::take(&config, reader)).await?))
}

/// Who asks.
#[derive(Serialize, JsonSchema)]
struct Known {
    /// Who it is, and what proves it; none for a program on this machine where nobody can prove who they are.
    identity: Option<Identity>,
    /// The highest role that they have for some account.
    role: Option<WebRole>,
}

async fn whoami(caller: Caller) -> Document<Known> {
    Document(Known { role: caller.access.highest(), identity: caller.identity })
}
