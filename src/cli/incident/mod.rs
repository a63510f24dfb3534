//! `rescind incident`: all that hangs together with one theft.

mod answer;
pub(super) mod list;
pub(super) mod show;

pub use answer::{DoneArgs, PursueArgs};
pub use show::chain;

use super::formats;
use super::in_need::in_need;
use super::output::Screen;
use super::{Exit, with_ledger};
use std::path::Path;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the incidents, the latest first.
    List(list::Args),
    /// Show an incident: sessions, doors with the commands to close them, timeline, graph.
    Show(show::Args),
    /// Record that doors are closed.
    Done(answer::DoneArgs),
    /// Have CloudTrail read for what is held, though nothing of it is revoked.
    Pursue(answer::PursueArgs),
}

impl Args {
    /// It is shown again and again.
    pub fn watches(&self) -> bool {
        matches!(&self.command, Command::Show(args) if args.watch)
    }

    /// Only a graph is wanted.
    pub fn is_format(&self, name: &str) -> bool {
        formats::GRAPHS.contains(&name) && matches!(&self.command, Command::Show(_))
    }
}

pub fn run(args: &Args, config: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    match &args.command {
        Command::List(args) => list::run(args, || in_need(config), screen),
        Command::Show(args) => show::run(args, || in_need(config), screen),
        Command::Done(args) => with_ledger(config, |config| answer::done(args, &config, screen)),
        Command::Pursue(args) => with_ledger(config, |config| answer::pursue(args, &config, screen)),
    }
}
