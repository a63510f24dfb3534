//! `rescind alerts`: what was raised to people, and who has seen to it.

use super::Exit;
use super::answer::{Signed, signed};
use super::output::{BAD, BOLD, DIM, Screen, clean, styled, utc, when};
use super::runtime::block_on;
use crate::config::Config;
use crate::desk::{self, AlertLine};
use crate::ledger::Reader;
use crate::replication::open_ledger;
use jiff::{SignedDuration, Span, Timestamp};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// How far back: a duration such as 24h or 7d, or a time such as 2026-11-30T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = a_time)]
    since: Timestamp,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Record that an alert was seen to.
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

/// A time, or how long ago it was.
fn a_time(text: &str) -> Result<Timestamp, String> {
    let expected =
        || "expected a duration such as 24h or 7d, or a time such as 2026-11-30T12:00:00Z".to_owned();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let span: Span = text.parse().map_err(|_| expected())?;
    let ago = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if ago < SignedDuration::ZERO {
        return Err(expected());
    }
    Ok(Timestamp::now().saturating_sub(ago).unwrap_or(Timestamp::MIN))
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
    let lines = desk::alert_lines(&reader, args.since)?;
    for one in &lines {
        screen.json(one)?;
        line(one, screen);
    }
    if lines.is_empty() {
        screen.line("No alerts in this time.");
    }
    Ok(Exit::Done)
}

/// An alert, for people.
pub(super) fn line(alert: &AlertLine, screen: &Screen) {
    let style = if alert.acknowledged.is_some() { DIM } else { BAD };
    let about = alert.remediation.as_deref().map_or_else(String::new, |id| format!("  {}", clean(id)));
    let account = alert.account.as_ref().map_or_else(String::new, |account| format!("  {account}"));
    let code = styled(style, alert.code);
    screen.line(format!("{}  {code}{account}{about}", styled(BOLD, alert.alert)));
    screen.prose(format!("    {}: {}", when(alert.at), clean(&alert.text)));
    match &alert.acknowledged {
        Some(seen) => screen.prose(format!(
            "    seen to {} by {}: {}",
            utc(seen.at),
            clean(&seen.answer.by),
            clean(&seen.answer.reason)
        )),
        None => screen.prose(format!("    {}", clean(&alert.what_to_do))),
    }
}
