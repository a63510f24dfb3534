//! `rescind incident list`.

use crate::cli::Exit;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::output::{BAD, BOLD, DIM, Screen, WARN, how_long_ago, styled, table};
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
    let now = Timestamp::now();
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
        let line = incident_line(&incident);
        screen.json(&line)?;
        lines.push(line);
    }
    text(lines, !args.states.is_empty(), screen);
    Ok(Exit::Done)
}

/// The incidents, for people.
pub(in crate::cli) fn text(lines: Vec<IncidentLine>, is_filtered: bool, screen: &Screen) {
    let mut rows = table(&["incident", "state", "opened", "sessions", "doors", "first"]);
    let count = lines.len();
    for line in lines {
        let state = line.state;
        let of = |open: usize, all: usize| if all == 0 { "-".to_owned() } else { format!("{open} of {all}") };
        let cells = [
            line.incident,
            line.state.to_string(),
            how_long_ago(line.opened_at),
            of(line.sessions_open, line.sessions),
            of(line.doors_open, line.doors),
            line.first,
        ];
        rows.add_styled_row(cells, 1, style(state));
    }
    match count {
        0 if !is_filtered => screen.line("No incidents yet."),
        0 => screen.line("No incident is in this state: `rescind incident list` shows all."),
        _ => {
            screen.line(rows.trim_fmt());
            screen.line(format!(
                "\nSessions and doors: those that are open, of all. {} shows one in full.",
                styled(BOLD, "rescind incident show ID")
            ));
        }
    }
}
