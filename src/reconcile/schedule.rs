//! What is due later: retries, and rechecks of denies in force.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What becomes due, by remediation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Item {
    /// It failed, and is tried again.
    Retry(String),
    /// Its deny is looked at.
    Recheck(String),
}

/// What is due when. Each item has one time at most.
#[derive(Debug, Default)]
pub(super) struct Schedule(Mutex<HashMap<Item, Instant>>);

impl Schedule {
    fn lock(&self) -> MutexGuard<'_, HashMap<Item, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is due after this time, whenever it was due before.
    pub fn put(&self, item: Item, delay: Duration) {
        self.lock().insert(item, Instant::now() + delay);
    }

    /// It is not due any more.
    pub fn remove(&self, item: &Item) {
        self.lock().remove(item);
    }

    /// How long it is until it is due; none when it has no time.
    pub fn wait(&self, item: &Item) -> Option<Duration> {
        self.lock().get(item).map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Those are due now for which `which` says so, by how long they would wait.
    pub fn hasten(&self, which: impl Fn(&Item, Duration) -> bool) {
        let now = Instant::now();
        let mut all = self.lock();
        let hastened = all.iter_mut().filter(|(item, at)| which(item, at.saturating_duration_since(now)));
        hastened.for_each(|(_, at)| *at = now);
    }

    /// What is due, in the order of its time. Each is given once.
    pub fn take_due(&self) -> Vec<Item> {
        let now = Instant::now();
        let mut due: Vec<(Instant, Item)> =
            self.lock().extract_if(|_, at| *at <= now).map(|(item, at)| (at, item)).collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, item)| item).collect()
    }
}
