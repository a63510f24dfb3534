//! Which ledger is meant.

use crate::config::{Config, ConfigError};
use std::path::PathBuf;

/// The ledger that was named, or else the configured one: who names one needs no configuration.
pub(super) fn ledger_path(
    named: Option<&PathBuf>,
    config: impl FnOnce() -> Result<Config, ConfigError>,
) -> anyhow::Result<PathBuf> {
    Ok(match named {
        Some(path) => path.clone(),
        None => config()?.ledger,
    })
}
