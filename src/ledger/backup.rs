//! A copy of the whole ledger, while others write.

use super::{LedgerError, Reader};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;

impl Reader {
    /// Copies the ledger, as it is at one moment, to a new file (SQLite's online backup). The writer
    /// goes on meanwhile. On an error nothing is left there. With `detach`, the copy of a ledger that follows a log is a
    /// ledger by itself.
    ///
    /// # Errors
    /// When the file is there already or cannot be written, or the ledger cannot be read.
    pub fn backup(&self, to: &Path, detach: bool) -> Result<(), LedgerError> {
        let shown = to.display().to_string();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(to).map_err(|error| LedgerError::Io { path: shown.clone(), error })?;
        self.copy(to, detach).inspect_err(|_| {
            let _ = std::fs::remove_file(to);
        })
    }

    fn copy(&self, to: &Path, detach: bool) -> Result<(), LedgerError> {
        let shown = to.display().to_string();
        let sqlite = |error| LedgerError::Sqlite { path: shown.clone(), error };
        let from = self.connection();
        let mut copy = Connection::open(to).map_err(sqlite)?;
        {
            // All pages in one step: one moment of the ledger, and no beginning anew when it changes.
            let step = Backup::new(&from, &mut copy).and_then(|backup| backup.step(-1)).map_err(sqlite)?;
            if step != StepResult::Done {
                let what = "another process held the ledger for too long";
                return Err(LedgerError::Busy { path: shown.clone(), what });
            }
        }
        if detach {
            copy.execute("DELETE FROM log", []).map_err(sqlite)?;
        }
        // One file, and nothing beside it.
        copy.pragma_update(None, "journal_mode", "delete").map_err(sqlite)?;
        copy.close().map_err(|(_, error)| sqlite(error))?;
        let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
        synced.map_err(|error| LedgerError::Io { path: shown, error })
    }
}
