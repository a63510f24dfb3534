//! `rescind explain FINDING`: every check that led to a decision, and the one that decided.

use super::Exit;
use super::exit::BadInput;
use super::ledger_path::OtherLedger;
use super::output::{BAD, BOLD, DIM, Screen, WARN, clean, styled, when};
use super::table::table;
use crate::config::{Config, ConfigError};
use crate::desk::{find, is_long_enough, names_finding};
use crate::ledger::{Decided, Reader};
use crate::plural::counted;
use crate::remediation::Event;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A finding's id or a remediation's, or the beginning of one.
    finding: String,

    /// Every occurrence, not only the latest.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    ledger: OtherLedger,
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let reader = Reader::open(&args.ledger.path(config)?)?;
    screen.knows(reader.account_names()?);
    screen.lists(&["items"]);
    is_long_enough(&args.finding)?;
    let mut occurrences = reader.occurrences_of(&args.finding)?;
    let is_named = |id: &String| names_finding(&args.finding, id);
    occurrences.retain(|one| one.seen.subject.finding.as_ref().is_some_and(is_named));
    if occurrences.is_empty() && args.finding.starts_with("r-") {
        let id = find(&reader, &args.finding)?;
        occurrences.extend(reader.decided(&reader.remediation(&id)?.finding.occurrence())?);
    }
    let mut ids: Vec<_> = occurrences.iter().filter_map(|o| o.seen.subject.finding.clone()).collect();
    ids.sort();
    ids.dedup();
    match ids.len() {
        0 => {
            return Err(BadInput(format!(
                "no finding {:?} in the ledger: `rescind list --decisions` shows the ids; `rescind plan FILE` explains one that is not there",
                args.finding
            ))
            .into());
        }
        1 => {}
        _ => {
            return Err(BadInput(format!(
                "{:?} matches several findings: {}",
                args.finding,
                clean(&ids.join(", "))
            ))
            .into());
        }
    }
    // The actors of a sequence belong together.
    let last = occurrences.last().and_then(update);
    let belongs = |one: &Decided| last.is_some() && update(one) == last;
    let latest = occurrences.len() - 1;
    let (shown, earlier): (Vec<_>, Vec<_>) = occurrences
        .iter()
        .enumerate()
        .partition(|(number, one)| args.all || *number == latest || belongs(one));
    for (_, occurrence) in shown {
        describe(occurrence, screen)?;
    }
    if !earlier.is_empty() {
        let earlier = counted(earlier.len(), "earlier occurrence");
        screen.prose(format!("{earlier}: --all explains them as well."));
    }
    Ok(Exit::Done)
}

/// The update that brought an actor of a sequence.
fn update(occurrence: &Decided) -> Option<&str> {
    match &occurrence.seen.event {
        Event::Finding { finding, .. } if finding.actor => Some(&finding.updated_at_text),
        _ => None,
    }
}

fn describe(occurrence: &Decided, screen: &Screen) -> anyhow::Result<()> {
    let Decided { seen, decision } = occurrence;
    screen.item("items", &serde_json::json!({ "seen": seen, "decision": decision }))?;
    let (id, account) = (seen.subject.finding.as_deref().unwrap_or("-"), seen.subject.account.as_ref());
    screen.line(format!(
        "{}  {}",
        styled(BOLD, clean(id)),
        account.map_or_else(String::new, |account| screen.names().in_words(account))
    ));
    match &seen.event {
        Event::Finding { finding, origin, .. } => {
            screen.prose(format!(
                "  {}, last activity {}",
                clean(&finding.finding_type),
                when(finding.last_seen())
            ));
            screen.line(format!(
                "  seen {} from {} (entry {})",
                when(seen.time),
                clean(&origin.to_string()),
                seen.seq
            ));
        }
        Event::Undecodable { undecodable, .. } => {
            screen.prose(format!("  it cannot be read: {}", clean(&undecodable.to_string())));
            return Ok(());
        }
        Event::Unconfirmed { why, origin, claim, .. } => {
            screen.prose(format!(
                "  {}, claimed by {} (entry {})",
                clean(&claim.finding_type),
                clean(&origin.to_string()),
                seen.seq
            ));
            screen.prose(format!(
                "  {}, so nothing is done: {}",
                styled(BAD, "NOT CONFIRMED by GuardDuty"),
                clean(&why.to_string())
            ));
            return Ok(());
        }
        _ => {}
    }
    let Some(entry) = decision else {
        screen.line(styled(WARN, "  not decided yet"));
        return Ok(());
    };
    let Event::Decision { checks, what_to_do, organization_read_at, placement_read_at, .. } = &entry.event
    else {
        return Ok(());
    };
    screen.line(format!("  decided {} (entry {})", when(entry.time), entry.seq));
    let mut rows = table(&["", "check", "result"]);
    for check in checks {
        let mark = if check.decided { "▶" } else { "" };
        rows.add_row([mark.to_owned(), check.check.clone(), clean(&check.result)]);
    }
    screen.line(rows.trim_fmt());
    if let Some(to_do) = what_to_do {
        screen.prose(format!("  A person must act: {}", clean(to_do)));
    }
    let placed = placement_read_at.map(|at| format!("; its tags and OUs {}", when(at))).unwrap_or_default();
    let accounts = when(*organization_read_at);
    screen.prose(styled(DIM, format!("  The accounts were read {accounts}{placed}.")));
    screen.line("");
    Ok(())
}
