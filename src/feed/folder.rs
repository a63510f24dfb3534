//! A folder in which exported findings appear.

use super::Pulse;
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The files that are exports.
const ENDINGS: [&str; 4] = [".json", ".jsonl", ".json.gz", ".jsonl.gz"];

/// Deeper than this is no export: S3 paths of GuardDuty have eight levels.
const DEEPEST: usize = 16;

/// Watches one folder, with its subfolders.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The files, as they were seen last, and whether they were given already.
    known: Mutex<HashMap<PathBuf, (Stamp, bool)>>,
    pulse: Pulse,
}

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
        walk(&self.path, 0, &mut found)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ready = Vec::new();
        let mut now = HashMap::new();
        for (path, metadata) in found {
            let stamp = (metadata.len(), metadata.modified().ok());
            let is_given = match known.get(&path) {
                Some((before, is_given)) if *before == stamp => {
                    if !is_given {
                        ready.push(path.clone());
                    }
                    true
                }
                _ => false,
            };
            now.insert(path, (stamp, is_given));
        }
        *known = now;
        ready.sort();
        Ok(ready)
    }

    /// A file that was given could not be read to its end: it is given again.
    pub fn give_again(&self, path: &Path) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<(PathBuf, Metadata)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // Gone meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() && depth < DEEPEST {
            walk(&entry.path(), depth + 1, found)?;
        } else if metadata.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push((entry.path(), metadata));
        }
    }
    Ok(())
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
        let looks = || folder.look().expect("readable");
        assert_eq!(looks(), Vec::<PathBuf>::new());
        std::fs::write(&file, "12").expect("written");
        assert_eq!(looks(), Vec::<PathBuf>::new());
        assert_eq!(looks(), std::slice::from_ref(&file));
        assert_eq!(looks(), Vec::<PathBuf>::new());
        folder.give_again(&file);
        looks();
        assert_eq!(looks(), [file]);
        drop(directory);
        assert!(folder.look().is_err());
    }
}
