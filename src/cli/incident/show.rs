//! `rescind incident show ID`.

use super::list::style;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::output::{BAD, BOLD, DIM, GOOD, Screen, WARN, clean, styled, utc, when};
use crate::cli::table::table;
use crate::cli::{Exit, formats, watch};
use crate::config::{Config, ConfigError};
use crate::desk::{self, incident_named};
use crate::finding::Derived;
use crate::incident::{DoorStatus, Graph, Incident, IncidentDoor, Session, SessionStatus, in_words};
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::CallCount;
use crate::trail::{Activity, Door};
use clap::ValueEnum;
use std::collections::BTreeMap;

/// Maximum number of names of calls that are shown of what the thief looked at.
const NAMED: usize = 8;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// An incident's id or its beginning, or that of any of its remediations.
    pub(in crate::cli) id: String,

    /// How it is written: text for people, JSON for programs, or only the graph: how one thing led to another.
    #[arg(long, short, value_name = "FORMAT", value_parser = formats::of_incident())]
    output: Option<String>,

    /// Refresh every two seconds, until you press Ctrl-C.
    #[arg(long, short)]
    pub(in crate::cli) watch: bool,

    #[command(flatten)]
    pub(in crate::cli) ledger: OtherLedger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GraphFormat {
    /// a flowchart for Mermaid
    Mermaid,
    /// a digraph for Graphviz
    Dot,
}

impl Args {
    /// The format of the graph, where nothing else is wanted.
    pub(in crate::cli) fn graph(&self) -> Option<GraphFormat> {
        GraphFormat::from_str(self.output.as_deref()?, false).ok()
    }
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let reader = Reader::open(&args.ledger.path(config)?)?;
    let id = incident_named(&reader, &args.id)?;
    let read = || desk::incident_of(&reader, &id);
    if let Some(format) = args.graph() {
        return Ok(show_graph(&read()?.graph, format));
    }
    watch::show(args.watch, screen, || {
        let incident = read()?;
        screen.json(&incident)?;
        if screen.is_text() {
            screen.knows(reader.account_names()?);
            text(&incident, screen);
        }
        Ok(Exit::Done)
    })
}

/// How stolen credentials led to what a derived finding is about.
pub fn chain(derived: &Derived) -> String {
    let links =
        derived.chain.iter().map(|link| format!("{} ({})", in_words(&link.principal), link.access_key));
    format!("{} by {}", derived.call, links.collect::<Vec<_>>().join(", and from there "))
}

fn heading(text: &str, screen: &Screen) {
    screen.line(format!("\n{}", styled(BOLD, text)));
}

/// The graph alone.
pub(in crate::cli) fn show_graph(graph: &Graph, format: GraphFormat) -> Exit {
    match format {
        GraphFormat::Mermaid => Screen::raw(graph.mermaid().trim_end()),
        GraphFormat::Dot => Screen::raw(graph.dot().trim_end()),
    }
    Exit::Done
}

/// An incident, for people.
pub(in crate::cli) fn text(incident: &Incident, screen: &Screen) {
    let id = styled(BOLD, &incident.id);
    screen.line(format!("{id}  {}", styled(style(incident.state), incident.state)));
    screen.line(format!("  {:<14}{}", "opened", when(incident.opened_at)));
    let states = tally(incident.remediations.iter().map(|one| one.state.to_string()));
    screen.prose(format!("  {:<14}{states}", "remediations"));
    screen.prose(format!(
        "  {:<14}{}",
        "sessions",
        tally(incident.sessions.iter().map(|one| one.status.words().to_owned()))
    ));
    let doors = incident.doors.iter().chain(&incident.blinds).map(|door| door.status.words().to_owned());
    let doors = if incident.is_unsearched() { "not searched yet".to_owned() } else { tally(doors) };
    screen.prose(format!("  {:<14}{doors}", "doors"));
    if !incident.to_do.is_empty() {
        heading("What to do now", screen);
        for line in &incident.to_do {
            screen.prose(format!("  - {}", clean(line)));
        }
    }
    heading("Sessions", screen);
    for session in &incident.sessions {
        show_session(session, screen);
    }
    for (title, doors) in [("Doors", &incident.doors), ("Blinded", &incident.blinds)] {
        if !doors.is_empty() {
            heading(title, screen);
        }
        for door in doors {
            show_door(door, incident, screen);
        }
    }
    if !incident.taken.is_empty() {
        heading("Taken", screen);
    }
    for taken in &incident.taken {
        screen.prose(format!("  {}", clean(&object(&taken.activity))));
        screen.prose(format!("    {}", clean(&call(&taken.activity))));
        show_advice(taken.advice.as_ref(), screen);
    }
    show_denied(incident, screen);
    show_calls(&incident.looks, screen);
    show_unread(incident, screen);
    heading("Timeline (UTC)", screen);
    let mut rows = table(&["time", "who", "what"]);
    for moment in &incident.timeline {
        let about = moment.remediation.as_deref().map_or_else(String::new, |id| format!("{}: ", short(id)));
        rows.add_row([utc(moment.at), moment.actor.to_string(), format!("{about}{}", moment.text)]);
    }
    screen.line(rows.trim_fmt());
}

/// As much of an id as names one of an incident.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// How many there are of each.
fn tally(all: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let said: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}

