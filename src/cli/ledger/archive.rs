//! `rescind ledger archive`.

use crate::audit::Keys;
use crate::audit::proof::check as check_proof;
use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::output::{GOOD, Screen, styled};
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::ledger::note::PublicKey;
use crate::ledger::{Closed, Moved, Reader};
use crate::replication::open_ledger;
use crate::service::Checkpoints;
use anyhow::Context;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Move what was closed before this day (2026-01-31, from its beginning, UTC) or time.
    #[arg(long, value_name = "DATE", value_parser = day_or_time)]
    before: Timestamp,

    /// The new file to write.
    #[arg(long, short = 'O', value_name = "FILE")]
    out: PathBuf,
}

/// A day, from its beginning in UTC, or a time.
pub fn day_or_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<Date>()
        && let Ok(start) = day.to_zoned(jiff::tz::TimeZone::UTC)
    {
        return Ok(start.timestamp());
    }
    text.parse()
        .map_err(|_| "expected a day such as 2026-01-31, or a time such as 2026-01-31T00:00:00Z".to_owned())
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    // Budgets and alerts look back an hour.
    let kept = config.max_finding_age.max(SignedDuration::from_hours(2));
    let newest = Timestamp::now().saturating_sub(kept)?;
    if args.before > newest {
        let why = format!(
            "--before: findings of the last {kept:#} may be reported again, so they stay; latest allowed: {newest:.0}"
        );
        return Err(BadInput(why).into());
    }
    let parts = reader.closed_before(args.before)?;
    let count: usize = parts.iter().map(|part| part.entries.len()).sum();
    if count == 0 {
        screen.json(&serde_json::json!({ "entries": 0, "remediations": 0 }))?;
        screen.line(format!("Nothing was closed before {:.0}: no file was written.", args.before));
        return Ok(Exit::Done);
    }
    let ledger = open_ledger(config)?;
    let (mut moved, mut remediations) = (0, 0);
    let mut sha256 = String::new();
    block_on(async {
        // All that is moved has to be signed for first.
        let checkpoints = Checkpoints::start(config, &ledger, &reader).await?;
        let signer = checkpoints.signer(&ledger, &reader).await?;
        checkpoints.make(&ledger, &reader).await?;
        sha256 = write(&args.out, &reader, &parts)?;
        let file = args.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let to = Moved { file, sha256: sha256.clone(), before: args.before };
        for part in &parts {
            let done = ledger.move_out(part, &to, &signer).await.with_context(|| {
                format!("{moved} entries were moved before this: keep {}", args.out.display())
            })?;
            if let Some(entries) = done {
                moved += entries;
                remediations += part.remediations.len();
            }
        }
        checkpoints.make(&ledger, &reader).await?;
        Ok(Exit::Done)
    })?;
    ledger.close();
    if moved == 0 {
        let _ = std::fs::remove_file(&args.out);
        screen.json(&serde_json::json!({ "entries": 0, "remediations": 0 }))?;
        screen.prose(
            "Nothing was moved: entries were added to all of it in the meantime. The file was removed again.",
        );
        return Ok(Exit::Done);
    }
    screen.json(&serde_json::json!({
        "archive": args.out, "sha256": sha256, "entries": moved, "remediations": remediations,
        "left": count - moved,
    }))?;
    screen.prose(styled(
        GOOD,
        format!("Moved {moved} entries with {remediations} remediations to {}.", args.out.display()),
    ));
    if moved < count {
        screen.prose(format!(
            "{} entries stay in the ledger as well: others were added to their remediations in the meantime. The archive has their texts, too.",
            count - moved
        ));
    }
    screen.prose("Keep the file: their texts exist nowhere else. Each line is a proof by itself:");
    screen.line(format!("  rescind ledger check-proof {} --public-key KEY", args.out.display()));
    Ok(Exit::Done)
}

/// Writes the archive and reads it again. Gives its SHA-256. On an error nothing is left there.
fn write(file: &Path, reader: &Reader, parts: &[Closed]) -> anyhow::Result<String> {
    let failed = |error: std::io::Error| BadInput(format!("{}: {error}", file.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let out = options.open(file).map_err(failed)?;
    let written = || {
        let checkpoint = reader.latest_checkpoint()?.ok_or_else(|| reader.no_checkpoint())?;
        let mut out = BufWriter::new(out);
        let seqs = parts.iter().flat_map(|part| part.entries.iter().copied());
        reader.write_proofs(seqs, &checkpoint, &mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        std::fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        read_again(file, reader)
    };
    written().inspect_err(|_| {
        let _ = std::fs::remove_file(file);
    })
}

/// What is about to be the only copy has to hold.
fn read_again(file: &Path, reader: &Reader) -> anyhow::Result<String> {
    let mut keys = Keys::default();
    for entry in reader.of_kind("signing_key")? {
        if let crate::remediation::Event::SigningKey { public_key, .. } = entry.event {
            keys.signers.extend(PublicKey::parse(&public_key));
        }
    }
    let (mut hash, mut lines) = (Sha256::new(), BufReader::new(std::fs::File::open(file)?));
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        hash.update(&line);
        check_proof(line.trim_end(), &keys).with_context(|| file.display().to_string())?;
        line.clear();
    }
    Ok(crate::digest::hex(&hash.finalize()))
}
