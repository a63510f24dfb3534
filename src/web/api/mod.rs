//! The API: JSON over `/v1`, by the names of `-o json`.

mod status;

use super::app::App;
use aide::axum::ApiRouter;
use aide::openapi::OpenApi;
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;

/// The routes of the API, with the document that describes them.
pub(super) fn routes() -> Router<Arc<App>> {
    let (routes, document) = documented();
    let document = Arc::new(document);
    routes.route(
        "/v1/openapi.json",
        get(move || {
            let document = Arc::clone(&document);
            async move { Json((*document).clone()) }
        }),
    )
}

fn documented() -> (Router<Arc<App>>, OpenApi) {
    let mut document = OpenApi::default();
    document.info.title = "rescind".to_owned();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let routes = ApiRouter::new().merge(status::routes()).finish_api(&mut document);
    (routes, document)
}
