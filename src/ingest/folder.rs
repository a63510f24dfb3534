//! A folder in which exported findings appear.

use super::flood::Flood;
use super::health::Pulse;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Endings of the files that are exports.
const ENDINGS: [&str; 4] = [".json", ".jsonl", ".json.gz", ".jsonl.gz"];

/// Maximum depth at which a file is an export: S3 paths of GuardDuty have eight levels.
const DEEPEST: usize = 16;

/// Watches one folder, with its subfolders.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    known: Mutex<HashMap<PathBuf, Known>>,
    pulse: Pulse,
    flood: Flood,
}

/// A file, as it was seen last.
#[derive(Debug, Clone, Copy)]
struct Known {
    stamp: Stamp,
    given: Given,
    /// Since when it waits to be read.
    since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    No,
    Yes,
    /// It failed, and is given again then.
    Again(Instant),
    /// It was dealt with.
    Done,
}

/// Interval after which a file that could not be read to its end is read again.
const AGAIN: Duration = Duration::from_mins(1);

/// Size and time of change: as long as they change, the file is still being written.
type Stamp = (u64, Option<SystemTime>);

impl Folder {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default(), pulse: Pulse::default(), flood: Flood::default() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is doing.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// One more item of it is no finding of GuardDuty's.
    pub fn count_bad(&self) {
        self.flood.count();
    }

    /// How long nothing more is to be read, when there were too many of them.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        self.flood.pause()
    }

    /// Since when the oldest file waits that was not read to its end.
    #[must_use]
    pub fn waits_since(&self) -> Option<Timestamp> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|one| one.given != Given::Done).map(|one| one.since).min()
    }

    /// A file that was given was read, or is not to be.
    pub fn done(&self, path: &Path) {
        self.set(path, Given::Done);
    }

    /// The files that are new, or others than they were, and that two looks saw the same: somebody may
    /// still be writing. Each is given once.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn look(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        walk(std::fs::read_dir(&self.path)?, 0, &mut found);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ready = Vec::new();
        let mut now = HashMap::new();
        for (path, metadata) in found {
            let stamp = (metadata.len(), metadata.modified().ok());
            let before = known.get(&path);
            let given = match before {
                Some(before) if before.stamp == stamp => {
                    let is_due = match before.given {
                        Given::No => true,
                        Given::Yes | Given::Done => false,
                        Given::Again(at) => at <= Instant::now(),
                    };
                    if is_due {
                        ready.push(path.clone());
                    }
                    if is_due { Given::Yes } else { before.given }
                }
                _ => Given::No,
            };
            // One that goes on being written waits as well.
            let waits = before.filter(|before| before.given != Given::Done || given == Given::Done);
            let since = waits.map_or_else(Timestamp::now, |before| before.since);
            now.insert(path, Known { stamp, given, since });
        }
        *known = now;
        ready.sort();
        Ok(ready)
    }

    /// A file that was given could not be read to its end: it is given again after a while.
    pub fn give_again(&self, path: &Path) {
        self.set(path, Given::Again(Instant::now() + AGAIN));
    }

    fn set(&self, path: &Path, given: Given) {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get_mut(path) {
            known.given = given;
        }
    }
}

/// A subfolder that cannot be read costs only itself.
fn walk(entries: std::fs::ReadDir, depth: usize, found: &mut Vec<(PathBuf, Metadata)>) {
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() && depth < DEEPEST {
            match std::fs::read_dir(entry.path()) {
                Ok(entries) => walk(entries, depth + 1, found),
                Err(error) => tracing::warn!("{}: not looked into: {error}", entry.path().display()),
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending))
            // A link to a file is followed, one to a folder is not.
            && let Ok(metadata) = std::fs::metadata(entry.path())
            && metadata.is_file()
            // One with nothing in it is yet to be written.
            && metadata.len() > 0
        {
            found.push((entry.path(), metadata));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_given_once_when_it_has_settled() {
        let directory = tempfile::tempdir().expect("a directory");
        let folder = Folder::new(directory.path().to_owned());
        let (deep, file) =
            (directory.path().join("AWSLogs/2026"), directory.path().join("AWSLogs/2026/a.jsonl.gz"));
        std::fs::create_dir_all(&deep).expect("made");
        std::fs::write(&file, "1").expect("written");
        for other in [".hidden.json", "a.txt", "a.json.part"] {
            std::fs::write(directory.path().join(other), "1").expect("written");
        }
        std::fs::write(directory.path().join("empty.json"), "").expect("written");
        let looks = || folder.look().expect("readable");
        assert_eq!(looks(), Vec::<PathBuf>::new());
        std::fs::write(&file, "12").expect("written");
        assert_eq!(looks(), Vec::<PathBuf>::new());
        assert_eq!(looks(), std::slice::from_ref(&file));
        assert_eq!(looks(), Vec::<PathBuf>::new());
        folder.give_again(&file);
        assert_eq!(looks(), Vec::<PathBuf>::new());
        folder.set(&file, Given::Again(Instant::now()));
        assert_eq!(looks(), std::slice::from_ref(&file));
        let since = folder.waits_since().expect("it is not read");
        std::fs::write(&file, "123").expect("written");
        looks();
        assert_eq!(folder.waits_since(), Some(since));
        assert_eq!(looks(), std::slice::from_ref(&file));
        folder.done(&file);
        assert_eq!((looks(), folder.waits_since()), (Vec::new(), None));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&file, directory.path().join("link.json")).expect("linked");
            std::os::unix::fs::symlink(directory.path(), directory.path().join("loop")).expect("linked");
            looks();
            assert!(folder.waits_since().expect("a new one") >= since);
            assert_eq!(looks(), [directory.path().join("link.json")]);
        }
        drop(directory);
        assert!(folder.look().is_err());
    }
}
