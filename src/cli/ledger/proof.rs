//! `rescind ledger prove` and `check-proof`.

use super::verify::{cosigner_keys, public_keys};
use crate::audit::Keys;
use crate::audit::proof::{Shown, check as check_proof};
use crate::chain::chain;
use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::output::{BAD, GOOD, Screen, WARN, clean, styled};
use crate::config::{Config, ConfigError};
use crate::ledger::Reader;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct ProveArgs {
    /// The entry's number, as `rescind show` prints it.
    #[arg(value_name = "ENTRY", value_parser = clap::value_parser!(i64).range(1..))]
    entry: i64,

    /// The new file to write. Without it the proof is printed.
    #[arg(long, short = 'O', value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    ledger: OtherLedger,
}

pub fn prove(
    args: &ProveArgs,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let path = args.ledger.path(config)?;
    let reader = Reader::open(&path)?;
    let last = reader.last()?;
    if args.entry > last {
        return Err(BadInput(format!("there is no entry {}: the last one is {last}", args.entry)).into());
    }
    let proof = serde_json::to_string_pretty(&reader.prove(args.entry)?)? + "\n";
    let Some(file) = &args.out else {
        Screen::raw(&crate::safe::json_text(proof.trim_end()));
        return Ok(Exit::Done);
    };
    let failed = |error| BadInput(format!("{}: {error}", file.display()));
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    out.write_all(proof.as_bytes()).map_err(failed)?;
    screen.json(&serde_json::json!({ "written": file, "entry": args.entry }))?;
    screen.line(format!("Wrote {}. Anyone can check it without this ledger:", file.display()));
    screen.line(format!("  rescind ledger check-proof {} --public-key KEY", file.display()));
    Ok(Exit::Done)
}

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Proofs, as `rescind ledger prove` wrote them, and archives.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The public key that must have signed; several times for several. It must not come from whoever
    /// hands in the proof.
    #[arg(long = "public-key", required = true, value_name = "KEY")]
    keys: Vec<String>,

    /// The public key of a witness; several times for several. What it cosigned is shown.
    #[arg(long = "cosigner", value_name = "KEY")]
    cosigners: Vec<String>,
}

pub fn check(args: &CheckArgs, screen: &Screen) -> anyhow::Result<Exit> {
    let keys = Keys { signers: public_keys(&args.keys)?, cosigners: cosigner_keys(&args.cosigners)? };
    let mut exit = Exit::Done;
    for file in &args.files {
        let mut all = Checked { file, count: 0, bad: 0, entries: BTreeSet::new(), keys: &keys, screen };
        all.file()?;
        if all.bad > 0 {
            exit = Exit::Tampered;
        }
    }
    Ok(exit)
}

struct Checked<'a> {
    file: &'a Path,
    count: usize,
    bad: usize,
    entries: BTreeSet<u64>,
    keys: &'a Keys,
    screen: &'a Screen,
}

impl Checked<'_> {
    /// One proof over many lines, or many with a line each.
    fn file(&mut self) -> anyhow::Result<()> {
        let failed = |error: std::io::Error| BadInput(format!("{}: {error}", self.file.display()));
        let mut input = BufReader::new(std::fs::File::open(self.file).map_err(failed)?);
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).map_err(failed)?;
        if serde_json::from_slice::<serde_json::Value>(&line).is_err() {
            input.read_to_end(&mut line).map_err(failed)?;
            self.one(&String::from_utf8_lossy(&line))?;
            line.clear();
        }
        while !line.is_empty() {
            if !line.trim_ascii().is_empty() {
                self.one(&String::from_utf8_lossy(&line))?;
            }
            line.clear();
            input
                .read_until(b'\n', &mut line)
                .map_err(|e| BadInput(format!("{}: {e}", self.file.display())))?;
        }
        if self.count > 1 {
            let (count, bad, entries) = (self.count, self.bad, self.entries.len());
            self.screen.json(
                &serde_json::json!({ "file": self.file, "proofs": count, "entries": entries, "bad": bad }),
            )?;
            self.screen.prose(match bad {
                0 => styled(GOOD, format!("All {count} proofs hold, for {entries} entries. Whether the archive is complete was not checked: compare this number and the file's SHA-256 with the ledger's `archive` entry.")),
                bad => styled(BAD, format!("{bad} of {count} proofs do not hold.")),
            });
        }
        Ok(())
    }

    fn one(&mut self, text: &str) -> anyhow::Result<()> {
        self.count += 1;
        let name = clean(&self.file.display().to_string());
        let many = self.count;
        match check_proof(text, self.keys) {
            Ok(shown) => {
                let Shown { seq, entry, checkpoint, key, cosigned } = shown;
                self.entries.insert(seq);
                let cosigners: Vec<_> = cosigned
                    .iter()
                    .map(|(key, one)| {
                        serde_json::json!({ "name": key.name(), "key": key.to_string(), "at": one.as_ref().map(|one| one.time) })
                    })
                    .collect();
                self.screen.json(&serde_json::json!({
                    "file": self.file, "holds": true, "entry_number": seq, "size": checkpoint.size, "key": key.to_string(),
                    "cosigners": cosigners, "entry": serde_json::from_str::<serde_json::Value>(&entry)?,
                }))?;
                self.screen.line(format!(
                    "{}  entry {seq} is in the tree of {} entries that was signed by {key}",
                    styled(GOOD, "holds"),
                    checkpoint.size
                ));
                for (key, one) in &cosigned {
                    let name = clean(key.name());
                    self.screen.line(match one {
                        Some(one) => format!("  cosigned by {name} at {}", one.time),
                        None => styled(WARN, format!("  not cosigned by {name}")),
                    });
                }
                self.screen.line(format!("  {}", clean(&entry)));
            }
            Err(error) => {
                let why = chain(&error);
                self.bad += 1;
                self.screen.json(
                    &serde_json::json!({ "file": self.file, "line": many, "holds": false, "why": why }),
                )?;
                self.screen.prose(format!(
                    "{}  {name}, proof {many}: {}",
                    styled(BAD, "DOES NOT HOLD"),
                    clean(&why)
                ));
            }
        }
        Ok(())
    }
}
