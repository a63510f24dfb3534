//! `rescind list`: the remediations, or every decision.

use super::filter::ListFilter;
use super::ledger_path::OtherLedger;
use super::output::{BOLD, DIM, Screen, clean, how_long_ago, short, styled, when, width};
use super::remediation::style;
use super::table::{Column, Table};
use super::{Exit, watch};
use crate::config::{Config, ConfigError};
use crate::desk::{DecisionLine, RemediationLine, decision_line};
use crate::ledger::{PageWanted, Reader};
use crate::org::named_account;
use crate::remediation::InForce;
use jiff::SignedDuration;

/// Length of a short id.
const SHORT: usize = 14;

/// The columns, and how important each is: where a terminal has no room, the last of them are left out.
const COLUMNS: [Column; 11] = [
    Column::whole("remediation", 0),
    Column::whole("state", 0),
    Column::whole("proof", 3),
    Column::whole("severity", 4),
    Column::whole("account", 0),
    Column::whole("name", 2),
    Column::whole("principal", 0),
    Column::whole("opened", 1),
    Column::whole("in force", 5),
    Column::whole("to deny", 6),
    Column::whole("type", 7),
];

/// The column of the state, which has its colour.
const STATE: usize = 1;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) filter: ListFilter,

    /// Every finding with what was decided about it, and why.
    #[arg(long, conflicts_with_all = ["states", "proofs"])]
    pub(super) decisions: bool,

    /// All columns, also where the terminal has no room for them.
    #[arg(long)]
    pub(super) wide: bool,

    /// Refresh every two seconds, until you press Ctrl-C.
    #[arg(long, short)]
    pub(super) watch: bool,

    #[command(flatten)]
    pub(super) ledger: OtherLedger,
}

/// A remediation of the list: as much of its id as names it, and its line.
pub(super) struct Listed {
    pub id: String,
    pub line: RemediationLine,
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let reader = Reader::open(&args.ledger.path(config)?)?;
    watch::show(args.watch, screen, || {
        screen.knows(reader.account_names()?);
        if args.decisions { decisions(&reader, args, screen) } else { remediations(&reader, args, screen) }
    })
}

fn remediations(reader: &Reader, args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    let names = screen.names();
    let mut page = reader.latest(&args.filter.page(&names)?, args.filter.most())?;
    // The latest comes last, where it is seen.
    page.ids.reverse();
    let (mut lines, known_until) = (Vec::new(), reader.last_time()?);
    screen.lists(&["items"]);
    for id in &page.ids {
        let line = RemediationLine::of(&reader.remediation(id)?, known_until, &names);
        screen.item("items", &line)?;
        lines.push(Listed { id: reader.short_id(id)?.to_owned(), line });
    }
    show(&lines, args, page.next.is_some(), screen)
}

