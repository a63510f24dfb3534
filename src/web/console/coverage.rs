//! *Coverage*: which accounts and regions are watched, and what is not known about them.

use super::page::Frame;
use super::words::{Tone, When, Words};
use crate::config::OptOut;
use crate::desk::{AccountCoverage, Coverage, RegionCoverage};
use crate::ledger::Reader;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::form_urlencoded::Serializer;

/// Number of accounts on a page.
const PAGE: usize = 200;

#[derive(Template)]
#[template(path = "console/coverage.html")]
struct CoveragePage {
    frame: Frame,
    regions: Vec<RegionRow>,
    /// Regions of the configuration that were never watched.
    unwatched: Vec<String>,
    accounts: Vec<AccountRow>,
    read_at: Option<When>,
    text: String,
    number: usize,
    count: usize,
    has_more: bool,
}

struct RegionRow {
    region: String,
    tone: Tone,
    status: String,
    since: Option<When>,
    read: Option<When>,
}

struct AccountRow {
    of: AccountCoverage,
    /// Of each region its name, and what its column says.
    cells: Vec<(String, Tone, &'static str)>,
    opt_outs: Vec<String>,
}

/// Which accounts are listed.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    page: Option<usize>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/coverage", "Coverage");
    let (live, config) = (app.shared.live(), Arc::clone(&app.config));
    let read = move |frame, reader: &Reader, places: &Places| {
        let now = Timestamp::now();
        let coverage = Coverage::read(reader, live.as_deref(), now)?;
        let opt_outs = reader.opt_outs()?;
        let is_watched =
            |region: &&crate::ident::Region| coverage.regions.iter().any(|one| one.region == **region);
        let unwatched = config.regions.iter().filter(|region| !is_watched(region));
        let regions: Vec<RegionRow> = coverage.regions.iter().map(region).collect();
        let text = wanted.text.trim().to_lowercase();
        let is_found = |one: &AccountCoverage| {
            one.account.as_str().contains(&text) || one.name.to_lowercase().contains(&text)
        };
        let mut all = coverage.accounts;
        all.retain(|one| places.show(Some(&one.account)) && (text.is_empty() || is_found(one)));
        let (count, number) = (all.len(), wanted.page.unwrap_or(1).max(1));
        let from = (number - 1).saturating_mul(PAGE);
        let some = all.into_iter().skip(from).take(PAGE);
        Ok(CoveragePage {
            frame,
            accounts: some.map(|one| account(one, &regions, &opt_outs, now)).collect(),
            unwatched: unwatched.map(ToString::to_string).collect(),
            regions,
            read_at: coverage.read_at.map(When::of),
            has_more: count > from.saturating_add(PAGE),
            count,
            number,
            text: wanted.text,
        })
    };
    frame.filled(&app, read).await
}

impl CoveragePage {
    /// The address of another page of the same search.
    fn address(&self, number: usize) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("text", &self.text).append_pair("page", &number.to_string());
        format!("/coverage?{}", query.finish())
    }
}

fn region(one: &RegionCoverage) -> RegionRow {
    let health = one.health.as_ref();
    let (tone, status) = match health.map(|health| (&health.error, &health.skipped, health.last_read)) {
        None => (Tone::Warn, "not known: no service reads it here now".to_owned()),
        Some((Some(error), ..)) => (Tone::Bad, format!("not read: {error}")),
        Some((None, Some(why), _)) => (Tone::Plain, format!("not read: {why}")),
        Some((None, None, None)) => (Tone::Warn, "not read yet".to_owned()),
        Some((None, None, Some(_))) => (Tone::Good, "read".to_owned()),
    };
    RegionRow {
        region: one.region.to_string(),
        tone,
        status,
        since: one.since.map(When::of),
        read: health.and_then(|health| health.last_read).map(When::of),
    }
}

fn account(
    of: AccountCoverage,
    regions: &[RegionRow],
    opt_outs: &BTreeMap<String, OptOut>,
    now: Timestamp,
) -> AccountRow {
    let is_active = of.state == "ACTIVE";
    let cell = |row: &RegionRow| {
        let text = match (is_active, row.tone) {
            (false, _) => "not active",
            (true, Tone::Good) => "read",
            (true, Tone::Bad) => "fails",
            (true, Tone::Plain) => "not read",
            (true, Tone::Warn) => "not known",
        };
        (row.region.clone(), if is_active { row.tone } else { Tone::Plain }, text)
    };
    let described = |name: &String| match opt_outs.get(name).map(|one| (one, one.days_left(now))) {
        None => name.clone(),
        Some((one, None)) => format!("{name} ({}, permanent)", one.mode),
        Some((one, Some(days))) => {
            let last = one.expires.map(|day| day.to_string()).unwrap_or_default();
            format!("{name} ({}, until {last}: {days} days left)", one.mode)
        }
    };
    AccountRow {
        cells: regions.iter().map(cell).collect(),
        opt_outs: of.opt_outs.iter().map(described).collect(),
        of,
    }
}
