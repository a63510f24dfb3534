//! `rescind man`: one page for rescind, and one for each command.

use super::exit::BadInput;
use super::exit::Exit;
use super::output::Screen;
use clap::Command;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory, which is made when it is not there.
    directory: PathBuf,
}

pub fn run(args: &Args, command: Command, screen: &Screen) -> anyhow::Result<Exit> {
    let failed = |error: std::io::Error| BadInput(format!("{}: {error}", args.directory.display()));
    std::fs::create_dir_all(&args.directory).map_err(failed)?;
    clap_mangen::generate_to(command, &args.directory).map_err(failed)?;
    let pages = std::fs::read_dir(&args.directory).map_err(failed)?.count();
    screen.line(format!("Wrote the pages to {} ({pages} files there).", args.directory.display()));
    Ok(Exit::Done)
}
