//! The impact of a remediation, looked up now.

use super::page::{Frame, html};
use super::words::{When, Words, nested};
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "console/impact.html")]
struct ImpactPage {
    frame: Frame,
    id: String,
    principal: String,
    account: String,
    at: When,
    lines: Vec<(String, Vec<String>)>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (remediation, impact) = act::impact(&app, &caller, &id).await?;
    let target = &remediation.target;
    let title = format!("Impact: {} in {}", target.principal(), target.account);
    html(&ImpactPage {
        frame: Frame::of(&app, &caller, "/remediations", title).still(),
        principal: target.principal(),
        account: target.account.to_string(),
        at: When::of(Timestamp::now()),
        lines: nested(&remediation.impact_lines(&impact)),
        id: remediation.id,
    })
}
