//! *Now*: whether a thief is inside, and what needs a person.

use super::open::{OpenIncident, OpenIncidents};
use super::page::{Done, Frame, html};
use super::words::{Tone, When, Words};
use crate::config::{Config, WebRole};
use crate::desk::{self, AlertLine};
use crate::ledger::{LedgerError, Open, Reader};
use crate::plural::counted;
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

/// Maximum number of remediations, and of incidents, that are shown one by one.
const SHOWN: usize = 50;

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

/// A remediation that is not finished.
struct Item {
    id: String,
    state: State,
    tone: Tone,
    principal: String,
    account: String,
    account_name: String,
    why: String,
    opened: When,
    /// Until when it can be answered.
    answer_by: Option<When>,
    may_answer: bool,
}

struct Alerted {
    line: AlertLine,
    at: When,
    may_acknowledge: bool,
}

/// What rescind sees by.
struct Feeds {
    tone: Tone,
    text: String,
    rows: Vec<(String, Tone, String, Option<When>)>,
}

/// The verdict in a sentence.
struct Verdict {
    tone: Tone,
    sentence: String,
    detail: String,
}

/// What the verdict rests on.
#[derive(Default)]
struct Seen {
    not_denied: usize,
    held: usize,
    being_revoked: usize,
    contested: usize,
    incidents: usize,
    doors: usize,
    /// Principals that are denied everything beside the deny, whoever uses them.
    quarantined: usize,
    /// Incidents that were not looked at yet.
    unread: usize,
    /// What rescind does not see now.
    blind: bool,
    /// Whoever asks may not see all accounts.
    limited: bool,
}

