//! *Now*: whether a thief is inside, and what needs a person.

use super::advice::Advice;
use super::feeds::Feeds;
use super::open::{Listed, OpenIncident, OpenIncidents};
use super::page::{Done, Frame};
use super::verdict::{Seen, Verdict};
use super::waiting::{Item, SHOWN, items, unfinished};
use super::whole::{Kept, Whole};
use super::words::{Tone, When, Words};
use crate::config::{Config, WebRole};
use crate::desk::AlertLine;
use crate::ledger::{Open, Reader};
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
use std::sync::Arc;

/// Maximum number of alerts that are shown.
const ALERTS: usize = 10;

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
    Extension(kept): Extension<Arc<Kept>>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/", "Now").with(&done);
    let (config, live) = (Arc::clone(&app.config), app.shared.live());
    let read = move |frame, reader: &Reader, places: &Places| {
        let known = (open.update(reader)?, kept.update(reader)?);
        gathered(frame, reader, &config, live.as_deref(), known, places)
    };
    frame.filled(&app, read).await
}

fn gathered(
    frame: Frame,
    reader: &Reader,
    config: &Config,
    live: Option<&Live>,
    (listed, whole): (Listed, Arc<Whole>),
    places: &Places,
) -> Result<NowPage, Problem> {
    let is_shown = |one: &OpenIncident| one.accounts.iter().any(|account| places.show(Some(account)));
    let mut incidents: Vec<OpenIncident> = listed.incidents.into_iter().filter(is_shown).collect();
    let (unfinished, contested) = unfinished(&whole, places);
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
    let (alerts, alerts_more) = alerts(&whole, places);
    let standings = if places.show(None) { standings(&whole) } else { Vec::new() };
    let items = |open: &[Open]| items(reader, config, places, &whole, open);
    let more = |all: usize| all.saturating_sub(SHOWN);
    let (attention_more, under_way_more) = (more(attention.len()), more(under_way.len()));
    let incidents_more = more(incidents.len());
    incidents.truncate(SHOWN);
    Ok(NowPage {
        frame,
        verdict: seen.verdict(),
        attention: items(&attention)?,
        attention_more,
        under_way: items(&under_way)?,
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

fn alerts(whole: &Whole, places: &Places) -> (Vec<Alerted>, usize) {
    let shown: Vec<&AlertLine> = whole.alerts().filter(|line| places.show(line.account.as_ref())).collect();
    let more = shown.len().saturating_sub(ALERTS);
    let alerted = |line: AlertLine| {
        let may_acknowledge = match &line.account {
            Some(account) => places.allow(WebRole::Approver, account),
            None => places.allow_everywhere(WebRole::Approver),
        };
        Alerted { at: When::of(line.at), may_acknowledge, line }
    };
    (shown.into_iter().take(ALERTS).cloned().map(alerted).collect(), more)
}

fn standings(whole: &Whole) -> Vec<(String, i64)> {
    let all = &whole.standings;
    let of = |state: State| all.iter().filter(|(one, _)| one.state == state).map(|(_, count)| count).sum();
    let counts = State::all().iter().map(|state| (Words::spaced(state), of(*state)));
    counts.filter(|(_, count)| *count > 0).collect()
}
