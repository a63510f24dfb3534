//! `rescind incident done` and `rescind incident pursue`: what a person says about an incident.

use super::named;
use crate::cli::Exit;
use crate::cli::answer::{Signed, signed};
use crate::cli::exit::BadInput;
use crate::cli::output::{BOLD, Screen, clean, styled};
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::incident::{DoorStatus, Incident, IncidentDoor};
use crate::ledger::{Append, Lock, Reader};
use crate::plural::counted;
use crate::remediation::{DoorsClosed, Draft, Event, Remediation, State};
use crate::replication::open_ledger;
use jiff::Timestamp;

#[derive(Debug, clap::Args)]
pub struct DoneArgs {
    /// An incident's id or its beginning, or that of any of its remediations.
    id: String,

    /// Doors that are closed, by their ids or the beginnings of these.
    #[arg(required = true, value_name = "DOOR")]
    doors: Vec<String>,

    #[command(flatten)]
    signed: Signed,
}

#[derive(Debug, clap::Args)]
pub struct PursueArgs {
    /// An incident's id or its beginning, or that of any of its remediations.
    id: String,

    #[command(flatten)]
    signed: Signed,
}

fn read(reader: &Reader, text: &str) -> anyhow::Result<Incident> {
    let id = named(reader, text)?;
    let incident = Incident::read(reader, &id, Timestamp::now())?;
    Ok(incident.ok_or_else(|| BadInput(format!("{id} is a part of another incident now")))?)
}

pub fn done(args: &DoneArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let incident = read(&reader, &args.id)?;
    // All are looked at before one is recorded.
    let mut doors: Vec<&IncidentDoor> = Vec::new();
    for text in &args.doors {
        let door = door(&incident, text)?;
        if doors.iter().all(|other| other.door != door.door) {
            doors.push(door);
        }
    }
    let root = root(&reader, &incident)?;
    let ids: Vec<String> = doors.iter().map(|door| door.activity.event.clone()).collect();
    block_on(async {
        let ledger = open_ledger(config)?;
        let answer = signed(&args.signed, config, &ledger, None).await;
        let written = match answer {
            Ok(answer) => {
                let event = Event::DoorsClosed(DoorsClosed { doors: ids.clone(), answer });
                let entries = vec![Draft { subject: root.subject(), event }];
                ledger.append(Append { entries, ..Append::default() }).await.map_err(anyhow::Error::from)
            }
            Err(error) => Err(error.into()),
        };
        ledger.close();
        written
    })?;
    let after = read(&reader, &incident.id)?;
    let left = after.open_doors().count();
    screen.json(&serde_json::json!({
        "incident": after.id, "closed": doors.iter().map(|door| &door.door).collect::<Vec<_>>(),
        "state": after.state, "doors_open": left,
    }))?;
    for door in doors {
        let object = door.activity.object.as_deref().unwrap_or("without a name");
        screen.line(format!(
            "{}  closed: {} {}",
            styled(BOLD, &door.door),
            door.activity.thing,
            clean(object)
        ));
    }
    let are = if left == 1 { "is" } else { "are" };
    screen.line(format!("{} is {}; {} {are} open.", after.id, after.state, counted(left, "door")));
    Ok(Exit::Done)
}

/// The door that `text` names.
fn door<'i>(incident: &'i Incident, text: &str) -> Result<&'i IncidentDoor, BadInput> {
    let all = || incident.doors.iter().chain(&incident.blinds);
    let is_it = |door: &&IncidentDoor| {
        let event = door.activity.event.as_str();
        event.starts_with(text) && text.len() >= door.door.len().min(event.len())
    };
    let open = || {
        let open: Vec<&str> =
            all().filter(|door| door.status != DoorStatus::Closed).map(|door| door.door.as_str()).collect();
        if open.is_empty() { "none".to_owned() } else { open.join(", ") }
    };
    let Some(door) = all().find(is_it) else {
        let text = format!("{text:?} is no door of {}; those that are not closed: {}", incident.id, open());
        return Err(BadInput(text));
    };
    match &door.closed {
        Some(closed) => {
            let text = format!(
                "{} was closed by {} already; those that are not closed: {}",
                door.door,
                clean(&closed.by),
                open()
            );
            Err(BadInput(text))
        }
        None => Ok(door),
    }
}

/// The remediation that opened the incident.
fn root(reader: &Reader, incident: &Incident) -> anyhow::Result<Remediation> {
    let first = incident.remediations.first();
    let first = first.ok_or_else(|| BadInput(format!("{} has no remediation", incident.id)))?;
    Ok(reader.remediation(&first.remediation)?)
}

pub fn pursue(args: &PursueArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let incident = read(&reader, &args.id)?;
    let mut waiting = Vec::new();
    for member in &incident.remediations {
        // A rejected one is as little revoked as a held one.
        if !matches!(member.state, State::Held | State::Rejected) {
            continue;
        }
        let remediation = reader.remediation(&member.remediation)?;
        // What was opened is read with the credentials that opened it.
        if remediation.finding.derived().is_none() && !remediation.history.is_pursuit_asked {
            waiting.push(remediation);
        }
    }
    if waiting.is_empty() {
        let text = format!(
            "{}: nothing of it waits for that: CloudTrail is read for what is revoked, or that was requested already",
            incident.id
        );
        return Err(BadInput(text).into());
    }
    block_on(async {
        let ledger = open_ledger(config)?;
        let answer = signed(&args.signed, config, &ledger, None).await;
        let written = match answer {
            Ok(answer) => {
                let of = |one: &Remediation| Draft {
                    subject: one.subject(),
                    event: Event::PursuitAsked(answer.clone()),
                };
                let entries = waiting.iter().map(of).collect();
                ledger.append(Append { entries, ..Append::default() }).await.map_err(anyhow::Error::from)
            }
            Err(error) => Err(error.into()),
        };
        ledger.close();
        written
    })?;
    let ids: Vec<&str> = waiting.iter().map(|one| one.id.as_str()).collect();
    screen.json(&serde_json::json!({ "incident": incident.id, "pursued": ids }))?;
    for one in &waiting {
        screen.line(format!("{}  CloudTrail is read for {}", styled(BOLD, &one.id), clean(&one.principal())));
    }
    screen.line(match Lock::holder(&config.ledger) {
        Some(holder) => format!(
            "The running service ({}) begins within two seconds; `rescind incident show` has what it finds.",
            clean(&holder)
        ),
        None => "Nothing acts on this ledger now: `rescind run` or `rescind run --once` reads it.".to_owned(),
    });
    Ok(Exit::Done)
}
