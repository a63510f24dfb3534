//! A folder in which exported findings appear.

use super::Pulse;
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The files that are exports.
const ENDINGS: [&str; 4] = [".json", ".jsonl", ".json.gz", ".jsonl.gz"];

/// Deeper than this is no export: S3 paths of GuardDuty have eight levels.
const DEEPEST: usize = 16;

/// Watches one folder, with its subfolders.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The files, as they were seen last, and when they are given.
    known: Mutex<HashMap<PathBuf, (Stamp, Given)>>,
    pulse: Pulse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    No,
    Yes,
    /// It failed, and is given again then.
    Again(Instant),
}

/// After a file could not be read to its end.
const AGAIN: Duration = Duration::from_mins(1);

/// What tells whether a file is still being written.
type Stamp = (u64, Option<SystemTime>);

impl Folder {
    /// For one folder.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default(), pulse: Pulse::default() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is doing.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
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
            let given = match known.get(&path) {
                Some((before, given)) if *before == stamp => {
                    let is_due = match given {
                        Given::No => true,
                        Given::Yes => false,
                        Given::Again(at) => *at <= Instant::now(),
                    };
                    if is_due {
                        ready.push(path.clone());
                    }
                    if is_due { Given::Yes } else { *given }
                }
                _ => Given::No,
            };
            now.insert(path, (stamp, given));
        }
        *known = now;
        ready.sort();
        Ok(ready)
    }

    /// A file that was given could not be read to its end: it is given again after a while.
    pub fn give_again(&self, path: &Path) {
        self.give_again_at(path, Instant::now() + AGAIN);
    }

    fn give_again_at(&self, path: &Path, at: Instant) {
        if let Some((_, given)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get_mut(path) {
            *given = Given::Again(at);
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
        folder.give_again_at(&file, Instant::now());
        assert_eq!(looks(), std::slice::from_ref(&file));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&file, directory.path().join("link.json")).expect("linked");
            std::os::unix::fs::symlink(directory.path(), directory.path().join("loop")).expect("linked");
            looks();
            assert_eq!(looks(), [directory.path().join("link.json")]);
        }
        drop(directory);
        assert!(folder.look().is_err());
    }
}
