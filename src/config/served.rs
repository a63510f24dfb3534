//! The configuration that a service goes by, kept beside its ledger: a command that finds the file broken goes by it as well.

use super::{Config, ConfigError};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

/// The text of a configuration. It is not shown: the external id stands in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Source(pub(super) String);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(…)")
    }
}

/// Where a configuration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Its file.
    File,
    /// What a service keeps beside its ledger: the file is broken.
    Served,
    /// What could be read of a broken file. Only where the ledger is can be relied on.
    Salvaged,
}

impl Config {
    /// Keeps it beside the ledger that the service uses. Only the service's own user can read it, as it is with the ledger.
    ///
    /// # Errors
    /// When it cannot be written: what was kept before is still there.
    pub fn keep_as_served(&self, ledger: &Path) -> Result<(), Error> {
        let kept = kept(ledger);
        let mut new = kept.clone().into_os_string();
        new.push(format!(".new-{}", std::process::id()));
        let new = PathBuf::from(new);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&new).and_then(|mut file| file.write_all(self.source.0.as_bytes()));
        written.and_then(|()| std::fs::rename(&new, &kept)).inspect_err(|_| {
            let _ = std::fs::remove_file(&new);
        })
    }

    /// What a service with this ledger keeps as the configuration at `path`, which is broken; none where nothing is kept that
    /// can be used. Whether a service recorded it is for the ledger to say: see [`Config::sha256`].
    #[must_use]
    pub fn served(ledger: &Path, path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(kept(ledger)).ok()?;
        let config = Self::parse(&text, path).ok()?;
        Some(Self { ledger: ledger.to_owned(), origin: Origin::Served, ..config })
    }

    /// It is about rescind's own file and its text, and not that it cannot be opened.
    #[must_use]
    pub fn is_broken(error: &ConfigError) -> bool {
        matches!(error, ConfigError::Invalid { .. })
    }
}

/// The file beside the ledger.
fn kept(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".config");
    name.into()
}
