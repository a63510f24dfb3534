//! The console: pages for people. They are rendered here, and work without scripts; a small script of our own only
//! brings a page up to date when the ledger grows.
//!
//! Each page has a file of its own. The templates are in `templates/console/`: they escape what they show, and what they
//! give passes [`Cleaned`](crate::safe::Cleaned).

mod advice;
mod alerts;
mod answer;
mod assets;
mod coverage;
mod decisions;
mod doors;
mod facts;
mod feeds;
mod health;
mod history;
mod impact;
mod incident;
mod incidents;
mod inside;
mod kept;
mod ledger;
mod now;
mod open;
mod opt_outs;
mod page;
mod policy;
mod problems;
mod question;
mod release;
mod remediation;
mod reported;
mod revoke;
mod sent;
mod thief;
mod verdict;
mod waiting;
mod whole;
mod words;

pub(super) use page::{Frame, html};
pub(super) use words::Words;

use super::app::App;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::sync::Arc;

/// The routes of the console.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/", get(now::page))
        .route("/incidents", get(incidents::page))
        .route("/incidents/{id}", get(incident::page))
        .route("/incidents/{id}/doors", post(reported::close_doors))
        .route("/incidents/{id}/pursue", post(reported::pursue))
        .route("/remediations", get(history::page))
        .route("/remediations/{id}", get(remediation::page))
        .route("/remediations/{id}/answer", post(answer::answer))
        .route("/remediations/{id}/impact", get(impact::page))
        .route("/remediations/{id}/release", get(release::page).post(release::release))
        .route("/decisions", get(decisions::page))
        .route("/revoke", get(revoke::page).post(revoke::order))
        .route("/revoke/plan", post(revoke::plan))
        .route("/alerts", get(alerts::page))
        .route("/alerts/{alert}", get(alerts::one))
        .route("/alerts/{alert}/acknowledge", post(alerts::acknowledge))
        .route("/coverage", get(coverage::page))
        .route("/opt-outs", get(opt_outs::page))
        .route("/ledger", get(ledger::page))
        .route("/health", get(health::page))
        .layer(Extension(Arc::new(open::OpenIncidents::default())))
        .layer(Extension(Arc::new(whole::Kept::default())))
        .layer(from_fn_with_state(Arc::clone(app), problems::for_people))
        .fallback(problems::nowhere)
        .merge(assets::routes())
}
