//! `rescind ledger`: the ledger as evidence.

use super::Exit;
use super::exit::BadInput;
use super::output::{BAD, GOOD, Screen, WARN, clean, styled};
use crate::audit::verify;
use crate::config::Config;
use crate::ledger::LedgerError;
use crate::ledger::note::{PublicKey, Signer};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check every entry, the hash tree over them, and the signed checkpoints.
    Verify(Verify),
    /// Print the public key of the checkpoints: keep it where auditors find it.
    Key,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// A checkpoint that was kept elsewhere; several times for several. Without one a cut-off end, an
    /// old copy or a rewritten ledger cannot be told.
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,

    /// A public key as `rescind ledger key` printed it. Without one the ledger's own word is taken.
    #[arg(long = "public-key", value_name = "KEY")]
    keys: Vec<String>,

    /// The ledger, instead of the configured one.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Verify(args) => check(args, config, screen),
        Command::Key => {
            let signer = Signer::load(&config.signing_key)
                .map_err(|error| BadInput(format!("{}: {error}", config.signing_key.display())))?;
            Screen::raw(&signer.public().to_string());
            Ok(Exit::Done)
        }
    }
}

fn check(args: &Verify, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let path = args.ledger.as_ref().unwrap_or(&config.ledger);
    let read = |file: &PathBuf| {
        std::fs::read_to_string(file).map_err(|error| BadInput(format!("{}: {error}", file.display())))
    };
    let notes = args.checkpoints.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let keys =
        args.keys.iter().map(|key| PublicKey::parse(key).map_err(|e| BadInput(format!("--public-key: {e}"))));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(LedgerError::Missing { path: shown }.into());
    }
    let found = verify(path, &notes, keys, &mut |_| {})
        .map_err(|error| LedgerError::Sqlite { path: shown.clone(), error })?;
    let problems: Vec<_> =
        found.problems.iter().map(|p| serde_json::json!({ "entry": p.entry, "problem": p.what })).collect();
    screen.json(&serde_json::json!({
        "ledger": shown, "entries": found.entries, "root": found.root, "problems": problems,
        "checkpoints": found.checkpoints.0, "kept_checkpoints": found.checkpoints.1, "keys": found.keys,
        "own_word": found.own_word, "open_intents": found.open_intents,
    }))?;
    screen.line(format!("{shown}: {} entries, root {}", found.entries, found.root));
    screen.line(format!(
        "checkpoints: {} in the ledger, {} kept elsewhere",
        found.checkpoints.0, found.checkpoints.1
    ));
    for problem in &found.problems {
        let at = problem.entry.map_or(String::new(), |entry| format!("entry {entry}: "));
        screen.line(format!("{}  {at}{}", styled(BAD, "TAMPERED"), clean(&problem.what)));
    }
    for id in &found.open_intents {
        screen.line(format!(
            "{}  {}: an intent without an outcome: taken up at the next start",
            styled(WARN, "open"),
            clean(id)
        ));
    }
    if !found.problems.is_empty() {
        return Ok(Exit::Tampered);
    }
    screen.line(styled(GOOD, "Nothing was changed, as far as this can tell."));
    if found.own_word {
        screen
            .line("The keys are the ledger's own word: give --public-key with one that was kept elsewhere.");
    }
    if found.checkpoints.1 == 0 {
        screen.line("A cut-off end, an old copy or a ledger written anew can only be told by a --checkpoint that was kept elsewhere.");
    }
    Ok(Exit::Done)
}
