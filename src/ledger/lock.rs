//! The lock that lets only one process act on a ledger.

use super::LedgerError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held while a process acts. The system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// What holds the lock of the ledger at `ledger`, if something does.
    #[must_use]
    pub fn holder(ledger: &Path) -> Option<String> {
        let mut file = File::open(Self::path(ledger)).ok()?;
        match file.try_lock_shared() {
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = Read::by_ref(&mut file).take(200).read_to_string(&mut holder);
                Some(holder.trim().to_owned())
            }
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => None,
        }
    }

    fn path(ledger: &Path) -> PathBuf {
        // The file itself counts, not the name by which it is reached.
        let real = std::fs::canonicalize(ledger).unwrap_or_else(|_| ledger.to_owned());
        let mut path = real.into_os_string();
        path.push(".lock");
        path.into()
    }

    /// Takes the lock of the ledger at `ledger`, for `command`.
    ///
    /// # Errors
    /// When another process has it, or the lock file cannot be made.
    pub fn take(ledger: &Path, command: &str) -> Result<Self, LedgerError> {
        let path = Self::path(ledger);
        let shown = ledger.display().to_string();
        let io = |error| LedgerError::Io { path: path.display().to_string(), error };
        has_one_name(ledger)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Whoever can open it can hold it, and keep every rescind out.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = Read::by_ref(&mut file).take(200).read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "unknown" } else { holder }.to_owned();
                return Err(LedgerError::Locked { path: shown, holder });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        write!(file, "rescind {command}, process {}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

/// Sees that the ledger is no directory, and that no hard link gives it a second name. Each name has a lock and a write-ahead log of its
/// own, so that two would act on one ledger at once, and damage it.
///
/// # Errors
/// When it is one, or there is one.
pub(super) fn has_one_name(ledger: &Path) -> Result<(), LedgerError> {
    let Ok(file) = std::fs::metadata(ledger) else { return Ok(()) };
    if file.is_dir() {
        let why = "it is a directory".to_owned();
        return Err(LedgerError::Foreign { path: ledger.display().to_string(), why });
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&file) > 1 {
        let why = format!(
            "the file has another name by a hard link, and two names would be two ledgers: remove one of them (`find DIRECTORY -inum {}` names them); to copy a ledger use `rescind ledger backup`",
            std::os::unix::fs::MetadataExt::ino(&file)
        );
        return Err(LedgerError::Foreign { path: ledger.display().to_string(), why });
    }
    Ok(())
}
