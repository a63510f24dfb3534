//! `rescind completions`: for bash, zsh, fish, elvish and PowerShell.

use super::exit::Exit;
use clap::Command;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

pub fn run(args: &Args, mut command: Command) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "rescind", &mut text);
    super::output::Screen::raw(String::from_utf8(text)?.trim_end());
    Ok(Exit::Done)
}
