//! `rescind notify test`: sends a test message to the channels.

use super::exit::BadInput;
use super::output::{BAD, GOOD, Screen, clean, styled};
use super::runtime::block_on;
use super::{Exit, signals};
use crate::config::Config;
use crate::service::{Purpose, Service};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Send a message that says that it is a test.
    Test {
        /// Only to this channel.
        channel: Option<String>,
    },
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    let What::Test { channel } = &args.what;
    if let Some(name) = channel
        && !config.channels.iter().any(|one| one.name == *name)
    {
        let names: Vec<&str> = config.channels.iter().map(|one| one.name.as_str()).collect();
        let known = match names.as_slice() {
            [] => format!("{} has none; [[notify]] makes one", config.file.display()),
            names => format!("the channels are {}", names.join(", ")),
        };
        return Err(BadInput(format!("there is no channel {name:?}: {known}")).into());
    }
    if config.channels.is_empty() {
        let text = format!("{} has no channels: [[notify]] makes one", config.file.display());
        return Err(BadInput(text).into());
    }
    block_on(async {
        let stop = signals::stop_token();
        let service = Service::start(config, "notify", Purpose::Plan, stop.clone()).await?;
        let results = match service.notifier() {
            Some(notifier) => notifier.test(channel.as_deref()).await,
            None => Vec::new(),
        };
        let mut exit = Exit::Done;
        for (name, result) in results {
            screen.item("items", &serde_json::json!({
                "channel": name, "taken": result.is_ok(), "error": result.as_ref().err().map(ToString::to_string),
            }))?;
            match result {
                Ok(()) => screen.line(format!("{}  {}", styled(GOOD, "delivered    "), clean(&name))),
                Err(why) => {
                    exit = Exit::NeedsPerson;
                    screen.prose(format!(
                        "{}  {}: {}",
                        styled(BAD, "NOT delivered"),
                        clean(&name),
                        clean(&why.to_string())
                    ));
                }
            }
        }
        service.stop("tested").await?;
        Ok(exit)
    })
}
