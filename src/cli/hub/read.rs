//! `status`, `list`, `show` and `impact`, from a hub.

use super::client::{Client, encoded, not_over_a_hub};
use super::error::HubError;
use crate::cli::output::Screen;
use crate::cli::{Exit, impact, list, show, status};
use crate::desk::{DecisionLine, Picture, RemediationLine, Shown, Unfinished};
use crate::finding::Finding;
use crate::remediation::{Change, Entry, Impact, Outage, Recorded, Remediation};
use crate::trail::Activity;
use serde::Deserialize;
use serde_json::Value;

pub(super) async fn status(client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let mut picture: Picture = client.typed(client.get("/v1/status", &[]).await?)?;
    for one in &mut picture.unfinished {
        list::short_id(&one.remediation).clone_into(&mut one.short);
    }
    let name = |one: &Unfinished| Some((one.account.parse().ok()?, one.account_name.clone()?));
    screen.knows(picture.unfinished.iter().filter_map(name).collect());
    status::show(&picture, screen)
}

pub(super) async fn list(args: &list::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    not_over_a_hub(args.ledger.is_named(), "--ledger")?;
    let most = args.filter.most();
    if args.decisions {
        let is_filtered = !args.filter.is_empty();
        not_over_a_hub(is_filtered, "--decisions with --account, --since or --severity")?;
        let (all, is_more) = client.latest("/v1/decisions", &[], most).await?;
        let read = |value: Value| client.typed::<DecisionLine>(value);
        let lines = all.into_iter().rev().map(read).collect::<Result<Vec<_>, _>>()?;
        let name = |line: &DecisionLine| Some((line.account.clone()?, line.account_name.clone()?));
        screen.knows(lines.iter().filter_map(name).collect());
        return list::show_decisions(&lines, is_more, screen);
    }
    // The latest come first there, and last on the screen.
    let (all, is_more) = client.latest("/v1/remediations", &args.filter.query(), most).await?;
    let mut lines = Vec::new();
    screen.lists(&["items"]);
    for value in all.into_iter().rev() {
        screen.item("items", &value)?;
        if screen.is_text() {
            let line: RemediationLine = client.typed(value)?;
            lines.push(list::Listed { id: list::short_id(&line.remediation).to_owned(), line });
        }
    }
    list::show(&lines, args, is_more, screen)
}

/// A remediation in full, as a hub gives it.
#[derive(Deserialize)]
struct Document {
    remediation: RemediationLine,
    incident: Option<String>,
    finding: Finding,
    attached: Vec<Finding>,
    proposal: Option<Change>,
    change: Option<Change>,
    activities: Vec<Activity>,
    outage: Option<Outage>,
    regional: Option<Vec<String>>,
    entries: Vec<Entry>,
}

pub(super) async fn show(args: &show::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    not_over_a_hub(args.ledger.is_named(), "--ledger")?;
    let value = client.get(&format!("/v1/remediations/{}", encoded(&args.id)), &[]).await?;
    if args.finding {
        return show::finding(&client.typed::<Document>(value)?.finding);
    }
    screen.json(&value)?;
    if screen.is_text() {
        let shown = shown(client, value)?;
        knows(&shown.remediation, screen);
        show::text(&shown, None, (show::PROVED, args.calls), screen);
    }
    Ok(Exit::Done)
}

pub(super) async fn impact(args: &impact::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let path = format!("/v1/remediations/{}", encoded(&args.id));
    let shown = shown(client, client.get(&path, &[]).await?)?;
    knows(&shown.remediation, screen);
    let remediation = shown.whole;
    let mut document = client.get(&format!("{path}/impact"), &[]).await?;
    let impact: Impact = client.typed(document.get_mut("impact").map(Value::take).unwrap_or_default())?;
    impact::show(&remediation, &impact, screen)
}

/// A remediation in full, by its id.
pub(super) async fn in_full(client: &Client, id: &str) -> anyhow::Result<Shown> {
    let value = client.get(&format!("/v1/remediations/{}", encoded(id)), &[]).await?;
    Ok(shown(client, value)?)
}

/// The name of the account that a remediation is about.
fn knows(line: &RemediationLine, screen: &Screen) {
    screen.knows(line.account_name.iter().map(|name| (line.account.clone(), name.clone())).collect());
}

/// The remediation of a document.
fn shown(client: &Client, value: Value) -> Result<Shown, HubError> {
    whole(client.typed(value)?).ok_or_else(|| client.odd("a remediation without a decision"))
}

/// The remediation as its entries make it. None when there is no decision among them.
fn whole(document: Document) -> Option<Shown> {
    let Document { remediation: line, finding, attached, activities, entries, .. } = document;
    let begun = entries.first()?.time;
    let seen = Recorded { entry: 0, at: begun, what: finding.clone() };
    let mut whole: Option<Remediation> = None;
    for Entry { seq, time, event, .. } in entries.iter().cloned() {
        let recorded = Recorded { entry: seq, at: time, what: event };
        match &mut whole {
            Some(remediation) => remediation.take(recorded),
            None => whole = Remediation::begin(&line.remediation, &seen, recorded),
        }
    }
    let mut whole = whole?;
    let latest = attached.iter().map(Finding::last_seen).max();
    whole.last_seen = whole.last_seen.max(latest.unwrap_or(whole.last_seen));
    let known_until = line.in_force.as_ref().map(|one| one.until);
    Some(Shown {
        remediation: line,
        incident: document.incident,
        finding,
        attached,
        proposal: document.proposal,
        change: document.change,
        activities,
        outage: document.outage,
        regional: document.regional,
        entries,
        whole,
        known_until,
    })
}

/// The principal of a remediation and its account, for a line about it.
pub(super) async fn principal(client: &Client, id: &str) -> anyhow::Result<(String, String)> {
    let mut value = client.get(&format!("/v1/remediations/{}", encoded(id)), &[]).await?;
    let line: RemediationLine =
        client.typed(value.get_mut("remediation").map(Value::take).unwrap_or_default())?;
    Ok((line.remediation, format!("{} in {}", line.principal, line.account)))
}
