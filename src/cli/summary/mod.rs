//! What a run did, read from the ledger.

mod counts;
mod entry;
mod remediation;
mod seen;
mod without_rule;

use super::exit::Exit;
use super::output::{BAD, GOOD, Screen, styled};
use crate::config::Config;
use crate::ingest::Seen;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Entry, Event, Origin, State};
use crate::service::Service;
pub(super) use counts::Counts;
use remediation::{is_by_hand, needs_person};
use seen::LeftOpen;
use std::collections::BTreeSet;
use without_rule::WithoutRule;

/// Maximum number of occurrences seen before that are listed.
const SHOWN: usize = 10;

/// Closes the service, and prints what was done since it started, or `nothing`.
pub async fn finish(
    service: Service,
    screen: &Screen,
    done: Result<Seen, LedgerError>,
    nothing: &str,
    interrupted: bool,
) -> anyhow::Result<Exit> {
    let described = match &done {
        Ok(seen) => describe(&service, screen, seen, nothing),
        Err(_) => Ok(Exit::Ledger),
    };
    let stopped = service.stop(if interrupted { "interrupted" } else { "done" }).await;
    done?;
    stopped?;
    let exit = described?;
    Ok(if interrupted { Exit::Interrupted } else { exit })
}

/// Closes a service that was asked to stop. What it did stands in its log; here only what is left.
pub async fn finish_service(
    service: Service,
    screen: &Screen,
    done: Result<(), LedgerError>,
) -> anyhow::Result<Exit> {
    let left = service.reader().unfinished();
    let quarantined = service.reader().quarantined();
    let stopped = service.stop("done").await;
    done?;
    stopped?;
    let (held, left): (Vec<_>, Vec<_>) = left?.into_iter().partition(|one| one.state == State::Held);
    screen.json(&serde_json::json!({ "stopped": { "not_finished": left.len(), "held": held.len() } }))?;
    let of = |count: usize, what: &str| if count == 0 { String::new() } else { format!(" {count} {what}.") };
    screen.line(format!(
        "Stopped.{}{}{}",
        of(left.len(), "not finished: resumed at the next start"),
        of(quarantined?.len(), "quarantined: lifted after the next start"),
        of(held.len(), "held: `rescind status` lists them")
    ));
    Ok(Exit::Done)
}

/// Prints what became of these decisions.
pub fn of_decisions(
    reader: &Reader,
    config: &Config,
    decisions: &[Entry],
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let (mut counts, mut touched) = (Counts::default(), BTreeSet::new());
    screen.knows(reader.account_names()?);
    screen.lists(&LISTS);
    for decision in decisions {
        touched.extend(decision.takes_care().map(str::to_owned));
        entry::describe(decision, screen, true, &mut counts)?;
    }
    remediations(reader, config, &touched, &mut counts, screen)?;
    screen.field("summary", &counts)?;
    verdict(&counts, "nothing is decided yet.", screen);
    Ok(if counts.need_attention() { Exit::NeedsPerson } else { Exit::Done })
}

/// Prints what of an input could not be read or is not so, among the entries after `since`; gives how much that is.
pub fn of_input(reader: &Reader, since: i64, input: &Origin, screen: &Screen) -> anyhow::Result<usize> {
    let mut counts = Counts::default();
    screen.knows(reader.account_names()?);
    reader.each_since(since, |entry| match &entry.event {
        Event::Undecodable { origin, .. } | Event::Unconfirmed { origin, .. } if origin == input => {
            entry::describe(&entry, screen, true, &mut counts)
        }
        _ => Ok(()),
    })?;
    Ok(counts.undecodable + counts.unconfirmed)
}

/// The lists of the document of a run.
const LISTS: [&str; 3] = ["remediations", "entries", "seen_before"];

/// The end of a run in one line.
fn verdict(counts: &Counts, nothing: &str, screen: &Screen) {
    let text = counts.sentence(nothing);
    let (start, rest) = text.split_once(": ").unwrap_or(("", &text));
    let style = if counts.need_attention() { BAD } else { GOOD };
    screen.prose(format!("{} {rest}", styled(style, format!("{start}:"))));
}

/// Prints these remediations, and counts them.
fn remediations(
    reader: &Reader,
    config: &Config,
    touched: &BTreeSet<String>,
    counts: &mut Counts,
    screen: &Screen,
) -> anyhow::Result<()> {
    let known_until = reader.last_time()?;
    for id in touched {
        let remediation = reader.remediation(id)?;
        counts.revoked += usize::from(remediation.state == State::Revoked);
        counts.not_confirmed += usize::from(remediation.state == State::Unverified);
        let by_hand = is_by_hand(&remediation);
        counts.manual += usize::from(by_hand);
        counts.held += usize::from(remediation.state == State::Held && !by_hand);
        counts.not_revoked += usize::from(needs_person(&remediation) && remediation.state != State::Held);
        remediation::describe(&remediation, known_until, config, screen)?;
    }
    Ok(())
}

fn describe(service: &Service, screen: &Screen, seen: &Seen, nothing: &str) -> anyhow::Result<Exit> {
    let reader = service.reader();
    screen.knows(reader.account_names()?);
    screen.lists(&LISTS);
    let mut counts = Counts { seen_before: seen.count, ..Counts::default() };
    let (mut touched, mut without_rule) = (BTreeSet::new(), WithoutRule::default());
    reader.each_since(service.started_at(), |entry| {
        if let Some(id) = &entry.subject.remediation {
            touched.insert(id.clone());
        }
        let is_shown = without_rule.is_shown(&entry);
        entry::describe(&entry, screen, is_shown, &mut counts)
    })?;
    without_rule.describe(reader, screen)?;
    remediations(reader, service.config(), &touched, &mut counts, screen)?;
    for finding in seen.findings.iter().take(if screen.is_text() { SHOWN } else { usize::MAX }) {
        seen::describe(service, finding, screen)?;
    }
    for finding in &seen.findings {
        match seen::is_left_open(service, finding, &touched)? {
            Some(LeftOpen::Held) => counts.held += 1,
            Some(LeftOpen::ByHand) => counts.manual += 1,
            Some(LeftOpen::NotRevoked) => counts.not_revoked += 1,
            None => {}
        }
    }
    if seen.count > SHOWN {
        screen.line(format!("            … and {} more: `rescind list --decisions`", seen.count - SHOWN));
    }
    screen.field("summary", &counts)?;
    if counts.put_off > 0 {
        screen.prose(
            "What was there before the first poll is only observed: `rescind run --backlog` acts on it.",
        );
    }
    verdict(&counts, nothing, screen);
    Ok(if counts.need_attention() { Exit::NeedsPerson } else { Exit::Done })
}