fn show_session(session: &Session, screen: &Screen) {
    let style = match session.status {
        SessionStatus::Denied => GOOD,
        SessionStatus::Ended => DIM,
        SessionStatus::Held | SessionStatus::BeingRevoked => WARN,
        SessionStatus::NotDenied => BAD,
    };
    let account = session.account.as_ref().map_or_else(String::new, |account| format!(" in {account}"));
    let name = session.name.as_deref().map_or_else(String::new, |name| format!(", session {name}"));
    let head = clean(&format!("{}: {}{account}{name}", session.thing, session.principal));
    let status = styled(style, format!("{:<14}", session.status.words()));
    screen.prose(format!("  {status}{head}"));
    let indent = " ".repeat(16);
    let from = session.from.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
    let ends = session.expires.map_or_else(String::new, |at| format!("; ends {}", utc(at)));
    let key = session.access_key.as_deref().unwrap_or("no access key is known");
    let how = if let Some(by) = &session.ordered_by {
        format!("{key}: revocation ordered by {by} {}{from}", utc(session.at))
    } else if session.is_stolen {
        format!("{key}: stolen, first seen {}{from}", utc(session.at))
    } else {
        let by = session.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
        format!("{key}: {} {}{by}{from}{ends}", session.call.as_deref().unwrap_or("?"), utc(session.at))
    };
    screen.prose(format!("{indent}{}", clean(&how)));
    let id = session.remediation.as_deref().map_or_else(String::new, |id| format!("{id}: "));
    screen.prose(format!("{indent}{id}{}", clean(&session.why)));
}

fn object(activity: &Activity) -> String {
    format!("{} {}", activity.thing, activity.object.as_deref().unwrap_or("without a name"))
}

/// The call, when, by whom and from where.
fn call(activity: &Activity) -> String {
    let by = activity.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
    let from = activity.source_ip.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
    let account = activity.account.as_ref().map_or_else(String::new, |account| format!(" in {account}"));
    let code = activity.error_code.as_deref().map_or_else(String::new, |code| format!(": {code}"));
    format!("{}{account} {}{by}{from}{code}", activity.call, utc(activity.at))
}

fn show_door(door: &IncidentDoor, incident: &Incident, screen: &Screen) {
    let style = match door.status {
        DoorStatus::Open => BAD,
        DoorStatus::Contained => WARN,
        DoorStatus::Closed => DIM,
    };
    let id = styled(BOLD, &door.door);
    let status = styled(style, format!("{:<10}", door.status.words()));
    screen.prose(format!("  {id}  {status}{}", clean(&object(&door.activity))));
    screen.prose(format!("    {}", clean(&call(&door.activity))));
    if !door.activity.outside.is_empty() {
        screen.prose(format!("    open to {}", clean(&door.activity.outside.join(" "))));
    }
    if let Some(closed) = &door.closed {
        screen.prose(format!(
            "    closed {} by {}: {}",
            utc(closed.at),
            clean(&closed.by),
            clean(&closed.reason)
        ));
        return;
    }
    let is_it = |id: &&String| door.remediation.as_ref() == Some(id);
    if let Some(one) = incident.remediations.iter().find(|one| is_it(&&one.remediation)) {
        screen.prose(format!("    {} is {}: `rescind show {0}`", one.remediation, one.state));
    }
    show_advice(door.advice.as_ref(), screen);
}

/// Why it matters, and the commands: each in a line of its own, so that it can be copied.
fn show_advice(advice: Option<&Door>, screen: &Screen) {
    let Some(advice) = advice else { return };
    screen.prose(format!("    {}", clean(&advice.why)));
    if !advice.needed_by.is_empty() {
        screen.prose(format!("    Who may need it: {}", clean(&advice.needed_by)));
    }
    for (title, commands) in [("To look at it:", &advice.look), ("To take it away:", &advice.take_away)] {
        if !commands.is_empty() {
            screen.line(format!("    {title}"));
        }
        for command in commands {
            screen.command(6, &clean(command));
        }
    }
}

fn show_denied(incident: &Incident, screen: &Screen) {
    let denied = &incident.denied;
    if denied.calls.is_empty() {
        return;
    }
    heading("Failed or denied", screen);
    let calls: Vec<String> = denied.calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
    screen.prose(format!("  {}", clean(&calls.join(", "))));
    for activity in &denied.latest {
        screen.prose(format!("    {}: {}", clean(&object(activity)), clean(&call(activity))));
    }
}

/// All calls in one line, the most frequent ones by name.
fn show_calls(looks: &BTreeMap<String, BTreeMap<String, CallCount>>, screen: &Screen) {
    let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in looks.values().flatten() {
        *by_name.entry(name).or_default() += count.all();
    }
    if by_name.is_empty() {
        return;
    }
    let total: u64 = by_name.values().sum();
    let mut all: Vec<(&str, u64)> = by_name.into_iter().collect();
    all.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let more = all.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {}", counted(more, "other name")) } else { String::new() };
    let named: Vec<String> = all.iter().take(NAMED).map(|(name, count)| format!("{count} {name}")).collect();
    heading("All calls", screen);
    screen.prose(format!(
        "  {} in {}: {}{more}",
        counted(total, "call"),
        counted(looks.len(), "region"),
        clean(&named.join(", "))
    ));
}

fn show_unread(incident: &Incident, screen: &Screen) {
    let waiting: Vec<&str> =
        incident.keys.iter().filter(|key| !key.ended).map(|key| key.access_key.as_str()).collect();
    if incident.unread.is_empty() && incident.not_read.is_empty() && waiting.is_empty() {
        return;
    }
    heading("What is not known", screen);
    for one in &incident.unread {
        let place = format!("account {}, {}, key {}", one.account, one.region.region, one.access_key);
        screen.prose(format!("  - {}: {}", clean(&place), clean(&one.region.error)));
        screen.prose(format!("    {}", clean(&one.region.what_to_do)));
    }
    for line in &incident.not_read {
        screen.prose(format!("  - {}", clean(line)));
    }
    if !waiting.is_empty() {
        screen.prose(format!("  - still read in CloudTrail, more can come: {}", clean(&waiting.join(", "))));
    }
}
