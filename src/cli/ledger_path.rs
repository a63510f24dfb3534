//! Which ledger is meant.

use super::exit::BadInput;
use crate::config::{Config, ConfigError};
use std::path::{Path, PathBuf};

/// The ledger that was named, or else the configured one: who names one needs no configuration.
pub fn ledger_path(
    named: Option<&PathBuf>,
    config: impl FnOnce() -> Result<Config, ConfigError>,
) -> anyhow::Result<PathBuf> {
    Ok(match named {
        Some(path) => named_ledger(path)?,
        None => config()?.ledger,
    })
}

/// A ledger that was named. Where there is no file, that is a slip, and no ledger to be made yet.
pub fn named_ledger(path: &Path) -> Result<PathBuf, BadInput> {
    if path.exists() {
        return Ok(path.to_owned());
    }
    Err(BadInput(format!("{}: no such file", path.display())))
}
