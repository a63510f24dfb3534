//! `rescind completions`: for bash, zsh, fish, elvish and PowerShell.

use super::exit::{BadInput, Exit};
use clap_complete::Shell;
use clap_complete::env::Shells;

/// The variable by which a shell asks for what can come next.
pub const VARIABLE: &str = "RESCIND_COMPLETE";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell. What it prints asks rescind for each completion: ids and accounts are those of the ledger.
    shell: Shell,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let (mut text, shell) = (Vec::new(), args.shell.to_string());
    let shells = Shells::builtins();
    let known = shells.completer(&shell);
    let known = known.ok_or_else(|| BadInput(format!("{shell}: there are no completions for this shell")))?;
    known.write_registration(VARIABLE, "rescind", "rescind", "rescind", &mut text)?;
    super::output::Screen::raw(String::from_utf8(text)?.trim());
    Ok(Exit::Done)
}
