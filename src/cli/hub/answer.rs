//! `approve`, `reject`, `done` and `release`, over a hub.

use super::client::{Client, encoded};
use super::error::HubError;
use super::read::{self, principal};
use crate::cli::exit::BadInput;
use crate::cli::interactive::{self, Reply, Tally};
use crate::cli::output::{BAD, BOLD, Screen, WARN, clean, styled};
use crate::cli::{Exit, answer, confirm, release};
use crate::desk::{Kind, RemediationLine, WorksAgain};
use crate::ident::AccountId;
use crate::plural::counted;
use crate::remediation::{State, Undo};
use serde::Deserialize;
use serde_json::{Value, json};

/// An answer that was recorded.
#[derive(Deserialize)]
struct Answered {
    remediation: String,
    approvals_missing: usize,
}

/// A release that was planned or asked for.
#[derive(Deserialize)]
struct Released {
    remediation: String,
    principal: String,
    account: AccountId,
    name: String,
    undo: Undo,
    drift: bool,
    works_again: Option<WorksAgain>,
}

pub(super) async fn run(
    args: &answer::Args,
    kind: Kind,
    client: &Client,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    args.signer.over_a_hub()?;
    if args.interactive {
        return through_what_waits(args, client, screen).await;
    }
    let ids = match &args.incident {
        Some(incident) => held_of(client, incident).await?,
        None => args.ids.clone(),
    };
    answer(&ids, kind, args.reason(), client, screen).await
}

pub(super) async fn done(args: &answer::DoneArgs, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    answer(&args.ids, Kind::Done, args.signed.over_a_hub()?, client, screen).await
}

/// What is held, one after another, each with its question.
async fn through_what_waits(args: &answer::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    interactive::is_possible(screen)?;
    let ids = match &args.incident {
        Some(incident) => held_of(client, incident).await?,
        None if args.ids.is_empty() => held(client, None).await?,
        None => args.ids.clone(),
    };
    if ids.is_empty() {
        screen.line("Nothing is held that rescind can carry out.");
        return Ok(Exit::Done);
    }
    let mut tally = Tally::default();
    for (number, id) in ids.iter().enumerate() {
        let shown = read::in_full(client, id).await?;
        let id = shown.remediation.remediation.clone();
        // Somebody else may have answered it meanwhile, and some things only a person can do.
        if shown.remediation.state != State::Held || !shown.whole.target.is_supported() {
            screen.line(format!("{}  is not held: there is nothing to answer", clean(&id)));
            continue;
        }
        interactive::show(&shown, (number + 1, ids.len()), screen);
        let (kind, reason) = match interactive::ask(args.reason.as_deref(), shown.proposal.is_some())? {
            Reply::Quit => {
                tally.left += ids.len() - number;
                break;
            }
            Reply::Skip => {
                tally.left += 1;
                continue;
            }
            Reply::Answer(kind, reason) => (kind, reason),
        };
        let mut body = json!({ "reason": reason });
        if kind == Kind::Approve {
            // What is approved is what was shown.
            body["plan"] = json!(shown.remediation.plan);
        }
        let who = format!("{} in {}", shown.remediation.principal, shown.remediation.account);
        match give(&id, &who, (kind, &body), client, screen).await? {
            Given::Yes => tally.add(kind),
            Given::Counted => tally.left += 1,
            Given::Refused(why) => {
                tally.left += 1;
                screen.prose(format!("  not recorded: {}", clean(&why)));
            }
        }
    }
    Ok(tally.end(screen))
}

/// What became of one answer.
enum Given {
    Yes,
    /// Others must approve it as well.
    Counted,
    /// It was not recorded.
    Refused(String),
}

