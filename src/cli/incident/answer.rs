//! `rescind incident done` and `rescind incident pursue`: what a person says about an incident.

use crate::cli::Exit;
use crate::cli::answer::{Signed, signed};
use crate::cli::output::{BOLD, Screen, clean, styled};
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::desk;
use crate::ledger::{Lock, Reader};
use crate::plural::counted;
use crate::replication::open_ledger;

#[derive(Debug, clap::Args)]
pub struct DoneArgs {
    /// An incident's id or its beginning, or that of any of its remediations.
    pub(in crate::cli) id: String,

    /// Doors that are closed, by their ids or the beginnings of these.
    #[arg(required = true, value_name = "DOOR")]
    pub(in crate::cli) doors: Vec<String>,

    #[command(flatten)]
    pub(in crate::cli) signed: Signed,
}

#[derive(Debug, clap::Args)]
pub struct PursueArgs {
    /// An incident's id or its beginning, or that of any of its remediations.
    pub(in crate::cli) id: String,

    #[command(flatten)]
    pub(in crate::cli) signed: Signed,
}

pub fn done(args: &DoneArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    args.signed.name()?;
    let reader = Reader::open(&config.ledger)?;
    let incident = desk::incident(&reader, &args.id)?;
    let doors = block_on(async {
        let ledger = open_ledger(config)?;
        let closed = match signed(&args.signed, config, &ledger, None).await {
            Ok(answer) => {
                let closed = desk::close_doors(&reader, &ledger, &incident, &args.doors, &answer).await;
                closed.map_err(anyhow::Error::from)
            }
            Err(error) => Err(error),
        };
        ledger.close();
        closed
    })?;
    let after = desk::incident(&reader, &incident.id)?;
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

pub fn pursue(args: &PursueArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    args.signed.name()?;
    let reader = Reader::open(&config.ledger)?;
    let incident = desk::incident(&reader, &args.id)?;
    let waiting = block_on(async {
        let ledger = open_ledger(config)?;
        let waiting = match signed(&args.signed, config, &ledger, None).await {
            Ok(answer) => {
                let waiting = desk::ask_pursuit(&reader, &ledger, &incident, &answer).await;
                waiting.map_err(anyhow::Error::from)
            }
            Err(error) => Err(error),
        };
        ledger.close();
        waiting
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
