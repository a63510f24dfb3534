//! Waits for what was handed to a running service, and prints what became of it.

use super::output::{BAD, Screen, WARN, clean, styled};
use super::{Exit, summary};
use crate::config::Config;
use crate::ledger::{LedgerError, Lock, Reader};
use crate::remediation::{Entry, Event, State};
use crate::replication::open_ledger;
use crate::service::Live;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Interval between two looks at the ledger.
const LOOK: Duration = Duration::from_millis(200);

/// What was handed over: by occurrence, with the number of the entry that says so.
pub(super) type Handed = BTreeMap<String, i64>;

/// Who takes up what is handed over now, for programs: a running service, or the next start.
pub(super) fn taken_up_by(config: &Config) -> &'static str {
    if Live::of_holder(&config.ledger).is_some() { "service" } else { "next_start" }
}

/// Says which process acts on it.
pub(super) fn describe(config: &Config, screen: &Screen) {
    let holder = Lock::holder(&config.ledger).unwrap_or_default();
    if config.log.is_some() {
        screen.prose(
            "The host that leads acts on it within a second; `rescind list` on any host has the outcome.",
        );
        return;
    }
    if Live::of_holder(&config.ledger).is_some() {
        screen.prose(format!(
            "The running service ({}) acts on it within a second; `rescind list` has the outcome.",
            clean(&holder)
        ));
    } else {
        screen.prose(format!(
            "{} {} is no service: what was handed in is decided at the next start of `rescind run`, or by `rescind run --once`.",
            styled(WARN, "note:"),
            clean(&holder)
        ));
    }
}

/// Waits until each is decided, and revoked where that was decided, or somebody has to do something first. Prints what
/// became of them.
pub(super) async fn follow(
    reader: &Reader,
    config: &Config,
    handed: &Handed,
    screen: &Screen,
    stop: &CancellationToken,
) -> anyhow::Result<Exit> {
    let mut is_left = false;
    let other = config.log.as_ref().map(|_| open_ledger(config)).transpose()?;
    while !is_left && !stop.is_cancelled() {
        let settled = handed.iter().map(|(occurrence, seq)| is_settled(reader, occurrence, *seq));
        if settled.collect::<Result<Vec<_>, _>>()?.iter().all(|settled| *settled) {
            break;
        }
        match &other {
            // It is done on whichever host leads.
            Some(ledger) => drop(ledger.catch_up().await?),
            None => is_left = Lock::holder(&config.ledger).is_none(),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    let mut decisions = Vec::new();
    for (occurrence, seq) in handed {
        decisions.extend(decision(reader, occurrence, *seq)?);
    }
    let exit = summary::of_decisions(reader, config, &decisions, screen)?;
    if stop.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    if is_left {
        screen.prose(format!(
            "{} the process that acted on this ledger has ended. What is left is done at the next start of `rescind run`, or by `rescind run --once`.",
            styled(BAD, "NOT finished:")
        ));
        return Ok(Exit::NeedsPerson);
    }
    Ok(exit)
}

/// The decision that was made since it was handed over; or the one from before that, where the same finding cannot be
/// decided otherwise.
fn decision(reader: &Reader, occurrence: &str, handed: i64) -> Result<Option<Entry>, LedgerError> {
    let decision = reader.decided(occurrence)?.and_then(|decided| decided.decision);
    let is_for_good = |entry: &Entry| {
        entry.takes_care().is_some()
            || matches!(&entry.event, Event::Decision { code, .. } if code.is_for_good())
    };
    Ok(decision.filter(|entry| entry.seq > handed || is_for_good(entry)))
}

fn is_settled(reader: &Reader, occurrence: &str, handed: i64) -> Result<bool, LedgerError> {
    let Some(decision) = decision(reader, occurrence, handed)? else { return Ok(false) };
    let Some(remediation) = decision.takes_care() else { return Ok(true) };
    let state = reader.state(remediation)?;
    // What had failed, or was rejected, is tried again.
    if decision.seq < handed && matches!(state, State::Failed | State::Rejected) {
        let last = reader.entries_of(remediation)?.pop();
        return Ok(last.is_some_and(|entry| entry.seq > handed));
    }
    Ok(matches!(state, State::Held | State::Contested | State::Blocked) || !state.is_open())
}
