//! `rescind ledger backup` and `rebuild`.

use super::verify::{beside, unreadable};
use crate::audit::{Keys, Structure, verify};
use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::output::{BAD, GOOD, Screen, WARN, clean, styled};
use crate::config::{Config, ConfigError};
use crate::ledger::{Difference, Lock, Reader, rebuild as replay, reindex};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The new file to write.
    #[arg(long, short = 'O', value_name = "FILE")]
    out: PathBuf,

    /// Make the copy a ledger by itself again, that follows no log.
    #[arg(long)]
    detach: bool,

    #[command(flatten)]
    ledger: OtherLedger,
}

pub fn backup(
    args: &BackupArgs,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let path = args.ledger.path(config)?;
    if args.out.exists() {
        let text = format!("{} exists already; choose another name", args.out.display());
        return Err(BadInput(text).into());
    }
    let published = beside(&path);
    let reader = Reader::open(&path)?;
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let text = format!("{}: there is no folder {}", args.out.display(), folder.display());
        return Err(BadInput(text).into());
    }
    reader.backup(&args.out, args.detach)?;
    let shown = args.out.display().to_string();
    // A copy that cannot be read is none.
    let found = verify(&args.out, &published, Keys::default(), &mut |_, _| {})
        .map_err(|error| unreadable(&shown, error))?;
    screen.json(&serde_json::json!({
        "backup": shown, "entries": found.entries, "root": found.root, "problems": found.problems.len(),
    }))?;
    screen.line(format!("{shown}: {} entries, root {}", found.entries, found.root));
    match found.problems.first() {
        None => {
            screen.line(styled(GOOD, "The copy is complete and verified."));
            Ok(Exit::Done)
        }
        Some(problem) => {
            let at = problem.entry.map_or(String::new(), |entry| format!("entry {entry}: "));
            screen.prose(format!("{}  {at}{}", styled(BAD, "TAMPERED"), clean(&problem.what)));
            screen.prose("The copy was made, but the ledger was tampered with, and so is the copy: see `rescind ledger verify`.");
            Ok(Exit::Tampered)
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct RebuildArgs {
    /// Compare the tables with the entries, and change nothing.
    #[arg(long)]
    check: bool,

    /// Make the whole file again, from the log alone. The file that is there is kept beside it.
    #[arg(long, conflicts_with = "check")]
    from_log: bool,
}

pub fn rebuild(args: &RebuildArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    if args.from_log {
        return super::log::rebuild(config, screen);
    }
    // Not to make a lock where there is no ledger.
    drop(Reader::open(&config.ledger)?);
    let _lock = Lock::take(&config.ledger, "ledger rebuild")?;
    let shown = config.ledger.display().to_string();
    let structure = || Structure::of(&config.ledger).map_err(|error| unreadable(&shown, error));
    let built = structure()?;
    for problem in built.problems() {
        screen.prose(format!("{}  {}", styled(BAD, "TAMPERED"), clean(problem)));
    }
    // A trigger that is not ours could do with what is written what it likes.
    let mend = !args.check && built.schema.is_empty();
    let left = if mend && !built.integrity.is_empty() {
        reindex(&config.ledger)?;
        structure()?
    } else {
        built.clone()
    };
    let differences = replay(&config.ledger, mend)?;
    let is_whole = built.problems().next().is_none() && differences.is_empty();
    let listed: Vec<_> = differences
        .iter()
        .map(|d| serde_json::json!({ "table": d.table, "wrong": d.wrong, "missing": d.missing }))
        .collect();
    screen.json(&serde_json::json!({
        "problems": built.problems().collect::<Vec<_>>(), "differences": listed,
        "mended": mend && !is_whole && left.problems().next().is_none(),
    }))?;
    for Difference { table, wrong, missing } in &differences {
        screen.prose(format!(
            "{}  {table}: {wrong} rows do not match the entries, {missing} are missing",
            styled(WARN, "differs"),
        ));
    }
    screen.line(if is_whole {
        styled(GOOD, "The tables match the entries.")
    } else if args.check {
        "Nothing was changed. Run it without --check to rebuild them.".to_owned()
    } else if left.problems().next().is_some() {
        "This cannot be repaired: keep the file as evidence, and restore a backup.".to_owned()
    } else {
        "They were rebuilt from the entries. rescind never makes them differ: something else changed the file."
            .to_owned()
    });
    Ok(if is_whole { Exit::Done } else { Exit::Tampered })
}
