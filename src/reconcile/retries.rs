//! What failed and is tried again, and when.
//!
//! This is only the timetable. That there is something to do stands in the ledger, and a sweep finds
//! what is not in the timetable: after a start, that is everything.

use crate::backoff::Backoff;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After AWS did not answer, asked to slow down, or a change was not kept.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(5) };

/// After a no: a person must change something first.
const BLOCKED: Backoff = Backoff { first: Duration::from_mins(2), longest: Duration::from_hours(1) };

/// A remediation that is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Its id.
    pub remediation: String,
    /// How often it failed in a row, since the service started.
    pub failures: u32,
    /// When it is tried again.
    pub next: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Retries(Mutex<BTreeMap<String, Due>>);

#[derive(Debug)]
struct Due {
    lane: String,
    failures: u32,
    /// By a clock that nobody sets.
    next: Instant,
    /// It is queued or running.
    is_taken: bool,
}

impl Retries {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Due>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It failed, and is to be tried again: the later the more often it failed.
    pub fn failed(&self, remediation: &str, lane: &str, is_blocked: bool) {
        let mut all = self.lock();
        let failures = all.get(remediation).map_or(0, |due| due.failures).saturating_add(1);
        let delay = if is_blocked { BLOCKED } else { BACKOFF }.after(failures);
        let next = Instant::now() + delay;
        let due = Due { lane: lane.to_owned(), failures, next, is_taken: false };
        all.insert(remediation.to_owned(), due);
    }

    /// There is nothing more to try.
    pub fn done(&self, remediation: &str) {
        self.lock().remove(remediation);
    }

    /// It has a time at which it is tried again. One that was taken and never came back has none.
    pub fn knows(&self, remediation: &str) -> bool {
        self.lock().get(remediation).is_some_and(|due| !due.is_taken)
    }

    /// Something has changed that they may have waited for: all are due.
    pub fn wake(&self) {
        let now = Instant::now();
        self.lock().values_mut().for_each(|due| due.next = now);
    }

    /// Those whose time has come, with their lanes. Each is given once.
    pub fn take_due(&self) -> Vec<(String, String)> {
        let now = Instant::now();
        let mut all = self.lock();
        let due = all.iter_mut().filter(|(_, due)| !due.is_taken && due.next <= now);
        due.map(|(id, due)| {
            due.is_taken = true;
            (id.clone(), due.lane.clone())
        })
        .collect()
    }

    /// All, the next one first.
    pub fn all(&self) -> Vec<Retry> {
        let (now, here) = (Instant::now(), Timestamp::now());
        let at = |next: Instant| {
            let ahead = SignedDuration::try_from(next.saturating_duration_since(now)).unwrap_or_default();
            here.saturating_add(ahead).unwrap_or(Timestamp::MAX)
        };
        let all = self.lock();
        let mut all: Vec<Retry> = all
            .iter()
            .map(|(id, due)| Retry { remediation: id.clone(), failures: due.failures, next: at(due.next) })
            .collect();
        all.sort_by_key(|retry| retry.next);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_puts_it_off_longer_and_success_forgets_it() {
        let retries = Retries::default();
        let wait = || retries.all()[0].next.duration_since(Timestamp::now());
        retries.failed("r", "lane", false);
        assert!(wait() <= SignedDuration::from_secs(2));
        for _ in 0..20 {
            retries.failed("r", "lane", false);
        }
        assert!(wait() > SignedDuration::from_secs(140) && wait() <= SignedDuration::from_mins(5));
        assert_eq!(retries.all()[0].failures, 21);
        retries.failed("r", "lane", true);
        assert!(wait() > SignedDuration::from_mins(25));
        retries.wake();
        assert!(wait() <= SignedDuration::ZERO);
        retries.done("r");
        assert!(!retries.knows("r") && retries.all().is_empty());
    }

    #[test]
    fn what_is_due_is_given_once() {
        let retries = Retries::default();
        retries.failed("r", "lane", false);
        assert!(retries.take_due().is_empty());
        retries.lock().get_mut("r").expect("there").next = Instant::now();
        assert_eq!(retries.take_due(), [("r".to_owned(), "lane".to_owned())]);
        // It is not waited for any more: if nobody works on it, a sweep takes it up.
        assert!(retries.take_due().is_empty() && !retries.knows("r"));
    }
}
