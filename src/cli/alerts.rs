//! `rescind alerts`: what was raised to people, and who has seen to it.

use super::Exit;
use super::answer::{Signed, signed};
use super::filter::ago_or_time;
use super::output::{BAD, BOLD, DIM, Screen, clean, styled, when};
use super::runtime::block_on;
use crate::config::Config;
use crate::desk::{self, AlertLine};
use crate::ledger::Reader;
use crate::org::named_account;
use crate::plural::counted;
use crate::replication::open_ledger;
use jiff::Timestamp;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// How far back: a duration such as 24h or 7d, a day, or a time such as 2026-11-30T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = ago_or_time)]
    since: Timestamp,

    /// Only those that nobody has seen to.
    #[arg(long)]
    open: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Record that an alert was seen to.
    #[command(alias = "acknowledge")]
    Ack(AckArgs),
}

#[derive(Debug, clap::Args)]
pub struct AckArgs {
    /// Number of the alert, as `rescind alerts` shows it.
    #[arg(value_name = "ALERT")]
    pub(super) alert: i64,

    #[command(flatten)]
    pub(super) signed: Signed,
}

impl Args {
    /// The alert that was seen to, where this is what is said.
    pub(super) fn acknowledged(&self) -> Option<&AckArgs> {
        self.command.as_ref().map(|Command::Ack(args)| args)
    }

    /// Since when alerts are listed.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    if let Some(ack) = args.acknowledged() {
        let seen = block_on(async {
            let ledger = open_ledger(config)?;
            let seen = match signed(&ack.signed, config, &ledger, None).await {
                Ok(answer) => {
                    desk::acknowledge(&reader, &ledger, ack.alert, &answer).await.map_err(Into::into)
                }
                Err(error) => Err(error),
            };
            ledger.close();
            seen
        })?;
        screen.json(&seen)?;
        line(&seen, screen);
        return Ok(Exit::Done);
    }
    screen.knows(reader.account_names()?);
    list(&desk::alert_lines(&reader, args.since)?, args, screen)
}

/// The alerts, for people and programs.
pub(super) fn list(lines: &[AlertLine], args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    screen.lists(&["items"]);
    let open = lines.iter().filter(|one| one.acknowledged.is_none()).count();
    for one in lines.iter().filter(|one| !args.open || one.acknowledged.is_none()) {
        screen.item("items", one)?;
        line(one, screen);
    }
    let since = when(args.since);
    if lines.is_empty() {
        screen.prose(format!("No alerts since {since}."));
    } else if open == 0 {
        screen.prose(format!("All of {} since {since} were seen to.", counted(lines.len(), "alert")));
    } else {
        screen.prose(format!(
            "{} of {} since {since}: `rescind alerts ack N --by NAME --reason TEXT` when one is seen to.",
            styled(BAD, format!("{open} not seen to")),
            counted(lines.len(), "alert")
        ));
    }
    Ok(Exit::Done)
}

/// An alert, for people.
pub(super) fn line(alert: &AlertLine, screen: &Screen) {
    let style = if alert.acknowledged.is_some() { DIM } else { BAD };
    let code = styled(style, alert.code);
    screen.line(format!("{:<6}  {code}  {}", styled(BOLD, alert.alert), when(alert.at)));
    let account =
        alert.account.as_ref().map(|one| named_account(one.as_str(), alert.account_name.as_deref()));
    let about: Vec<String> =
        [account, alert.remediation.as_deref().map(clean)].into_iter().flatten().collect();
    if !about.is_empty() {
        screen.prose(format!("    {}", about.join("  ")));
    }
    screen.prose(format!("    {}", clean(&alert.text)));
    match &alert.acknowledged {
        Some(seen) => screen.prose(format!(
            "    seen to {} by {}: {}",
            when(seen.at),
            clean(&seen.answer.by),
            clean(&seen.answer.reason)
        )),
        None => screen.prose(format!("    to do: {}", clean(&alert.what_to_do))),
    }
}
