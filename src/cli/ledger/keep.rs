//! `rescind ledger backup` and `rebuild`.

use super::verify::unreadable;
use crate::audit::verify;
use crate::cli::Exit;
use crate::cli::output::{BAD, GOOD, Screen, WARN, clean, styled};
use crate::config::{Config, ConfigError};
use crate::ledger::{Lock, Reader, rebuild as replay};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// Where to: a new file.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The ledger, instead of the configured one.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
}

pub fn backup(
    args: &BackupArgs,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let path = super::ledger_path(args.ledger.as_ref(), config)?;
    Reader::open(&path)?.backup(&args.file)?;
    let shown = args.file.display().to_string();
    // A copy that cannot be read is none.
    let found =
        verify(&args.file, &[], Vec::new(), &mut |_, _| {}).map_err(|error| unreadable(&shown, error))?;
    screen.json(&serde_json::json!({
        "backup": shown, "entries": found.entries, "root": found.root, "problems": found.problems.len(),
    }))?;
    screen.line(format!("{shown}: {} entries, root {}", found.entries, found.root));
    match found.problems.first() {
        None => {
            screen.line(styled(GOOD, "The copy is complete, and verifies."));
            Ok(Exit::Done)
        }
        Some(problem) => {
            let at = problem.entry.map_or(String::new(), |entry| format!("entry {entry}: "));
            screen.line(format!("{}  {at}{}", styled(BAD, "TAMPERED"), clean(&problem.what)));
            screen.line("The copy is there, and like the ledger it is not as it was written: see `rescind ledger verify`.");
            Ok(Exit::Tampered)
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct RebuildArgs {
    /// Only compare.
    #[arg(long)]
    check: bool,
}

pub fn rebuild(args: &RebuildArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    // Not to make a lock where there is no ledger.
    drop(Reader::open(&config.ledger)?);
    let _lock = Lock::take(&config.ledger, "ledger rebuild")?;
    let differences = replay(&config.ledger, !args.check)?;
    let listed: Vec<_> = differences
        .iter()
        .map(|d| serde_json::json!({ "table": d.table, "wrong": d.wrong, "missing": d.missing }))
        .collect();
    screen
        .json(&serde_json::json!({ "differences": listed, "mended": !args.check && !listed.is_empty() }))?;
    for difference in &differences {
        screen.line(format!(
            "{}  {}: {} rows are not what the entries say, {} are missing",
            styled(WARN, "differs"),
            difference.table,
            difference.wrong,
            difference.missing
        ));
    }
    screen.line(match (differences.is_empty(), args.check) {
        (true, _) => styled(GOOD, "The tables are what the entries say."),
        (false, true) => "Nothing was changed. Without --check they are made again.".to_owned(),
        (false, false) => {
            "They were made again from the entries. rescind alone never makes them differ: somebody changed them.".to_owned()
        }
    });
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Tampered })
}
