//! `rescind list`: the remediations, or every decision.

use super::filter::Filter;
use super::ledger_path::OtherLedger;
use super::output::{BOLD, Screen, clean, how_long_ago, short, styled, table, when, width};
use super::{Exit, watch};
use crate::config::{Config, ConfigError};
use crate::desk::{DecisionLine, RemediationLine, decision_line};
use crate::ledger::Reader;
use crate::remediation::InForce;
use jiff::SignedDuration;

/// Minimum width of a terminal, in characters, at which the table has room for exact times.
const WIDE: usize = 110;

/// Length of a short id.
const SHORT: usize = 14;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) filter: Filter,

    /// Every finding with what was decided about it, and why.
    #[arg(long, conflicts_with_all = ["states", "proofs"])]
    pub(super) decisions: bool,

    /// Refresh every two seconds, until you press Ctrl-C.
    #[arg(long, short)]
    pub(super) watch: bool,

    #[command(flatten)]
    pub(super) ledger: OtherLedger,
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let reader = Reader::open(&args.ledger.path(config)?)?;
    watch::show(args.watch, screen, || {
        if args.decisions { decisions(&reader, screen) } else { remediations(&reader, &args.filter, screen) }
    })
}

fn remediations(reader: &Reader, filter: &Filter, screen: &Screen) -> anyhow::Result<Exit> {
    let wanted = filter.selection();
    let mut remediations = reader.remediations(|state| wanted.has_state(state))?;
    remediations.retain(|remediation| wanted.has_proof(remediation.rung()));
    let (mut lines, known_until) = (Vec::new(), reader.last_time()?);
    for remediation in &remediations {
        let line = RemediationLine::of(remediation, known_until);
        screen.json(&line)?;
        lines.push((reader.short_id(&remediation.id)?.to_owned(), line));
    }
    show(&lines, !filter.is_empty(), screen);
    Ok(Exit::Done)
}

/// As much of an id as the table shows, where it is not known how much names one.
pub(super) fn short_id(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// The remediations, for people: each with as much of its id as names it.
pub(super) fn show(lines: &[(String, RemediationLine)], is_filtered: bool, screen: &Screen) {
    // Where the exact time has no room it is left to `show`.
    let is_wide = width() >= WIDE;
    let opened = if is_wide { "opened (UTC)" } else { "opened" };
    let header = ["remediation", "state", "proof", "account", "principal", opened, "to deny", "in force"];
    let rows: Vec<[String; 8]> = lines.iter().map(|(id, line)| cells(id, line, is_wide)).collect();
    if lines.is_empty() && is_filtered {
        screen.line("No remediation is in this state: `rescind list` shows all.");
    } else if lines.is_empty() {
        screen.prose(
            "No remediations yet. `rescind list --decisions` shows what came and why nothing was done.",
        );
    } else {
        if fits(&header, &rows) {
            let mut table = table(&header);
            for row in rows {
                table.add_row(row);
            }
            screen.line(table.trim_fmt());
        } else {
            for row in &rows {
                two_lines(row, opened, screen);
            }
        }
        screen.line(format!("\n{} shows one in full.", styled(BOLD, "rescind show ID")));
    }
}

/// A remediation in the table, column by column.
fn cells(id: &str, line: &RemediationLine, is_wide: bool) -> [String; 8] {
    let recurring = if line.recurrence.is_some() { " (recurring)" } else { "" };
    let to_deny = line.seconds_to_deny.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
    [
        id.to_owned(),
        format!("{}{recurring}", line.state),
        line.proof.map_or("-".to_owned(), |rung| rung.to_string()),
        line.account.to_string(),
        line.principal.clone(),
        if is_wide { when(line.opened_at) } else { how_long_ago(line.opened_at) },
        to_deny.map_or("-".to_owned(), short),
        line.in_force.as_ref().map_or("-".to_owned(), InForce::percent),
    ]
}

/// The table fits the terminal, with two spaces after each column.
fn fits(header: &[&str; 8], rows: &[[String; 8]]) -> bool {
    let mut widths = header.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths.iter().map(|width| width + 2).sum::<usize>() <= width()
}

/// A remediation where the table has no room: what people copy first, and nothing of it broken over two lines.
fn two_lines(row: &[String; 8], opened: &str, screen: &Screen) {
    let [id, state, proof, account, principal, at, to_deny, in_force] = row;
    screen.line(format!("{id:<14}  {state}  {account}  {}", clean(principal)));
    let more = format!("proof {proof}, {opened} {at}, finding to deny {to_deny}, in force {in_force}");
    screen.prose(format!("                {more}"));
}

fn decisions(reader: &Reader, screen: &Screen) -> anyhow::Result<Exit> {
    let all = reader.decisions()?;
    for decided in &all {
        let line = decision_line(decided);
        screen.json(&line)?;
        decision(&line, screen);
    }
    if all.is_empty() {
        screen.line("No findings yet.");
    }
    Ok(Exit::Done)
}

/// What was decided about a finding, for people.
pub(super) fn decision(line: &DecisionLine, screen: &Screen) {
    let account = line.account.as_ref().map_or("-", |account| account.as_str());
    let finding = clean(line.finding.as_deref().unwrap_or("-"));
    screen.line(format!("{:<11}  {account:<12}  {finding}", line.decision));
    // Below it, so that nothing that people copy is broken over two lines.
    screen.prose(format!("             {}: {}", when(line.seen), clean(&line.reason)));
}
