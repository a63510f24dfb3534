//! `rescind list`: the remediations, or every decision.

use super::filter::Filter;
use super::ledger_path::OtherLedger;
use super::output::{BOLD, Screen, clean, how_long_ago, short, styled, table, when, width};
use super::{Exit, watch};
use crate::config::{Config, ConfigError};
use crate::desk::{RemediationLine, decision_line};
use crate::ledger::Reader;
use crate::remediation::{InForce, Remediation};

/// Minimum width of a terminal, in characters, at which the table has room for exact times.
const WIDE: usize = 110;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,

    /// Every finding with what was decided about it, and why.
    #[arg(long, conflicts_with_all = ["states", "proofs"])]
    decisions: bool,

    /// Refresh every two seconds, until you press Ctrl-C.
    #[arg(long, short)]
    watch: bool,

    #[command(flatten)]
    ledger: OtherLedger,
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
    // Where the exact time has no room it is left to `show`.
    let is_wide = width() >= WIDE;
    let opened = if is_wide { "opened (UTC)" } else { "opened" };
    let header = ["remediation", "state", "proof", "account", "principal", opened, "to deny", "in force"];
    let (mut rows, known_until) = (Vec::new(), reader.last_time()?);
    for remediation in &remediations {
        screen.json(&RemediationLine::of(remediation, known_until))?;
        let in_force = known_until.and_then(|until| remediation.in_force(until));
        rows.push(cells(reader.short_id(&remediation.id)?, remediation, in_force, is_wide));
    }
    if remediations.is_empty() && !filter.is_empty() {
        screen.line("No remediation is in this state: `rescind list` shows all.");
    } else if remediations.is_empty() {
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
    Ok(Exit::Done)
}

/// A remediation in the table, column by column.
fn cells(id: &str, remediation: &Remediation, in_force: Option<InForce>, is_wide: bool) -> [String; 8] {
    let recurring = if remediation.recurrence.is_some() { " (recurring)" } else { "" };
    let to_deny = remediation.to_deny().map_or("-".to_owned(), short);
    [
        id.to_owned(),
        format!("{}{recurring}", remediation.state),
        remediation.rung().map_or("-".to_owned(), |rung| rung.to_string()),
        remediation.target.account.to_string(),
        remediation.target.label(),
        if is_wide { when(remediation.opened_at) } else { how_long_ago(remediation.opened_at) },
        to_deny,
        in_force.map_or("-".to_owned(), |one| one.percent()),
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
        let account = line.account.as_ref().map_or("-", |account| account.as_str());
        let finding = clean(line.finding.as_deref().unwrap_or("-"));
        screen.line(format!("{:<11}  {account:<12}  {finding}", line.decision));
        // Below it, so that nothing that people copy is broken over two lines.
        screen.prose(format!("             {}: {}", when(line.seen), clean(&line.reason)));
    }
    if all.is_empty() {
        screen.line("No findings yet.");
    }
    Ok(Exit::Done)
}
