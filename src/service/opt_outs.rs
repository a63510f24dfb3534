//! The opt-outs' file while the service runs: read again when it changes, and refused when it is
//! broken.

use crate::config::{OptOut, OptOuts, SOON_DAYS};
use crate::ledger::Event;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file, as it was seen last.
pub struct OptOutFile {
    path: PathBuf,
    opt_outs: OptOuts,
    /// What was looked at last, good or bad.
    seen: Stamp,
    /// A change that is yet to settle, and how many looks have seen it.
    settling: Option<(Stamp, u32)>,
    /// What was refused last: it is said once.
    refused: String,
}

/// What tells whether a file is another one than before; none when it is not there.
type Stamp = Option<(SystemTime, u64, [u64; 3])>;

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = {
        use std::os::unix::fs::MetadataExt;
        [
            metadata.dev(),
            metadata.ino(),
            metadata.ctime_nsec().unsigned_abs() ^ (metadata.ctime().unsigned_abs() << 30),
        ]
    };
    #[cfg(not(unix))]
    let inode = [0; 3];
    Some((metadata.modified().ok()?, metadata.len(), inode))
}

/// So many looks must see the same file before it is read: somebody may still be writing.
const SETTLED: u32 = 2;

/// So many when it would take opt-outs away or make them others: a file that is cut short must not.
const SETTLED_LESS: u32 = 10;

impl OptOutFile {
    /// The file at `path`, from which `opt_outs` were read.
    pub fn new(path: &Path, opt_outs: OptOuts) -> Self {
        // What was written since it was read must be seen: so the stamp is not taken now.
        let seen = Some((SystemTime::UNIX_EPOCH, 0, [0; 3])).filter(|_| !opt_outs.sha256.is_empty());
        Self { path: path.to_owned(), opt_outs, seen, settling: None, refused: String::new() }
    }

    /// The opt-outs, when they are others than at the last look; or why they cannot be used. A change
    /// counts when it has settled, or at once when a person asks.
    pub fn look(&mut self, asked: bool) -> Option<Result<&OptOuts, String>> {
        let stamp = stamp(&self.path);
        if !asked && stamp == self.seen {
            return None;
        }
        let looks = match self.settling {
            Some((settling, looks)) if settling == stamp => looks + 1,
            _ => 1,
        };
        self.settling = Some((stamp, looks));
        if !asked && looks < SETTLED {
            return None;
        }
        let read = OptOuts::load(&self.path, Timestamp::now());
        if let Ok(read) = &read
            && !asked
            && looks < SETTLED_LESS
            && self.takes_away(read)
        {
            return None;
        }
        (self.seen, self.settling) = (stamp, None);
        let recovered = !self.refused.is_empty();
        match read {
            Ok(read) if read.sha256 == self.opt_outs.sha256 && !asked && !recovered => None,
            Ok(read) => {
                self.refused.clear();
                self.opt_outs = read;
                Some(Ok(&self.opt_outs))
            }
            // There never was one.
            Err(_) if stamp.is_none() && self.opt_outs.sha256.is_empty() => None,
            Err(error) => {
                let mut error = error.to_string();
                if stamp.is_none() {
                    error.push_str(" (to have no opt-outs, leave the file there, empty)");
                }
                let news = asked || error != self.refused;
                self.refused.clone_from(&error);
                news.then_some(Err(error))
            }
        }
    }

    /// Some of those that apply would be gone, or others.
    fn takes_away(&self, read: &OptOuts) -> bool {
        self.opt_outs.all.iter().any(|opt_out| !read.all.contains(opt_out))
    }
}

/// What is recorded of a reading: the difference to what was `recorded` at the last one.
pub fn loaded(read: &OptOuts, recorded: &BTreeMap<String, OptOut>, now: Timestamp) -> Event {
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for opt_out in &read.all {
        match recorded.get(&opt_out.name) {
            None => added.push(opt_out.clone()),
            Some(before) if before != opt_out => changed.push(opt_out.clone()),
            Some(_) => {}
        }
    }
    let names: HashSet<&str> = read.all.iter().map(|opt_out| opt_out.name.as_str()).collect();
    let removed = recorded.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
    Event::OptOuts { sha256: read.sha256.clone(), in_force: read.in_force(now), added, changed, removed }
}

/// Names those that expired and those that soon will.
pub fn warn(opt_outs: &OptOuts) {
    let now = Timestamp::now();
    for opt_out in &opt_outs.all {
        let (name, owner) = (&opt_out.name, &opt_out.owner);
        match opt_out.days_left(now) {
            Some(days) if days < 0 => {
                tracing::warn!(name, owner, "this opt-out has expired and does not apply any more");
            }
            Some(days) if days <= i64::from(SOON_DAYS) => {
                tracing::warn!(name, owner, days, "this opt-out expires soon");
            }
            _ => {}
        }
    }
}
