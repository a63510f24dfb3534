//! `rescind man`: one page for rescind, and one for each command.

use super::examples;
use super::exit::{BadInput, Exit};
use super::output::Screen;
use clap::Command;
use clap_mangen::Man;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory, which is made when it is not there.
    directory: PathBuf,
}

pub fn run(args: &Args, command: Command, screen: &Screen) -> anyhow::Result<Exit> {
    let failed = |error: std::io::Error| BadInput(format!("{}: {error}", args.directory.display()));
    std::fs::create_dir_all(&args.directory).map_err(failed)?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let pages = pages(command, "", &args.directory).map_err(failed)?;
    screen.line(format!("Wrote {pages} pages to {}.", args.directory.display()));
    Ok(Exit::Done)
}

/// Writes the page of a command, and those of the commands below it. Gives how many they are.
fn pages(command: Command, path: &str, directory: &Path) -> Result<usize> {
    let mut count = 1;
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let path = format!("{path} {}", below.get_name());
        count += pages(below.clone(), path.trim(), directory)?;
    }
    let man = Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if count > 1 {
        man.render_subcommands_section(&mut page)?;
    }
    section(
        "EXAMPLES",
        examples::of(path).iter().flat_map(|(what, example)| [(*what, false), (*example, true)]),
        &mut page,
    )?;
    if path.is_empty() {
        let codes = super::exit::HELP.lines().skip(1).map(|line| (line, true));
        section("EXIT STATUS", codes, &mut page)?;
        man.render_version_section(&mut page)?;
    }
    std::fs::write(directory.join(man.get_filename()), page)?;
    Ok(count)
}

/// A section of lines, of which some are shown as they are.
fn section<'l>(title: &str, lines: impl Iterator<Item = (&'l str, bool)>, page: &mut Vec<u8>) -> Result<()> {
    writeln!(page, ".SH \"{title}\"")?;
    for (line, is_verbatim) in lines.filter(|(line, _)| !line.is_empty()) {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
        if is_verbatim {
            writeln!(page, ".nf\n\\&    {}\n.fi", line.trim())?;
        } else {
            writeln!(page, ".PP\n\\&{line}:")?;
        }
    }
    Ok(())
}
