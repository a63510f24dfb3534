//! The opt-outs' file while the service runs: read again when it changes, and refused when it is
//! broken.

use crate::chain::chain;
use crate::config::{ConfigError, OptOut, OptOuts, SOON_DAYS};
use crate::remediation::Event;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file, as it was seen last.
pub struct OptOutFile {
    path: PathBuf,
    opt_outs: OptOuts,
    /// What was looked at last, good or bad.
    seen: Stamp,
    /// What is yet to settle, by its fingerprint, and how many looks have seen it.
    settling: Option<(String, u32)>,
    /// What was refused last: it is said once.
    refused: String,
}

/// By this it is seen whether the file is another one than before; none when it is not there.
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

/// Number of looks that must see the same file before it is read: somebody may still be writing.
const SETTLED: u32 = 2;

/// Number of those looks when the file would remove or change opt-outs: one that is cut short must not.
const SETTLED_LESS: u32 = 10;

/// What to do about a file that is gone, or that had opt-outs and has nothing in it.
const EMPTIED: &str = "gone or empty: bring it back, or to have none, leave a comment in it";

/// Why the file cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub String);

/// The file was there, and has not one character.
pub fn is_blank(read: &OptOuts) -> bool {
    read.sha256 == crate::digest::sha256(b"")
}

impl OptOutFile {
    /// The file at `path`, from which `opt_outs` were read.
    pub fn new(path: &Path, opt_outs: OptOuts) -> Self {
        // What was written since it was read must be seen: so the stamp is not taken now.
        let seen = Some((SystemTime::UNIX_EPOCH, 0, [0; 3])).filter(|_| !opt_outs.sha256.is_empty());
        Self { path: path.to_owned(), opt_outs, seen, settling: None, refused: String::new() }
    }

    /// The opt-outs, when they are others than at the last look; or why they cannot be used. A change
    /// counts when it has settled, or at once when a person asks. As long as it has not settled, what it
    /// adds counts already, and what it takes away does not.
    pub fn look(&mut self, asked: bool) -> Option<Result<&OptOuts, Rejected>> {
        let stamp = stamp(&self.path);
        if !asked && stamp == self.seen {
            return None;
        }
        let read = OptOuts::load(&self.path, Timestamp::now());
        let fingerprint = match &read {
            Ok(read) => read.sha256.clone(),
            Err(error) => chain(error),
        };
        let looks = match &self.settling {
            Some((settling, looks)) if *settling == fingerprint => looks + 1,
            _ => 1,
        };
        self.settling = Some((fingerprint, looks));
        if !asked && looks < SETTLED {
            return None;
        }
        let emptied = || format!("{}: {EMPTIED}", self.path.display());
        let read = match read {
            Ok(read) if self.is_emptied(&read) => Err(emptied()),
            Ok(read) => Ok(read),
            // There never was one.
            Err(_) if stamp.is_none() && self.opt_outs.sha256.is_empty() => {
                (self.seen, self.settling) = (stamp, None);
                return None;
            }
            Err(_) if stamp.is_none() => Err(emptied()),
            // It may pass by itself: the file is looked at again.
            Err(error @ ConfigError::Unreadable { .. }) => return self.refuse(asked, chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                (self.seen, self.settling) = (stamp, None);
                return self.refuse(asked, error);
            }
        };
        if !asked && looks < SETTLED_LESS && self.takes_away(&read) {
            if looks > SETTLED {
                return None;
            }
            tracing::warn!(
                "opt-outs were removed or changed in the file: applied when it stays so for 10 seconds"
            );
            let kept = Named::of(&read);
            let old = self.opt_outs.all.iter().filter(|old| !kept.has(old)).cloned();
            let all: Vec<OptOut> = old.chain(read.all.iter().cloned()).collect();
            if all == self.opt_outs.all {
                return None;
            }
            self.opt_outs = OptOuts { all, sha256: read.sha256 };
            return Some(Ok(&self.opt_outs));
        }
        (self.seen, self.settling) = (stamp, None);
        let recovered = !std::mem::take(&mut self.refused).is_empty();
        if read == self.opt_outs && !asked && !recovered {
            return None;
        }
        self.opt_outs = read;
        Some(Ok(&self.opt_outs))
    }

    fn refuse(&mut self, asked: bool, error: String) -> Option<Result<&OptOuts, Rejected>> {
        let news = asked || error != self.refused;
        self.refused.clone_from(&error);
        news.then_some(Err(Rejected(error)))
    }

    /// There is nothing at all in it any more: that is a file that was cut short, not a decision.
    fn is_emptied(&self, read: &OptOuts) -> bool {
        !self.opt_outs.all.is_empty() && is_blank(read)
    }

    /// Some of those that apply would be gone, or others.
    fn takes_away(&self, read: &OptOuts) -> bool {
        let read = Named::of(read);
        self.opt_outs.all.iter().any(|opt_out| !read.has(opt_out))
    }
}

/// Opt-outs by their names: there can be a hundred thousand of them.
struct Named<'a>(HashMap<&'a str, &'a OptOut>);

impl<'a> Named<'a> {
    fn of(opt_outs: &'a OptOuts) -> Self {
        Self(opt_outs.all.iter().map(|opt_out| (opt_out.name.as_str(), opt_out)).collect())
    }

    /// The very same opt-out is among them.
    fn has(&self, opt_out: &OptOut) -> bool {
        self.0.get(opt_out.name.as_str()).is_some_and(|have| *have == opt_out)
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

/// The names of those that were recorded and are removed or changed now.
pub fn taken_away(read: &OptOuts, recorded: &BTreeMap<String, OptOut>) -> Vec<String> {
    let read = Named::of(read);
    recorded.values().filter(|opt_out| !read.has(opt_out)).map(|opt_out| opt_out.name.clone()).collect()
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
