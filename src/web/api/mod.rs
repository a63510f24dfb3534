//! The API: JSON over `/v1`, by the names of `-o json`.
//!
//! Each file has the routes of one thing. The OpenAPI document is made from the handlers and the schemas of what they
//! take and give.

mod alerts;
mod change;
mod described;
mod document;
mod events;
mod idempotency;
mod incidents;
mod ledger;
mod orders;
mod places;
mod remediations;
mod reports;
mod status;

use super::app::App;
use super::problem::as_problem;
use aide::axum::ApiRouter;
use aide::openapi::{OpenApi, SecurityScheme};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;

/// The routes of the API, with the document that describes them.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let (routes, document) = documented();
    let document = Arc::new(document);
    let routes = routes.route(
        "/v1/openapi.json",
        get(move || {
            let document = Arc::clone(&document);
            async move { Json((*document).clone()) }
        }),
    );
    routes.layer(from_fn_with_state(Arc::clone(app), idempotency::once)).layer(map_response(as_problem))
}

#[expect(clippy::default_trait_access, reason = "the type is of a crate that is not ours to name")]
fn documented() -> (Router<Arc<App>>, OpenApi) {
    let mut document = OpenApi::default();
    "rescind".clone_into(&mut document.info.title);
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    document.info.description = Some(
        "What rescind sees and does, answers to what it asks, and orders. docs/api.md explains it."
            .to_owned(),
    );
    let routes = ApiRouter::new()
        .merge(status::routes())
        .merge(remediations::routes())
        .merge(incidents::routes())
        .merge(alerts::routes())
        .merge(orders::routes())
        .merge(places::routes())
        .merge(ledger::routes())
        .merge(events::routes())
        .merge(reports::routes())
        .finish_api_with(&mut document, |document| {
            document
                .security_scheme(
                    "aws",
                    SecurityScheme::ApiKey {
                        location: aide::openapi::ApiKeyLocation::Header,
                        name: "Authorization".to_owned(),
                        description: Some(
                            "A GetCallerIdentity that is signed for this hub and request.".to_owned(),
                        ),
                        extensions: Default::default(),
                    },
                )
                .security_requirement("aws")
                .with(|mut document| {
                    described::complete(document.inner_mut());
                    document
                })
        });
    (routes, document)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document as it is published: what changes in it, other programs notice.
    #[test]
    fn the_json_document_of_the_api_is_the_one_in_docs() {
        let (_, document) = documented();
        let text = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/openapi.json");
        if std::env::var_os("RESCIND_WRITE_SCHEMAS").is_some() {
            std::fs::write(&path, &text).expect("written");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "docs/schema/openapi.json is old: RESCIND_WRITE_SCHEMAS=1 cargo test writes it anew"
        );
    }
}
