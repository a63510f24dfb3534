//! Remediations that failed and are retried: how often each failed, and when it is due.
//!
//! This is only a schedule. The work itself is in the ledger, where a sweep finds whatever is missing here: after a
//! start, that is everything.

use super::schedule::{Item, Schedule};
use crate::backoff::Backoff;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Delays after AWS did not answer, throttled a call, or did not keep a change.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(5) };

/// Delays after a refusal that a person must act on first.
const BLOCKED: Backoff = Backoff { first: Duration::from_mins(2), longest: Duration::from_hours(1) };

/// A remediation that is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    pub remediation: String,
    /// How often it failed in a row, since the service started.
    pub failures: u32,
    /// When it is tried again.
    pub next: Timestamp,
}

/// The remediations that are tried again.
pub(super) struct Retries {
    schedule: Arc<Schedule>,
    /// How often each failed in a row.
    failures: Mutex<BTreeMap<String, u32>>,
}

impl Retries {
    pub fn new(schedule: Arc<Schedule>) -> Self {
        Self { schedule, failures: Mutex::default() }
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It failed: how long it waits for the next try, which is the longer the more often it failed.
    pub fn delay(&self, remediation: &str, is_blocked: bool) -> Duration {
        let why = if is_blocked { "blocked" } else { "transient" };
        metrics::counter!("rescind_retries_total", "why" => why).increment(1);
        let mut all = self.failures();
        let failures = all.entry(remediation.to_owned()).or_default();
        *failures = failures.saturating_add(1);
        if is_blocked { BLOCKED } else { BACKOFF }.after(*failures)
    }

    /// It is tried again after this time.
    pub fn put(&self, remediation: &str, delay: Duration) {
        self.schedule.put(Item::Retry(remediation.to_owned()), delay);
    }

    /// There is nothing more to try.
    pub fn done(&self, remediation: &str) {
        if self.failures().remove(remediation).is_some() {
            self.schedule.remove(&Item::Retry(remediation.to_owned()));
        }
    }

    /// It has a time at which it is tried again. One whose time has come and that never came back has none.
    pub fn knows(&self, remediation: &str) -> bool {
        self.schedule.wait(&Item::Retry(remediation.to_owned())).is_some()
    }

    /// Something has changed that they may have waited for: all are due.
    pub fn wake(&self) {
        self.schedule.hasten(|item, _| matches!(item, Item::Retry(_)));
    }

    /// All, the next one first.
    pub fn all(&self) -> Vec<Retry> {
        let now = Timestamp::now();
        let next = |remediation: &String| {
            let wait = self.schedule.wait(&Item::Retry(remediation.clone())).unwrap_or_default();
            now.saturating_add(SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(Timestamp::MAX)
        };
        let all = self.failures();
        let retry = |(remediation, failures): (&String, &u32)| Retry {
            next: next(remediation),
            remediation: remediation.clone(),
            failures: *failures,
        };
        let mut all: Vec<Retry> = all.iter().map(retry).collect();
        all.sort_by_key(|retry| retry.next);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_failure_puts_it_off_longer_and_success_forgets_it() {
        let retries = Retries::new(Arc::default());
        let fails = |is_blocked| {
            let delay = retries.delay("r", is_blocked);
            retries.put("r", delay);
            delay
        };
        assert!(fails(false) <= Duration::from_secs(2));
        for _ in 0..20 {
            fails(false);
        }
        let delay = fails(false);
        assert!(delay >= Duration::from_secs(150) && delay <= Duration::from_mins(5));
        let all = retries.all();
        assert!(all[0].failures == 22 && all[0].next > Timestamp::now() && retries.knows("r"));
        assert!(fails(true) >= Duration::from_mins(30));
        retries.wake();
        assert_eq!(retries.schedule.take_due(), [Item::Retry("r".to_owned())]);
        // It is not waited for any more: if nobody works on it, a sweep takes it up.
        assert!(!retries.knows("r") && retries.all().len() == 1);
        retries.done("r");
        assert!(retries.all().is_empty());
    }
}