pub(super) async fn page(
    Has(app): Has<Arc<App>>,
    caller: Caller,
    Extension(open): Extension<Arc<OpenIncidents>>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/", "Now").with(&done);
    let (config, live) = (Arc::clone(&app.config), app.shared.live());
    let read = move |reader: &Reader| {
        let places = caller.access.places(reader)?;
        gathered(frame, reader, &config, live.as_deref(), &open, &places)
    };
    html(&app.read(read).await?)
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
    let feeds = feeds(live);
    let seen = Seen {
        contested,
        unread: listed.unread,
        blind: feeds.tone != Tone::Good,
        incidents: incidents.len(),
        not_denied: incidents.iter().map(|one| one.not_denied).sum(),
        held: incidents.iter().map(|one| one.held).sum(),
        being_revoked: incidents.iter().map(|one| one.being_revoked).sum(),
        doors: incidents.iter().map(|one| one.line.doors_open).sum(),
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

/// What is not finished, what needs a person first; and how many of them are contested.
fn unfinished(reader: &Reader, places: &Places) -> Result<(Vec<Open>, usize), LedgerError> {
    let mut all = reader.unfinished()?;
    all.retain(|one| places.show(Some(&one.account)));
    let contested = all.iter().filter(|one| one.state == State::Contested).count();
    all.sort_by_key(|one| match one.state {
        State::Held => 0,
        State::Blocked => 1,
        State::Contested => 2,
        State::Lost => 3,
        _ => 4,
    });
    Ok((all, contested))
}

fn items(reader: &Reader, config: &Config, places: &Places, open: &[Open]) -> Result<Vec<Item>, LedgerError> {
    let organization = reader.organization()?;
    let mut items = Vec::new();
    for one in open.iter().take(SHOWN) {
        let remediation = reader.remediation(&one.remediation)?;
        let account = &remediation.target.account;
        let name = organization.as_ref().and_then(|all| all.account(account)).map(|one| one.name.clone());
        let is_held = remediation.state == State::Held;
        items.push(Item {
            state: remediation.state,
            tone: Tone::of(remediation.state),
            principal: remediation.target.principal(),
            account: account.to_string(),
            account_name: name.unwrap_or_default(),
            why: remediation.why().unwrap_or_default().to_owned(),
            opened: When::of(remediation.opened_at),
            answer_by: remediation.answer_by(config.approval_timeout).filter(|_| is_held).map(When::of),
            may_answer: is_held && places.allow(WebRole::Approver, account),
            id: remediation.id,
        });
    }
    // What ends first is first.
    items.sort_by_key(|item| (item.state != State::Held, item.answer_by.map(When::time)));
    Ok(items)
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

/// How the feeds and the host are doing.
fn feeds(live: Option<&Live>) -> Feeds {
    let Some(live) = live else {
        let text = "No service is running here: findings are not processed.".to_owned();
        return Feeds { tone: Tone::Bad, text, rows: Vec::new() };
    };
    let mut rows = Vec::new();
    let all = live
        .regions
        .iter()
        .map(|(region, health)| (format!("GuardDuty {region}"), health))
        .chain(live.queues.iter().map(|queue| (queue.name.clone(), &queue.health)))
        .chain(live.folder.iter().map(|health| ("folder".to_owned(), health)));
    for (name, health) in all {
        let (tone, text) = match (&health.error, &health.skipped, health.last_read) {
            (Some(error), ..) => (Tone::Bad, format!("fails: {error}")),
            (None, Some(why), _) => (Tone::Plain, format!("not read: {why}")),
            (None, None, None) => (Tone::Warn, "not read yet".to_owned()),
            (None, None, Some(_)) => (Tone::Good, "read".to_owned()),
        };
        rows.push((name, tone, text, health.last_read.map(When::of)));
    }
    if let Some(log) = &live.log {
        let tone = if log.fault.is_some() { Tone::Bad } else { Tone::Good };
        rows.push((format!("host {}", log.host), tone, log.describe(), Some(When::of(log.caught_up))));
    }
    let blind = live.blind();
    let (tone, text) = match (live.is_alive(), blind.as_slice()) {
        (false, _) => (Tone::Bad, "The service shows no sign of life.".to_owned()),
        (true, []) => (Tone::Good, format!("All feeds are read. Mode: {}.", live.mode)),
        (true, some) => (Tone::Bad, format!("rescind does not see everything: {}.", some.join("; "))),
    };
    Feeds { tone, text, rows }
}

impl Seen {
    fn verdict(&self) -> Verdict {
        let are = |count: usize| if count == 1 { "is" } else { "are" };
        let (not_denied, held, being) = (self.not_denied, self.held, self.being_revoked);
        let (tone, sentence) = if not_denied > 0 {
            let sessions = counted(not_denied, "session");
            (Tone::Bad, format!("A thief is inside: {sessions} {} not denied.", are(not_denied)))
        } else if held > 0 {
            let (sessions, wait) =
                (counted(held, "stolen session"), if held == 1 { "waits" } else { "wait" });
            (Tone::Bad, format!("A thief is inside: {sessions} {wait} for your answer."))
        } else if self.contested > 0 {
            let denies = counted(self.contested, "deny").replace("denys", "denies");
            let are = are(self.contested);
            (Tone::Bad, format!("A thief fights back: {denies} {are} removed again and again, and put back."))
        } else if being > 0 {
            let sessions = counted(being, "stolen session");
            (Tone::Warn, format!("A thief is being shut out: {sessions} {} being revoked.", are(being)))
        } else if self.doors > 0 {
            let doors = counted(self.doors, "door");
            (Tone::Warn, format!("Nobody is inside, but {doors} of a thief {} open.", are(self.doors)))
        } else if self.quarantined > 0 {
            let principals = counted(self.quarantined, "principal");
            let are = are(self.quarantined);
            (
                Tone::Warn,
                format!(
                    "Nobody is inside, and {principals} {are} quarantined: legitimate sessions are denied too."
                ),
            )
        } else if self.unread > 0 {
            (Tone::Warn, "Not everything was looked at yet.".to_owned())
        } else if self.blind {
            (Tone::Warn, "Nobody is known to be inside, but rescind does not see everything.".to_owned())
        } else if self.limited {
            (Tone::Good, "Nobody is inside the accounts that you may see, as far as rescind sees.".to_owned())
        } else {
            (Tone::Good, "Nobody is inside, as far as rescind sees.".to_owned())
        };
        let mut parts = Vec::new();
        let mut part = |count: usize, text: String| {
            if count > 0 {
                parts.push(text);
            }
        };
        part(self.incidents, format!("{} not closed", counted(self.incidents, "incident")));
        part(held, format!("{} held", counted(held, "session")));
        part(being, format!("{} being revoked", counted(being, "session")));
        part(self.contested, format!("{} contested", self.contested));
        part(self.doors, format!("{} open", counted(self.doors, "door")));
        part(self.unread, format!("{} not looked at yet", counted(self.unread, "incident")));
        Verdict { tone, sentence, detail: parts.join(" · ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_says_the_worst_first_and_no_more_than_is_seen() {
        let said = |seen: Seen| seen.verdict().sentence;
        let all = [
            said(Seen::default()),
            said(Seen { limited: true, ..Seen::default() }),
            said(Seen { blind: true, ..Seen::default() }),
            said(Seen { unread: 3, ..Seen::default() }),
            said(Seen { quarantined: 1, unread: 3, ..Seen::default() }),
            said(Seen { doors: 2, quarantined: 1, blind: true, ..Seen::default() }),
            said(Seen { being_revoked: 1, doors: 2, ..Seen::default() }),
            said(Seen { contested: 1, being_revoked: 1, ..Seen::default() }),
            said(Seen { held: 2, contested: 1, ..Seen::default() }),
            said(Seen { not_denied: 1, held: 2, ..Seen::default() }),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        Nobody is inside, as far as rescind sees.
        Nobody is inside the accounts that you may see, as far as rescind sees.
        Nobody is known to be inside, but rescind does not see everything.
        Not everything was looked at yet.
        Nobody is inside, and 1 principal is quarantined: legitimate sessions are denied too.
        Nobody is inside, but 2 doors of a thief are open.
        A thief is being shut out: 1 stolen session is being revoked.
        A thief fights back: 1 deny is removed again and again, and put back.
        A thief is inside: 2 stolen sessions wait for your answer.
        A thief is inside: 1 session is not denied.
        ");
    }
}
