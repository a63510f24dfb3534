//! What was decided about each finding, and why: also where nothing was done.

use super::page::{Done, Frame};
use super::words::{Tone, When, Words};
use crate::desk::{DecisionLine, latest_decisions};
use crate::ident::AccountId;
use crate::ledger::Reader;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Number of decisions on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "console/decisions.html")]
struct DecisionsPage {
    frame: Frame,
    rows: Vec<(DecisionLine, Tone, When)>,
    next: Option<i64>,
    is_first: bool,
}

/// Where the page begins.
#[derive(Deserialize)]
pub(super) struct Wanted {
    before: Option<i64>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(done): Query<Done>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/remediations", "Decisions").with(&done);
    let read = move |frame, reader: &Reader, places: &Places| {
        let is_shown = |account: Option<&AccountId>| places.show(account);
        let (shown, next) = latest_decisions(reader, wanted.before, PAGE, is_shown)?;
        let rows = shown.into_iter().map(|line| {
            let tone = match line.decision.as_str() {
                "remediate" => Tone::Good,
                "hold" => Tone::Bad,
                "unreadable" | "unconfirmed" | "undecided" => Tone::Warn,
                _ => Tone::Plain,
            };
            let seen = When::of(line.seen);
            (line, tone, seen)
        });
        let rows = rows.collect();
        Ok(DecisionsPage { frame, rows, next, is_first: wanted.before.is_none() })
    };
    frame.filled(&app, read).await
}
