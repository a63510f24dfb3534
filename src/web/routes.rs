//! Everything that is answered.

use super::app::App;
use super::caller::identified;
use super::{api, console, guard, login, probes};
use axum::Router;
use axum::middleware::from_fn_with_state;
use std::sync::Arc;

/// Everything that is answered. All is behind the guard; but for the probes it is asked by somebody who was looked at once.
pub(super) fn router(app: Arc<App>) -> Router {
    let inner = Router::new().merge(api::routes(&app)).merge(console::routes(&app)).merge(login::routes());
    let inner = inner.layer(from_fn_with_state(Arc::clone(&app), identified));
    guard::guarded(inner.merge(probes::routes()), &app).with_state(app)
}
