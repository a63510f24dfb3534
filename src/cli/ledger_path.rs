//! Which ledger is meant.

use super::exit::BadInput;
use crate::config::{Config, ConfigError};
use std::path::{Path, PathBuf};

/// Another ledger than the configured one: who names one needs no configuration.
#[derive(Debug, clap::Args)]
pub struct OtherLedger {
    /// The ledger, instead of the configured one.
    #[arg(long = "ledger", value_name = "FILE")]
    named: Option<PathBuf>,
}

impl OtherLedger {
    /// One was named.
    pub fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// The ledger that was named, if one was.
    pub fn named(&self) -> Result<Option<PathBuf>, BadInput> {
        self.named.as_deref().map(named_ledger).transpose()
    }

    /// The ledger that was named, or else the configured one.
    pub fn path(&self, config: impl FnOnce() -> Result<Config, ConfigError>) -> anyhow::Result<PathBuf> {
        Ok(match self.named()? {
            Some(path) => path,
            None => config()?.ledger,
        })
    }
}

/// A ledger that was named. Where there is no file, that is a slip, and no ledger to be made yet.
pub fn named_ledger(path: &Path) -> Result<PathBuf, BadInput> {
    if path.exists() {
        return Ok(path.to_owned());
    }
    Err(BadInput(format!("{}: no such file", path.display())))
}
