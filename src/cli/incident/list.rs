//! `rescind incident list`.

use crate::cli::Exit;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::output::{BAD, BOLD, DIM, Screen, WARN, how_long_ago, styled, table};
use crate::config::{Config, ConfigError};
use crate::desk::incident_line;
use crate::incident::{Incident, IncidentState};
use crate::ledger::Reader;
use jiff::Timestamp;
use std::collections::HashSet;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only incidents in this state; several times, or with commas, for several.
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', value_enum)]
    states: Vec<IncidentState>,

    #[command(flatten)]
    ledger: OtherLedger,
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
    let mut rows = table(&["incident", "state", "opened", "sessions", "doors", "first"]);
    let mut count = 0;
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
        count += 1;
        let line = incident_line(&incident);
        screen.json(&line)?;
        let of = |open: usize, all: usize| if all == 0 { "-".to_owned() } else { format!("{open} of {all}") };
        let cells = [
            line.incident,
            line.state.to_string(),
            how_long_ago(line.opened_at),
            of(line.sessions_open, line.sessions),
            of(line.doors_open, line.doors),
            line.first,
        ];
        rows.add_styled_row(cells, 1, style(incident.state));
    }
    match count {
        0 if args.states.is_empty() => screen.line("No incidents yet."),
        0 => screen.line("No incident is in this state: `rescind incident list` shows all."),
        _ => {
            screen.line(rows.trim_fmt());
            screen.line(format!(
                "\nSessions and doors: those that are open, of all. {} shows one in full.",
                styled(BOLD, "rescind incident show ID")
            ));
        }
    }
    Ok(Exit::Done)
}
