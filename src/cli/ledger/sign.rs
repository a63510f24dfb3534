//! `rescind ledger key`, `rotate-key` and `checkpoint`.

use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::output::{GOOD, Screen, styled};
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::ledger::note::Signer;
use crate::ledger::{Ledger, LedgerError, Lock, Reader, checkpoint_file};
use crate::replication::open_ledger;
use crate::service::{Checkpoints, HostKey};

#[derive(Debug, clap::Args)]
pub struct RotateArgs {
    /// Sign with this host's key from now on, though no key of the ledger has signed for it: all of them are lost.
    /// Auditors see that nobody signed for it.
    #[arg(long)]
    lost: bool,
}

pub fn key(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let signer = Signer::load(&config.signing_key)
        .map_err(|error| BadInput(format!("{}: {error}", config.signing_key.display())))?;
    // On a ledger that several hosts share, the key is of the log that they share.
    let public = match Reader::open(&config.ledger) {
        Ok(reader) => HostKey::open(config, &reader)?.public(),
        Err(_) => signer.public(),
    };
    let public = public.to_string();
    screen.json(&serde_json::json!({ "public_key": public }))?;
    screen.line(public);
    Ok(Exit::Done)
}

/// Opens a ledger that is there, for writing.
fn open(config: &Config) -> Result<(Ledger, Reader), LedgerError> {
    let reader = Reader::open(&config.ledger)?;
    Ok((open_ledger(config)?, reader))
}

pub fn rotate(args: &RotateArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let (ledger, reader) = open(config)?;
    let _lock = Lock::take(&config.ledger, "ledger rotate-key")?;
    block_on(async {
        if args.lost {
            let key = Checkpoints::replace_lost(config, &ledger, &reader).await?.to_string();
            ledger.close();
            screen.json(&serde_json::json!({ "public_key": key }))?;
            screen.line(
                "Checkpoints are signed with this host's key from now on. Keep its public key elsewhere:",
            );
            screen.line(format!("  {key}"));
            return Ok(Exit::Done);
        }
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
        let checkpoints = Checkpoints::start(config, &ledger, &reader).await?.that_sign()?;
        // What other hosts have offered is signed for first, so that it is under the checkpoint.
        checkpoints.answer_offers(&ledger, &reader).await?;
        checkpoints.make(&ledger, &reader).await?;
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
