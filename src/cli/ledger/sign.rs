//! `rescind ledger key`, `rotate-key` and `checkpoint`.

use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::output::{GOOD, Screen, styled};
use crate::cli::runtime::block_on;
use crate::config::{Config, SigningKey};
use crate::ledger::note::Signer;
use crate::ledger::{Ledger, LedgerError, Lock, Reader, checkpoint_file};
use crate::replication::open_ledger;
use crate::service::{Checkpoints, HostKey};

#[derive(Debug, clap::Args)]
pub struct RotateArgs {
    /// Sign with this host's key from now on, though no key of the ledger has signed for it: all of them are lost.
    /// Auditors see that nobody signed for it.
    #[arg(long, conflicts_with = "to")]
    lost: bool,

    /// Sign for this key, a file or the ARN of a KMS key, instead of making a new one. Then write it into
    /// rescind.toml as `signing_key`.
    #[arg(long, value_name = "KEY")]
    to: Option<SigningKey>,
}

pub fn key(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    // On a ledger that several hosts share, and with KMS, the key is of the log that the ledger names.
    let public = match (Reader::open(&config.ledger), &config.signing_key) {
        (Err(_), SigningKey::File(file)) => {
            let signer = Signer::load(file);
            signer.map_err(|error| BadInput(format!("{}: {error}", file.display())))?.public()
        }
        (reader, key) => {
            let reader = reader?;
            if let SigningKey::File(file) = key {
                Signer::load(file).map_err(|error| BadInput(format!("{}: {error}", file.display())))?;
            }
            block_on(async { Ok(HostKey::open(config, &reader).await?) })?.public()
        }
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
            if HostKey::open(config, &reader).await?.may_sign(&reader)? {
                let why = "this host's key may sign: nothing is lost";
                return Err(BadInput(why.to_owned()).into());
            }
            let key = Checkpoints::replace_lost(config, &ledger, &reader).await?.to_string();
            ledger.close();
            screen.json(&serde_json::json!({ "public_key": key }))?;
            screen.line(
                "Checkpoints are signed with this host's key from now on. Keep its public key elsewhere:",
            );
            screen.line(format!("  {key}"));
            return Ok(Exit::Done);
        }
        if let Some(to) = &args.to {
            let key = Checkpoints::move_to(config, to, &ledger, &reader).await?.to_string();
            ledger.close();
            screen.json(&serde_json::json!({ "public_key": key, "signing_key": to.to_string() }))?;
            screen.line("This host's key has signed for another one. Keep its public key elsewhere:");
            screen.line(format!("  {key}"));
            screen.prose(format!("Now set `signing_key = \"{to}\"` in rescind.toml, before the next start."));
            return Ok(Exit::Done);
        }
        let SigningKey::File(file) = &config.signing_key else {
            let text = "KMS makes no new key in the place of one that signs: make another key, and sign for it with `rescind ledger rotate-key --to ARN`";
            return Err(BadInput(text.to_owned()).into());
        };
        let rotated = Checkpoints::rotate(config, file, &ledger, &reader).await?;
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
        let checkpoints = Checkpoints::start(config, &ledger, &reader).await?;
        checkpoints.signer(&ledger, &reader).await?;
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
