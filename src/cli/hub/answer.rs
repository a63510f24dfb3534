//! `approve`, `reject`, `done` and `release`, over a hub.

use super::client::{Client, encoded};
use super::error::HubError;
use super::read::principal;
use crate::cli::output::{BAD, BOLD, Screen, WARN, clean, styled};
use crate::cli::{Exit, answer, release};
use crate::desk::{Kind, RemediationLine};
use crate::plural::counted;
use crate::remediation::Undo;
use serde::Deserialize;
use serde_json::json;

/// An answer that was recorded.
#[derive(Deserialize)]
struct Answered {
    remediation: String,
    approvals_missing: usize,
}

/// A release that was asked for.
#[derive(Deserialize)]
struct Released {
    remediation: String,
    principal: String,
    undo: Undo,
}

pub(super) async fn run(
    args: &answer::Args,
    kind: Kind,
    client: &Client,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let reason = args.signed.over_a_hub()?;
    let ids = match &args.incident {
        Some(incident) => held_of(client, incident).await?,
        None => args.ids.clone(),
    };
    answer(&ids, kind, reason, client, screen).await
}

pub(super) async fn done(args: &answer::DoneArgs, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    answer(&args.ids, Kind::Done, args.signed.over_a_hub()?, client, screen).await
}

/// What is held of an incident.
async fn held_of(client: &Client, incident: &str) -> anyhow::Result<Vec<String>> {
    // Whichever id names it.
    let found = client.get(&format!("/v1/incidents/{}", encoded(incident)), &[]).await?;
    let id = found["incident"].as_str().unwrap_or(incident).to_owned();
    let query = [("incident", id.clone()), ("state", "held".to_owned())];
    let mut ids = Vec::new();
    for value in client.all("/v1/remediations", &query).await? {
        let line: RemediationLine = client.typed(value)?;
        ids.push(line.remediation);
    }
    if ids.is_empty() {
        return Err(crate::cli::exit::BadInput(format!("{id}: nothing of it is held")).into());
    }
    Ok(ids)
}

async fn answer(
    ids: &[String],
    kind: Kind,
    reason: &str,
    client: &Client,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    // All are looked at before one is answered.
    let mut known: Vec<(String, String)> = Vec::new();
    for id in ids {
        let found = principal(client, id).await?;
        if !known.contains(&found) {
            known.push(found);
        }
    }
    let verb = match kind {
        Kind::Approve => "approve",
        Kind::Reject => "reject",
        Kind::Done => "done",
    };
    let (mut late, mut waits) = (false, false);
    for (id, who) in &known {
        let path = format!("/v1/remediations/{}/{verb}", encoded(id));
        let answered = match client.post(&path, &json!({ "reason": reason })).await {
            Ok(answered) => answered,
            // What others answered meanwhile keeps nobody from answering the rest.
            Err(error) if known.len() > 1 && error.code() == Some("conflict") => {
                screen.json(&json!({ "remediation": id, "refused": error.to_string() }))?;
                screen.prose(format!("{}  {}", styled(BAD, "NOT recorded"), clean(&error.to_string())));
                late = true;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let Answered { remediation, approvals_missing: missing } = client.typed(answered.clone())?;
        if remediation != *id {
            return Err(client.odd("another remediation was answered").into());
        }
        screen.json(&answered)?;
        let word = kind.word().replace('_', " ");
        screen.line(format!("{}  {word}: {}", styled(BOLD, clean(id)), clean(who)));
        if missing > 0 {
            let text =
                format!("    Still held: {} must approve it as well.", counted(missing, "other person"));
            screen.line(text.replace("other persons", "other people"));
            waits = true;
        }
    }
    if kind == Kind::Approve {
        screen.line("The hub acts on it within some seconds; `rescind show` has the outcome.");
    }
    Ok(if late || waits { Exit::NeedsPerson } else { Exit::Done })
}

pub(super) async fn release(args: &release::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let reason = args.signed.over_a_hub()?;
    let body = json!({ "reason": reason, "force": args.force, "attached": args.attached });
    let path = format!("/v1/remediations/{}/release", encoded(&args.id));
    let plan = match client.post(&path, &body).await {
        Ok(plan) => plan,
        Err(error @ HubError::Refused(_)) if matches!(error.code(), Some("drift" | "other_keys")) => {
            screen.json(
                &json!({ "remediation": args.id, "refused": error.to_string(), "code": error.code() }),
            )?;
            screen.prose(format!("{}: {}", styled(BAD, "NOT released"), clean(&error.to_string())));
            let flag = if error.code() == Some("drift") { "--force" } else { "--attached" };
            screen.prose(format!("  With {flag} it is released all the same."));
            return Ok(Exit::NeedsPerson);
        }
        Err(error) => return Err(error.into()),
    };
    let Released { remediation, principal, undo } = client.typed(plan.clone())?;
    screen.json(&plan)?;
    if screen.is_text() {
        screen.line(format!("{}  {}", styled(BOLD, clean(&remediation)), clean(&principal)));
        release::describe_undo(&undo, screen);
        screen.prose(format!(
            "{}: the hub carries it out within some seconds; `rescind show` has the outcome.",
            styled(WARN, "release requested")
        ));
        screen.prose(format!(
            "  {} the released sessions, including the stolen one, work again until they expire. Activity seen so far is not revoked again; new activity is.",
            styled(BAD, "WARNING:")
        ));
    }
    Ok(Exit::Done)
}
