//! Alerts: what rescind raised, and who has seen to it.

use super::advice::Advice;
use super::page::{Done, Frame, back_to};
use super::sent::Sent;
use super::words::{Tone, When, Words};
use crate::config::WebRole;
use crate::desk::{AlertLine, DeskError, alert_lines};
use crate::ledger::Reader;
use crate::web::access::Places;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// How far back alerts are listed.
const SINCE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Maximum number of alerts that are listed.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "console/alerts.html")]
struct AlertsPage {
    frame: Frame,
    rows: Vec<Row>,
    more: usize,
    unseen: usize,
}

#[derive(Template)]
#[template(path = "console/alert.html")]
struct AlertPage {
    frame: Frame,
    row: Row,
}

/// An alert.
struct Row {
    line: AlertLine,
    tone: Tone,
    at: When,
    /// Who has seen to it, and when.
    seen: Option<(String, When)>,
    may_acknowledge: bool,
}

impl Row {
    fn of(line: AlertLine, places: &Places) -> Self {
        let may = match &line.account {
            Some(account) => places.allow(WebRole::Approver, account),
            None => places.allow_everywhere(WebRole::Approver),
        };
        let seen = line.acknowledged.as_ref().map(|one| {
            let text = format!("{}: {}", one.answer.by, one.answer.reason);
            (text, When::of(one.at))
        });
        Self {
            tone: if seen.is_some() { Tone::Plain } else { Tone::Warn },
            at: When::of(line.at),
            may_acknowledge: may && seen.is_none(),
            seen,
            line,
        }
    }
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/alerts", "Alerts").with(&done);
    let read = move |frame, reader: &Reader, places: &Places| {
        let since = Timestamp::now().saturating_sub(SINCE).unwrap_or(Timestamp::MIN);
        let mut lines = alert_lines(reader, since)?;
        lines.retain(|line| places.show(line.account.as_ref()));
        lines.sort_by_key(|line| line.acknowledged.is_some());
        let unseen = lines.iter().filter(|line| line.acknowledged.is_none()).count();
        let more = lines.len().saturating_sub(MOST);
        lines.truncate(MOST);
        let rows = lines.into_iter().map(|line| Row::of(line, places)).collect();
        Ok(AlertsPage { frame, rows, more, unseen })
    };
    frame.filled(&app, read).await
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(alert): Path<i64>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/alerts", format!("Alert {alert}")).still();
    let read = move |frame, reader: &Reader, places: &Places| {
        let unknown = || DeskError::NotFound(format!("no entry with the number {alert} is an alert"));
        if !(1..=reader.last()?).contains(&alert) {
            return Err(unknown().into());
        }
        let at = reader.entry(alert)?.time;
        let line = alert_lines(reader, at)?.into_iter().find(|line| line.alert == alert);
        let line = line.filter(|line| places.show(line.account.as_ref())).ok_or_else(unknown)?;
        Ok(AlertPage { frame, row: Row::of(line, places) })
    };
    frame.filled(&app, read).await
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(alert): Path<i64>,
    sent: Sent,
) -> Result<Response, Problem> {
    act::acknowledge(&app, &sent.caller, alert, sent.text("reason")).await?;
    Ok(back_to("/alerts", "acknowledged"))
}