/// Gives one answer.
async fn give(
    id: &str,
    who: &str,
    (kind, body): (Kind, &Value),
    client: &Client,
    screen: &Screen,
) -> anyhow::Result<Given> {
    let verb = match kind {
        Kind::Approve => "approve",
        Kind::Reject => "reject",
        Kind::Done => "done",
    };
    let path = format!("/v1/remediations/{}/{verb}", encoded(id));
    let answered = match client.post(&path, body).await {
        Ok(answered) => answered,
        // What others answered meanwhile keeps nobody from answering the rest.
        Err(error) if matches!(error.code(), Some("conflict" | "plan_changed")) => {
            return Ok(Given::Refused(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let Answered { remediation, approvals_missing: missing } = client.typed(answered.clone())?;
    if remediation != *id {
        return Err(client.odd("another remediation was answered").into());
    }
    screen.item("items", &answered)?;
    let word = kind.word().replace('_', " ");
    screen.line(format!("{}  {word}: {}", styled(BOLD, clean(id)), clean(who)));
    if missing == 0 {
        return Ok(Given::Yes);
    }
    let text = format!("    Still held: {} must approve it as well.", counted(missing, "other person"));
    screen.line(text.replace("other persons", "other people"));
    Ok(Given::Counted)
}

/// What is held of an incident.
async fn held_of(client: &Client, incident: &str) -> anyhow::Result<Vec<String>> {
    // Whichever id names it.
    let found = client.get(&format!("/v1/incidents/{}", encoded(incident)), &[]).await?;
    let id = found["incident"].as_str().unwrap_or(incident).to_owned();
    let ids = held(client, Some(&id)).await?;
    if ids.is_empty() {
        return Err(BadInput(format!("{id}: nothing of it is held")).into());
    }
    Ok(ids)
}

/// What is held, of one incident or of all, the oldest first.
async fn held(client: &Client, incident: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut query = vec![("state", "held".to_owned())];
    query.extend(incident.map(|id| ("incident", id.to_owned())));
    let mut ids = Vec::new();
    for value in client.all("/v1/remediations", &query).await? {
        let line: RemediationLine = client.typed(value)?;
        ids.push(line.remediation);
    }
    ids.reverse();
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
    let (mut refused, mut waits) = (Vec::new(), false);
    for (id, who) in &known {
        match give(id, who, (kind, &json!({ "reason": reason })), client, screen).await? {
            Given::Yes => {}
            Given::Counted => waits = true,
            Given::Refused(why) => refused.push((id, why)),
        }
    }
    // Where one answer is recorded, it is not so that nothing was changed.
    if refused.len() == known.len() {
        let all: Vec<String> = refused.into_iter().map(|(_, why)| why).collect();
        return Err(BadInput(all.join("\n")).into());
    }
    for (id, why) in &refused {
        screen.item("items", &json!({ "remediation": id, "refused": why }))?;
        screen.prose(format!("{}  {}", styled(BAD, "NOT recorded:"), clean(why)));
    }
    if !refused.is_empty() {
        let (done, all) = (known.len() - refused.len(), known.len());
        screen.line(format!("Recorded {done} of {all} answers."));
    }
    if kind == Kind::Approve {
        screen.line("The hub acts on it within some seconds; `rescind show` has the outcome.");
    }
    Ok(if waits || !refused.is_empty() { Exit::NeedsPerson } else { Exit::Done })
}

pub(super) async fn release(args: &release::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    args.signer.over_a_hub()?;
    let path = format!("/v1/remediations/{}", encoded(&args.id));
    if !args.yes {
        if !args.dry_run {
            confirm::is_possible(false, screen)?;
        }
        let plan = client.get(&format!("{path}/release-plan"), &[]).await?;
        let Released { name, .. } = describe(&plan, client, screen)?;
        if args.dry_run {
            screen.json(&plan)?;
            screen.line("Dry run: nothing was changed.");
            return Ok(Exit::Done);
        }
        if !confirm::is_typed(&clean(&name), &name, "release it")? {
            return Err(BadInput("not confirmed: nothing was released".to_owned()).into());
        }
    }
    let body = json!({ "reason": args.reason(), "force": args.force, "attached": args.attached });
    let plan = match client.post(&format!("{path}/release"), &body).await {
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
    screen.json(&plan)?;
    if args.yes {
        describe(&plan, client, screen)?;
    }
    screen.prose(format!(
        "{}: the hub carries it out within some seconds; `rescind show` has the outcome.",
        styled(WARN, "release requested")
    ));
    Ok(Exit::Done)
}

/// Shows what a release takes back, and what works again by it.
fn describe(plan: &Value, client: &Client, screen: &Screen) -> Result<Released, HubError> {
    let released: Released = client.typed(plan.clone())?;
    let Released { remediation, principal, account, undo, works_again, drift, .. } = &released;
    screen.line(format!("{}  {} in {account}", styled(BOLD, clean(remediation)), clean(principal)));
    if *drift {
        screen.line(format!("  {} the policy", styled(BAD, "changed since by somebody else:")));
    }
    release::describe_undo(undo, screen);
    match works_again {
        Some(again) => release::warn(again, screen),
        None => screen.prose("  No stolen session works again by this."),
    }
    Ok(released)
}
