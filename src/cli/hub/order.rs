//! `revoke`, over a hub.

use super::client::{Client, encoded};
use crate::cli::exit::BadInput;
use crate::cli::output::{BAD, BOLD, GOOD, Screen, WARN, clean, styled};
use crate::cli::policy::diff;
use crate::cli::{Exit, confirm, revoke};
use crate::desk::RemediationLine;
use crate::remediation::{Change, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Interval between two looks at what became of an order. Each is signed, and a hub takes sixty a minute.
const LOOK: Duration = Duration::from_secs(3);

/// Timeout of waiting for an order to be carried out.
const PATIENCE: Duration = Duration::from_mins(5);

pub(super) async fn revoke(args: &revoke::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let reason = args.signed.over_a_hub()?;
    let mut body = json!({ "account": args.account, "principal": args.principal, "reason": reason });
    for (name, value) in [
        ("session", args.session.clone()),
        ("key", args.key.clone()),
        ("since", args.since.map(|since| since.to_string())),
        ("address", args.address.map(|address| address.to_string())),
    ] {
        if let Some(value) = value {
            body[name] = Value::String(value);
        }
    }
    if !args.yes {
        confirm::is_possible(false, screen)?;
        match confirm(&body, client, screen).await? {
            Confirmed::Yes => {}
            Confirmed::Nothing(exit) => return Ok(exit),
        }
    }
    let answer = client.post("/v1/revocations", &body).await?;
    let OrderGiven { ordered: Ordered { finding } } = client.typed(answer.clone())?;
    screen.fields(&answer)?;
    screen.line(format!("{}  order {}", styled(BOLD, "ordered"), clean(&finding)));
    if !args.wait {
        screen.line("The hub carries it out within some seconds; `rescind list` has the outcome.");
        return Ok(Exit::Done);
    }
    follow(&finding, client, screen).await
}

/// An order that was recorded.
#[derive(Deserialize)]
struct OrderGiven {
    ordered: Ordered,
}

#[derive(Deserialize)]
struct Ordered {
    /// Id of the finding that it became.
    finding: String,
}

/// What came of asking.
enum Confirmed {
    Yes,
    /// There is nothing to order.
    Nothing(Exit),
}

/// Shows what would be done, and asks for the name, so that nobody confirms what they have not read.
async fn confirm(body: &Value, client: &Client, screen: &Screen) -> anyhow::Result<Confirmed> {
    let plan = client.post("/v1/revocations/plan", body).await?;
    let text = |name: &str| clean(plan[name].as_str().unwrap_or_default());
    screen.prose(format!("{}  {}", styled(BOLD, text("decision")), text("reason")));
    if !plan["change"].is_null() {
        let change: Change = client.typed(plan["change"].clone())?;
        screen.line(format!("  {}", change.policy()));
        diff(change.before.as_deref(), Some(&change.after), screen);
    }
    if plan["refused"].is_string() {
        screen.prose(format!("  {} {}", styled(BAD, "not possible:"), text("refused")));
    }
    if plan["code"] == "already_revoked" {
        screen.line("Nothing to order: it is so already.");
        return Ok(Confirmed::Nothing(Exit::Done));
    }
    let is_skipped = plan["decision"].as_str().is_some_and(|word| word.starts_with("skip"));
    if plan["refused"].is_string() || is_skipped && plan["code"] != "under_way" {
        screen.line(format!("{} nothing would be revoked.", styled(WARN, "NOT ordered:")));
        return Ok(Confirmed::Nothing(Exit::NeedsPerson));
    }
    let principal = body["principal"].as_str().unwrap_or_default();
    if confirm::is_typed(&format!("{} again", clean(principal)), principal, "order it")? {
        return Ok(Confirmed::Yes);
    }
    Err(BadInput("not confirmed: nothing was ordered".to_owned()).into())
}

/// Waits until the hub has decided about the order, and has carried it out.
async fn follow(finding: &str, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK).await;
        let decided = client.get(&format!("/v1/findings/{}", encoded(finding)), &[]).await?;
        let Some(last) = decided["items"].as_array().and_then(|all| all.last()) else { continue };
        let Some(id) = last["remediation"].as_str() else {
            if last["decision"] == "undecided" {
                continue;
            }
            screen.item("decisions", last)?;
            let why = clean(last["reason"].as_str().unwrap_or_default());
            screen.prose(format!("{} {why}", styled(WARN, "NOT revoked:")));
            return Ok(Exit::NeedsPerson);
        };
        let mut shown = client.get(&format!("/v1/remediations/{}", encoded(id)), &[]).await?;
        let value = shown.get_mut("remediation").map(Value::take).unwrap_or_default();
        let line: RemediationLine = client.typed(value.clone())?;
        let is_under_way = matches!(
            line.state,
            State::Queued | State::Approved | State::Revoking | State::Verifying | State::Retrying
        );
        if is_under_way {
            continue;
        }
        screen.item("remediations", &value)?;
        let is_revoked = line.state.has_revoked();
        let style = if is_revoked { GOOD } else { BAD };
        let proof = line.proof.map_or_else(String::new, |proof| format!(" (proof: {proof})"));
        let head = format!("{}  {}", styled(style, line.state), clean(id));
        screen.line(format!("{head}  {} in {}{proof}", clean(&line.principal), line.account));
        if let Some(why) = line.held_why.as_ref().or(line.refused.as_ref().map(|refused| &refused.reason)) {
            screen.prose(format!("    {}", clean(why)));
        }
        return Ok(if is_revoked { Exit::Done } else { Exit::NeedsPerson });
    }
    screen.prose("The order is recorded, and not carried out yet: `rescind list` has the outcome.");
    Ok(Exit::NeedsPerson)
}
