//! `rescind ledger key`, `rotate-key` and `checkpoint`.

use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::output::{GOOD, Screen, styled};
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::ledger::note::Signer;
use crate::ledger::{Ledger, LedgerError, Lock, Reader, checkpoint_file};
use crate::replication::open_ledger;
use crate::service::Checkpoints;

pub fn key(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let signer = Signer::load(&config.signing_key)
        .map_err(|error| BadInput(format!("{}: {error}", config.signing_key.display())))?;
    let public = signer.public().to_string();
    screen.json(&serde_json::json!({ "public_key": public }))?;
    screen.line(public);
    Ok(Exit::Done)
}

/// Opens a ledger that is there, for writing.
fn open(config: &Config) -> Result<(Ledger, Reader), LedgerError> {
    let reader = Reader::open(&config.ledger)?;
    Ok((open_ledger(config)?, reader))
}

pub fn rotate(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let (ledger, reader) = open(config)?;
    let _lock = Lock::take(&config.ledger, "ledger rotate-key")?;
    block_on(async {
        let rotated = Checkpoints::rotate(config, &ledger, &reader).await?;
        ledger.close();
        screen.json(
            &serde_json::json!({ "public_key": rotated.new.to_string(), "retired": rotated.retired }),
        )?;
        screen.line(styled(GOOD, "Checkpoints are signed with a new key from now on."));
        screen.prose("Keep its public key elsewhere, with that of the old key, which signed it:");
        screen.line(format!("  {}", rotated.new));
        screen.prose(format!(
            "The old key is in {}. It is no longer needed: destroy it once the new one is in your backup.",
            rotated.retired.display()
        ));
        Ok(Exit::Done)
    })
}

pub fn checkpoint(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let (ledger, reader) = open(config)?;
    block_on(async {
        Checkpoints::start(config, &ledger, &reader).await?.make(&ledger, &reader).await?;
        ledger.close();
        let Some((size, note)) = reader.latest_checkpoint()? else {
            return Err(BadInput("there is no entry yet: nothing to sign".to_owned()).into());
        };
        let file = checkpoint_file(&config.ledger);
        screen.json(&serde_json::json!({ "entries": size, "checkpoint": note, "file": file }))?;
        screen.line(note.trim_end());
        Ok(Exit::Done)
    })
}