/// As much of an id as the table shows, where it is not known how much names one.
pub(super) fn short_id(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// The remediations, for people: each with as much of its id as names it. `is_more` says that there are earlier ones.
pub(super) fn show(lines: &[Listed], args: &Args, is_more: bool, screen: &Screen) -> anyhow::Result<Exit> {
    screen.end_with_more(is_more)?;
    if lines.is_empty() && !args.filter.is_empty() {
        screen.line("No remediation is like this: `rescind list` shows all.");
        return Ok(Exit::Done);
    }
    if lines.is_empty() {
        screen.prose(
            "No remediations yet. `rescind list --decisions` shows what came and why nothing was done.",
        );
        return Ok(Exit::Done);
    }
    let mut table = Table::new(COLUMNS.to_vec());
    for one in lines {
        table.add_styled_row(cells(one), STATE, style(one.line.state));
    }
    let width = if args.wide { usize::MAX } else { width() };
    let shown = table.shown(width);
    let left_out = if table.fits(&shown, width) {
        screen.line(table.draw(&shown, width));
        table.left_out(&shown)
    } else {
        for one in lines {
            two_lines(one, screen);
        }
        vec!["proof", "severity", "in force", "to deny", "type"]
    };
    screen.line("");
    if is_more {
        let text = format!("Earlier ones are left out: --limit {} says how many are shown.", lines.len());
        screen.prose(styled(DIM, text));
    }
    if !left_out.is_empty() {
        screen.prose(styled(
            DIM,
            format!("Not shown here: {}. --wide shows all columns.", left_out.join(", ")),
        ));
    }
    screen.line(format!("{} shows one in full.", styled(BOLD, "rescind show ID")));
    Ok(Exit::Done)
}

fn state(line: &RemediationLine) -> String {
    let recurring = if line.recurrence.is_some() { " (recurring)" } else { "" };
    format!("{}{recurring}", line.state)
}

/// A remediation in the table, column by column.
fn cells(one: &Listed) -> [String; 11] {
    let (line, none) = (&one.line, || "-".to_owned());
    let to_deny = line.seconds_to_deny.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
    [
        one.id.clone(),
        state(line),
        line.proof.map_or_else(none, |rung| rung.to_string()),
        line.severity.map_or_else(none, |severity| severity.to_string()),
        line.account.to_string(),
        line.account_name.clone().unwrap_or_else(none),
        line.principal.clone(),
        how_long_ago(line.opened_at),
        line.in_force.as_ref().map_or_else(none, InForce::percent),
        to_deny.map_or_else(none, short),
        line.finding_type.clone(),
    ]
}

/// A remediation where the table has no room: what people copy, and nothing of it broken over two lines.
fn two_lines(one: &Listed, screen: &Screen) {
    let line = &one.line;
    let account = named_account(line.account.as_str(), line.account_name.as_deref());
    let state = styled(style(line.state), format!("{:<9}", state(line)));
    screen.prose(format!("{:<SHORT$}  {state} {account}, {}", one.id, how_long_ago(line.opened_at)));
    screen.line(format!("{:<SHORT$}  {}", "", clean(&line.principal)));
}

fn decisions(reader: &Reader, args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    let names = screen.names();
    let PageWanted { in_accounts, since, severity, .. } = args.filter.page(&names)?;
    let mut lines: Vec<DecisionLine> =
        reader.decisions()?.iter().map(|decided| decision_line(decided, &names)).collect();
    lines.retain(|line| {
        let is_there = |account: &str| in_accounts.iter().any(|one| one == account);
        let account = line.account.as_ref().map_or("", |account| account.as_str());
        (in_accounts.is_empty() || is_there(account))
            && since.is_none_or(|since| line.seen >= since)
            && severity.is_none_or(|least| line.severity.is_some_and(|severity| severity >= least))
    });
    let left_out = lines.len().saturating_sub(args.filter.most());
    show_decisions(&lines[left_out..], left_out > 0, screen)
}

/// The decisions, for people and programs. `is_more` says that there are earlier ones.
pub(super) fn show_decisions(lines: &[DecisionLine], is_more: bool, screen: &Screen) -> anyhow::Result<Exit> {
    screen.lists(&["items"]);
    for line in lines {
        screen.item("items", line)?;
        decision(line, screen);
    }
    screen.end_with_more(is_more)?;
    if lines.is_empty() {
        screen.line("No findings.");
    }
    if is_more {
        screen.line(styled(DIM, "\nEarlier ones are left out by --limit."));
    }
    Ok(Exit::Done)
}

/// What was decided about a finding, for people.
fn decision(line: &DecisionLine, screen: &Screen) {
    let account = line.account.as_ref().map_or("-", |account| account.as_str());
    let account = named_account(account, line.account_name.as_deref());
    let finding = clean(line.finding.as_deref().unwrap_or("-"));
    screen.line(format!("{:<11}  {finding}", line.decision));
    // Below it, so that nothing that people copy is broken over two lines.
    screen.prose(format!("             {account}, {}", when(line.seen)));
    screen.prose(format!("             {}", clean(&line.reason)));
}
