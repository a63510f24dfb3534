//! `rescind incident list`.

use crate::cli::Exit;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::list::short_id;
use crate::cli::output::{BAD, BOLD, DIM, Screen, WARN, how_long_ago, styled, width};
use crate::cli::table::{Column, Table};
use crate::config::{Config, ConfigError};
use crate::desk::{IncidentLine, incident_line};
use crate::incident::{Incident, IncidentState};
use crate::ledger::Reader;
use jiff::Timestamp;
use std::collections::HashSet;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only incidents in this state; several times, or with commas, for several.
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', value_enum)]
    pub(in crate::cli) states: Vec<IncidentState>,

    /// All columns, also where the terminal has no room for them.
    #[arg(long)]
    pub(in crate::cli) wide: bool,

    #[command(flatten)]
    pub(in crate::cli) ledger: OtherLedger,
}

/// The colour of a state.
pub(super) fn style(state: IncidentState) -> anstyle::Style {
    match state {
        IncidentState::Open => BAD,
        IncidentState::Contained => WARN,
        IncidentState::Closed => DIM,
    }
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let reader = Reader::open(&args.ledger.path(config)?)?;
    let (now, names) = (Timestamp::now(), reader.account_names()?);
    screen.lists(&["items"]);
    let mut lines = Vec::new();
    let mut ids = reader.incidents()?;
    if !args.states.is_empty() && !args.states.contains(&IncidentState::Closed) {
        let some: HashSet<String> = reader.incidents_to_look_at()?.into_iter().collect();
        ids.retain(|id| some.contains(id));
    }
    for id in ids {
        let Some(incident) = Incident::read(&reader, &id, now)? else { continue };
        if !args.states.is_empty() && !args.states.contains(&incident.state) {
            continue;
        }
        let line = incident_line(&incident, &names);
        screen.item("items", &line)?;
        lines.push(line);
    }
    screen.end();
    text(lines, (!args.states.is_empty(), args.wide), screen);
    Ok(Exit::Done)
}

/// The incidents, for people.
pub(in crate::cli) fn text(lines: Vec<IncidentLine>, (is_filtered, wide): (bool, bool), screen: &Screen) {
    let mut rows = Table::new(vec![
        Column::whole("incident", 0),
        Column::whole("state", 0),
        Column::whole("opened", 2),
        Column::whole("sessions", 1),
        Column::whole("doors", 1),
        Column::whole("account", 0),
        Column::whole("name", 3),
        Column::prose("first", 0),
    ]);
    let count = lines.len();
    for line in lines {
        let state = line.state;
        let of = |open: usize, all: usize| if all == 0 { "-".to_owned() } else { format!("{open} of {all}") };
        let account = line.account.as_ref().map(ToString::to_string).unwrap_or_default();
        let first = line.first.strip_suffix(&format!(" in {account}")).unwrap_or(&line.first).to_owned();
        let cells = [
            short_id(&line.incident).to_owned(),
            line.state.to_string(),
            how_long_ago(line.opened_at),
            of(line.sessions_open, line.sessions),
            of(line.doors_open, line.doors),
            line.account.map_or_else(|| "-".to_owned(), |account| account.to_string()),
            line.account_name.unwrap_or_else(|| "-".to_owned()),
            first,
        ];
        rows.add_styled_row(cells, 1, style(state));
    }
    match count {
        0 if !is_filtered => screen.line("No incidents yet."),
        0 => screen.line("No incident is in this state: `rescind incident list` shows all."),
        _ => {
            let width = if wide { usize::MAX } else { width() };
            let shown = rows.shown(width);
            screen.line(rows.draw(&shown, width));
            let left_out = rows.left_out(&shown);
            let has_doors = !left_out.contains(&"doors");
            screen.line(if has_doors { "\nSessions and doors: those that are open, of all." } else { "" });
            if !left_out.is_empty() {
                let text = format!("Not shown here: {}. --wide shows all columns.", left_out.join(", "));
                screen.prose(styled(DIM, text));
            }
            screen.line(format!("{} shows one in full.", styled(BOLD, "rescind incident show ID")));
        }
    }
}
