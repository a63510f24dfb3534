//! `alerts`, from a hub.

use super::client::Client;
use crate::cli::output::Screen;
use crate::cli::{Exit, alerts};
use crate::desk::AlertLine;
use serde_json::json;

pub(super) async fn run(args: &alerts::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    if let Some(ack) = args.acknowledged() {
        let reason = ack.signed.over_a_hub()?;
        let path = format!("/v1/alerts/{}/acknowledge", ack.alert);
        let line = client.post(&path, &json!({ "reason": reason })).await?;
        screen.json(&line)?;
        if screen.is_text() {
            alerts::line(&client.typed(line)?, screen);
        }
        return Ok(Exit::Done);
    }
    let query = [("since", args.since().to_string())];
    let all = client.all("/v1/alerts", &query).await?;
    let lines = all.into_iter().map(|value| client.typed(value)).collect::<Result<Vec<AlertLine>, _>>()?;
    let name = |line: &AlertLine| Some((line.account.clone()?, line.account_name.clone()?));
    screen.knows(lines.iter().filter_map(name).collect());
    alerts::list(&lines, args, screen)
}
