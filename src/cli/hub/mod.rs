//! `--hub URL`: the same commands from another machine, through the API of a hub.
//!
//! Who asks proves it with AWS credentials, as docs/programs.md says. Neither a configuration nor a ledger is needed there.

mod alerts;
mod answer;
mod client;
pub(super) mod error;
mod incident;
mod order;
mod read;
mod report;

pub(super) use client::HubUrl;

use super::exit::BadInput;
use super::output::Screen;
use super::runtime::block_on;
use super::{Command, Exit, watch};
use crate::desk::Kind;
use client::Client;

/// Runs a command through a hub.
pub(super) fn run(hub: &HubUrl, command: &Command, screen: &Screen) -> anyhow::Result<Exit> {
    if let Some(name) = only_here(command) {
        let text = format!(
            "`rescind {name}` needs the hub's host: run it there, without --hub and without RESCIND_HUB"
        );
        return Err(BadInput(text).into());
    }
    block_on(async {
        let client = Client::new(hub).await?;
        Box::pin(ask(command, &client, screen)).await
    })
}

async fn ask(command: &Command, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    match command {
        Command::Status(args) => {
            watch::again(args.watch, screen, async || read::status(client, screen).await).await
        }
        Command::List(args) => {
            watch::again(args.watch, screen, async || read::list(args, client, screen).await).await
        }
        Command::Show(args) => {
            watch::again(args.watch, screen, async || read::show(args, client, screen).await).await
        }
        Command::Impact(args) => read::impact(args, client, screen).await,
        Command::Incident(args) => {
            watch::again(args.watches(), screen, async || incident::run(args, client, screen).await).await
        }
        Command::Alerts(args) => alerts::run(args, client, screen).await,
        Command::Report(args) => report::run(args, client, screen).await,
        Command::Approve(args) => answer::run(args, Kind::Approve, client, screen).await,
        Command::Reject(args) => answer::run(args, Kind::Reject, client, screen).await,
        Command::Done(args) => answer::done(args, client, screen).await,
        Command::Release(args) => answer::release(args, client, screen).await,
        Command::Revoke(args) => order::revoke(args, client, screen).await,
        _ => Err(BadInput("this command cannot be used with --hub".to_owned()).into()),
    }
}

/// The name of a command that only the hub's host can run.
fn only_here(command: &Command) -> Option<&'static str> {
    match command {
        Command::Init(_) => Some("init"),
        Command::Plan(_) => Some("plan"),
        Command::Run(_) => Some("run"),
        Command::Handle(_) => Some("handle"),
        Command::Health(_) => Some("health"),
        Command::Doctor(_) => Some("doctor"),
        Command::Drill(_) => Some("drill"),
        Command::Policies(_) => Some("policies"),
        Command::Explain(_) => Some("explain"),
        Command::Ledger(_) => Some("ledger"),
        Command::OptOut(_) => Some("opt-out"),
        Command::Notify(_) => Some("notify"),
        Command::Recheck => Some("recheck"),
        Command::Completions(_)
        | Command::Man(_)
        | Command::Status(_)
        | Command::List(_)
        | Command::Show(_)
        | Command::Impact(_)
        | Command::Incident(_)
        | Command::Alerts(_)
        | Command::Report(_)
        | Command::Approve(_)
        | Command::Reject(_)
        | Command::Done(_)
        | Command::Release(_)
        | Command::Revoke(_) => None,
    }
}
