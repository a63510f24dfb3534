//! The console: pages for people.

use super::app::App;
use axum::Router;
use std::sync::Arc;

/// The routes of the console.
pub(super) fn routes(_: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
}
