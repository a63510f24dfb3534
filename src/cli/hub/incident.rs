//! `incident list`, `show`, `done` and `pursue`, over a hub.

use super::client::{Client, encoded, not_over_a_hub};
use crate::cli::Exit;
use crate::cli::incident::{Args, Command, DoneArgs, PursueArgs, list, show};
use crate::cli::output::{BOLD, Screen, clean, styled};
use crate::desk::IncidentLine;
use crate::incident::Incident;
use crate::plural::counted;
use serde_json::{Value, json};

pub(super) async fn run(args: &Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    match &args.command {
        Command::List(args) => list(args, client, screen).await,
        Command::Show(args) => show(args, client, screen).await,
        Command::Done(args) => done(args, client, screen).await,
        Command::Pursue(args) => pursue(args, client, screen).await,
    }
}

async fn list(args: &list::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    not_over_a_hub(args.ledger.is_named(), "--ledger")?;
    let states: Vec<String> = args.states.iter().map(ToString::to_string).collect();
    let query: Vec<_> = (!states.is_empty()).then(|| ("state", states.join(","))).into_iter().collect();
    let mut lines: Vec<IncidentLine> = Vec::new();
    screen.lists(&["items"]);
    for value in client.all("/v1/incidents", &query).await? {
        screen.item("items", &value)?;
        if screen.is_text() {
            lines.push(client.typed(value)?);
        }
    }
    if screen.is_text() {
        list::text(lines, (!states.is_empty(), args.wide), screen);
    }
    Ok(Exit::Done)
}

async fn show(args: &show::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    not_over_a_hub(args.ledger.is_named(), "--ledger")?;
    let value = client.get(&path(&args.id, ""), &[]).await?;
    if let Some(format) = args.graph() {
        return Ok(show::show_graph(&client.typed::<Incident>(value)?.graph, format));
    }
    screen.json(&value)?;
    if screen.is_text() {
        let incident: Incident = client.typed(value)?;
        screen.knows(incident.account_names.clone().into_iter().collect());
        show::text(&incident, screen);
    }
    Ok(Exit::Done)
}

async fn done(args: &DoneArgs, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let reason = args.signed.over_a_hub()?;
    let body = json!({ "doors": args.doors, "reason": reason });
    let answer = client.post(&path(&args.id, "/doors"), &body).await?;
    screen.json(&answer)?;
    let text = |name: &str| clean(answer[name].as_str().unwrap_or_default());
    for door in answer["closed"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        screen.line(format!("{}  closed", styled(BOLD, clean(door))));
    }
    let left = answer["doors_open"].as_u64().unwrap_or_default();
    let are = if left == 1 { "is" } else { "are" };
    screen.line(format!("{} is {}; {} {are} open.", text("incident"), text("state"), counted(left, "door")));
    Ok(Exit::Done)
}

async fn pursue(args: &PursueArgs, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let reason = args.signed.over_a_hub()?;
    let answer = client.post(&path(&args.id, "/pursue"), &json!({ "reason": reason })).await?;
    screen.json(&answer)?;
    for id in answer["pursued"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        screen.line(format!("{}  CloudTrail is read for it", styled(BOLD, clean(id))));
    }
    screen.line("The hub begins within some seconds; `rescind incident show` has what it finds.");
    Ok(Exit::Done)
}

fn path(id: &str, more: &str) -> String {
    format!("/v1/incidents/{}{more}", encoded(id))
}
