//! `rescind handle FILE`: act on the findings in a file.

use super::exit::BadInput;
use super::output::Screen;
use super::{Exit, block_on, signals, summary};
use crate::config::Config;
use crate::feed::read_input;
use crate::finding::decode;
use crate::service::{Purpose, Service};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file, or - for standard input. One finding or many: JSON, JSON lines, gzipped.
    file: PathBuf,
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    let (bytes, source) = read_input(&args.file).map_err(|error| BadInput(error.to_string()))?;
    block_on(async {
        let stop = signals::stop_token();
        let service = Service::start(config, "handle", Purpose::Act { backlog: false }, stop.clone()).await?;
        let done = async {
            service.recover()?;
            service.handle(&source, decode(&bytes)).await
        }
        .await;
        summary::finish(service, screen, done, stop.is_cancelled()).await
    })
}
