//! *Now*: whether a thief is inside, and what needs a person.

use super::advice::Advice;
use super::feeds::Feeds;
use super::open::{OpenIncident, OpenIncidents};
use super::page::{Done, Frame};
use super::verdict::{Seen, Verdict};
use super::waiting::{Item, SHOWN, items, unfinished};
use super::words::{Tone, When, Words};
use crate::config::{Config, WebRole};
use crate::desk::{self, AlertLine};
use crate::ledger::{LedgerError, Open, Reader};
use crate::remediation::State;
use crate::service::Live;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State as Has};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Maximum number of alerts that are shown.
const ALERTS: usize = 10;

/// How far back alerts are shown that nobody has seen to.
const ALERTS_SINCE: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Template)]
#[template(path = "console/now.html")]
struct NowPage {
    frame: Frame,
    verdict: Verdict,
    attention: Vec<Item>,
    attention_more: usize,
    under_way: Vec<Item>,
    under_way_more: usize,
    incidents: Vec<OpenIncident>,
    incidents_more: usize,
    unread: usize,
    alerts: Vec<Alerted>,
    alerts_more: usize,
    feeds: Option<Feeds>,
    /// How many remediations stand where; nothing for those who may not see all accounts.
    standings: Vec<(String, i64)>,
}

struct Alerted {
    line: AlertLine,
    at: When,
    may_acknowledge: bool,
}

pub(super) async fn page(
    Has(app): Has<Arc<App>>,
    caller: Caller,
    Extension(open): Extension<Arc<OpenIncidents>>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/", "Now").with(&done);
    let (config, live) = (Arc::clone(&app.config), app.shared.live());
    let read = move |frame, reader: &Reader, places: &Places| {
        gathered(frame, reader, &config, live.as_deref(), &open, places)
    };
    frame.filled(&app, read).await
}

fn gathered(
    frame: Frame,
    reader: &Reader,
    config: &Config,
    live: Option<&Live>,
    open: &OpenIncidents,
    places: &Places,
) -> Result<NowPage, Problem> {
    let listed = open.update(reader)?;
    let is_shown = |one: &OpenIncident| one.accounts.iter().any(|account| places.show(Some(account)));
    let mut incidents: Vec<OpenIncident> = listed.incidents.into_iter().filter(is_shown).collect();
    let (unfinished, contested) = unfinished(reader, places)?;
    let waits =
        |one: &Open| matches!(one.state, State::Held | State::Blocked | State::Contested | State::Lost);
    let (attention, under_way): (Vec<Open>, Vec<Open>) = unfinished.into_iter().partition(waits);
    let feeds = Feeds::of(live);
    let seen = Seen {
        contested,
        unread: listed.unread,
        blind: feeds.tone != Tone::Good,
        incidents: incidents.len(),
        not_denied: incidents.iter().map(|one| one.not_denied).sum(),
        held: incidents.iter().map(|one| one.held).sum(),
        being_revoked: incidents.iter().map(|one| one.being_revoked).sum(),
        doors: incidents.iter().map(|one| one.line.doors_open).sum(),
        answers: frame.role >= Some(WebRole::Approver),
        limited: !places.show(None),
        quarantined: if places.show(None) { reader.quarantines()?.0 } else { 0 },
    };
    let (alerts, alerts_more) = alerts(reader, places)?;
    let standings = if places.show(None) { standings(reader)? } else { Vec::new() };
    let more = |all: usize| all.saturating_sub(SHOWN);
    let (attention_more, under_way_more) = (more(attention.len()), more(under_way.len()));
    let incidents_more = more(incidents.len());
    incidents.truncate(SHOWN);
    Ok(NowPage {
        frame,
        verdict: seen.verdict(),
        attention: items(reader, config, places, &attention)?,
        attention_more,
        under_way: items(reader, config, places, &under_way)?,
        under_way_more,
        incidents,
        incidents_more,
        unread: listed.unread,
        alerts,
        alerts_more,
        feeds: places.show(None).then_some(feeds),
        standings,
    })
}

fn alerts(reader: &Reader, places: &Places) -> Result<(Vec<Alerted>, usize), LedgerError> {
    let since = Timestamp::now().saturating_sub(ALERTS_SINCE).unwrap_or(Timestamp::MIN);
    let mut lines = desk::alert_lines(reader, since)?;
    lines.retain(|line| line.acknowledged.is_none() && places.show(line.account.as_ref()));
    let more = lines.len().saturating_sub(ALERTS);
    lines.truncate(ALERTS);
    let alerted = |line: AlertLine| {
        let may_acknowledge = match &line.account {
            Some(account) => places.allow(WebRole::Approver, account),
            None => places.allow_everywhere(WebRole::Approver),
        };
        Alerted { at: When::of(line.at), may_acknowledge, line }
    };
    Ok((lines.into_iter().map(alerted).collect(), more))
}

fn standings(reader: &Reader) -> Result<Vec<(String, i64)>, LedgerError> {
    let all = reader.standings()?;
    let of = |state: State| all.iter().filter(|(one, _)| one.state == state).map(|(_, count)| count).sum();
    let counts = State::all().iter().map(|state| (Words::spaced(state), of(*state)));
    Ok(counts.filter(|(_, count)| *count > 0).collect())
}
