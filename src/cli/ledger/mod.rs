//! `rescind ledger`: the ledger as evidence.

mod archive;
mod keep;
mod log;
mod proof;
mod sign;
mod unread;
mod verify;
mod witness;

pub(super) use archive::day_or_time;
pub(super) use unread::Unread;

use super::Exit;
use super::in_need::in_need;
use super::output::Screen;
use crate::config::Config;
use clap::Subcommand;
use std::path::Path;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check every entry, the hash tree over them, and the signed checkpoints.
    Verify(verify::Args),
    /// Extract an entry with the proof that it is in the signed tree.
    Prove(proof::ProveArgs),
    /// Check such proofs, also those of an archive. Needs neither a ledger nor a configuration.
    CheckProof(proof::CheckArgs),
    /// Print the public key of the checkpoints: keep it where auditors find it.
    Key,
    /// Sign with a new key from now on. The old one signs for it. The service must not run.
    RotateKey(sign::RotateArgs),
    /// Sign the current state of the ledger, and print the checkpoint: keep copies elsewhere.
    Checkpoint,
    /// Copy the ledger, also while the service runs.
    Backup(keep::BackupArgs),
    /// Rebuild the tables and indexes from the entries, and compare. The service must not run.
    Rebuild(keep::RebuildArgs),
    /// Put this ledger, which was one by itself, into the log that the configuration names. The service must not run.
    Publish,
    /// Move closed entries to a file that can be checked by itself. Their leaf hashes stay.
    Archive(archive::Args),
}

pub fn run(args: &Args, config: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    let file = config;
    let config = || Config::load_alone(file);
    let in_need = || in_need(file);
    match &args.command {
        Command::Verify(args) => verify::run(args, in_need, screen),
        Command::Prove(args) => proof::prove(args, in_need, screen),
        Command::CheckProof(args) => proof::check(args, screen),
        Command::Key => sign::key(&config()?, screen),
        Command::RotateKey(args) => sign::rotate(args, &config()?, screen),
        Command::Checkpoint => sign::checkpoint(&config()?, screen),
        Command::Backup(args) => keep::backup(args, in_need, screen),
        Command::Rebuild(args) => keep::rebuild(args, &config()?, screen),
        Command::Publish => log::publish(&config()?, screen),
        Command::Archive(args) => archive::run(args, &config()?, screen),
    }
}
