//! The ledger's file, opened read-only, and without creating files beside it where possible.

use rusqlite::{Connection, OpenFlags};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Timeout of waiting for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// A ledger's file, and whether anybody else has it open.
pub struct LedgerFile {
    path: PathBuf,
    /// No log of SQLite's lies beside it. As long as anybody writes, one does.
    alone: bool,
    /// Its header says that a write-ahead log belongs to it (SQLite file format, 1.3.1).
    has_log: bool,
    /// Its size and when it was changed last, to see whether it was changed meanwhile.
    seen: Option<(u64, SystemTime)>,
}

impl LedgerFile {
    pub fn new(path: &Path) -> Self {
        // SQLite's logs lie beside the file itself, not beside a link to it.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = |end: &str| {
            let mut log = path.as_os_str().to_owned();
            log.push(end);
            Path::new(&log).exists()
        };
        let alone = !beside("-wal") && !beside("-journal");
        let seen = std::fs::metadata(&path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
        let mut header = [0; 20];
        let read = std::fs::File::open(&path).and_then(|mut file| file.read_exact(&mut header));
        let has_log = read.is_ok() && header[18..20].contains(&2);
        Self { path, alone, has_log, seen }
    }

    /// It is one that has a write-ahead log beside it while somebody writes, and there is none. So it is after
    /// everybody has closed it, and so is a copy without the log.
    pub fn may_lack_log(&self) -> bool {
        self.alone && self.has_log
    }

    /// It was taken for one that nobody writes to, and that was wrong.
    pub fn was_disturbed(&self) -> bool {
        let now = Self::new(&self.path);
        self.alone && !(now.alone && now.seen == self.seen)
    }

    /// The same, as one that others write to.
    pub fn shared(self) -> Self {
        Self { alone: false, ..self }
    }

    /// The number of the last entry, to see whether there are more by now.
    pub fn last(&self) -> Option<i64> {
        let connection = self.open().ok()?;
        connection.query_row("SELECT max(seq) FROM entries", [], |row| row.get(0)).ok().flatten()
    }

    /// Opens it. When no other process has it open, it is opened as immutable: then SQLite creates no files beside it,
    /// and can read from a read-only medium.
    pub fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self.path.to_str().filter(|_| self.alone) {
            Some(path) => {
                let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?
            }
            None => Connection::open_with_flags(&self.path, flags)?,
        };
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}
