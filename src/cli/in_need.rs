//! Commands that look and answer while `rescind.toml` is broken: a theft does not wait until somebody has mended it.
//!
//! What may be approved, and by how many, stands in the ledger with each decision, and no file makes that laxer. A command that
//! needs more than the ledger goes by what the running service goes by: the service keeps that beside the ledger, and it counts
//! only if the ledger has recorded it.

use crate::config::{Config, ConfigError, Origin};
use crate::ledger::{LedgerError, Lock, Reader};
use crate::remediation::Event;
use std::path::Path;

/// What to do when it is not known where the ledger is.
const NAME_IT: &str =
    "The ledger is not named in what can be read of it: commands that only look take --ledger FILE.";

/// The configuration for a command that needs the ledger alone. Where the file is broken it is what the service goes by, or
/// else what can be read of the file; this is said.
///
/// # Errors
/// When it cannot be opened, or does not say where the ledger is.
pub fn in_need(path: &Path) -> Result<Config, ConfigError> {
    let broken = match Config::load_alone(path) {
        Err(error) if Config::is_broken(&error) => error,
        read => return read,
    };
    let Some(salvaged) = Config::salvaged(path) else {
        tracing::warn!("{NAME_IT}");
        return Err(broken);
    };
    // Nothing can be looked at yet, and the mistake comes first.
    if !salvaged.ledger.exists() {
        return Err(broken);
    }
    let config = recorded(&salvaged.ledger, path).unwrap_or(salvaged);
    let by = match config.origin {
        Origin::Served => "this command goes by the configuration that the service last read",
        _ => "this command uses the ledger alone",
    };
    let ledger = config.ledger.display();
    tracing::warn!(%ledger, "the configuration is BROKEN, and a service cannot start with it: {broken}; {by}");
    Ok(config)
}

/// The configuration for a command that needs all of it, and leaves to a running service what changes something. Where the
/// file is broken it is what that service goes by.
///
/// # Errors
/// When it cannot be read, and no running service has a version that the ledger recorded.
pub fn of_service(command: &str, path: &Path) -> anyhow::Result<Config> {
    let broken = match Config::load_alone(path) {
        Err(error) if Config::is_broken(&error) => error,
        read => {
            let mut config = read?;
            config.opt_outs = config.read_opt_outs()?;
            return Ok(config);
        }
    };
    let ledger = Config::salvaged(path).map(|salvaged| salvaged.ledger);
    let served =
        ledger.filter(|ledger| Lock::holder(ledger).is_some()).and_then(|ledger| recorded(&ledger, path));
    let Some(mut config) = served else {
        let needs = format!(
            "`rescind {command}` needs the whole configuration, and no service runs whose version of it could be used"
        );
        return Err(anyhow::Error::new(broken).context(needs));
    };
    tracing::warn!(
        "the configuration is BROKEN, and a service cannot start with it: {broken}; this command goes by the one that the running service last read"
    );
    config.opt_outs = config.read_opt_outs()?;
    Ok(config)
}

/// What the service keeps beside its ledger, if the ledger has recorded that it goes by it.
fn recorded(ledger: &Path, path: &Path) -> Option<Config> {
    let config = Config::served(ledger, path)?;
    let last = Reader::open(ledger).and_then(|reader| last_sha256(&reader)).ok()??;
    (last == config.sha256).then_some(config)
}

/// SHA-256 of the configuration that a service read last.
fn last_sha256(reader: &Reader) -> Result<Option<String>, LedgerError> {
    let mut entries = reader.of_kind("started")?;
    entries.extend(reader.of_kind("reloaded")?);
    let last = entries.into_iter().max_by_key(|entry| entry.seq).map(|entry| entry.event);
    Ok(last.and_then(|event| match event {
        Event::Started { config_sha256, .. } | Event::Reloaded { config_sha256, .. } => Some(config_sha256),
        _ => None,
    }))
}
