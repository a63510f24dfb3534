//! Limits an event to once per interval.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Lets each key pass once within an interval.
#[derive(Debug)]
pub struct Throttle<K> {
    interval: SignedDuration,
    last: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Eq + Hash> Throttle<K> {
    /// A throttle through which nothing has passed yet.
    #[must_use]
    pub fn new(interval: SignedDuration) -> Self {
        Self { interval, last: Mutex::default() }
    }

    /// Notes that `key` passed at that time.
    pub fn note(&self, key: K, at: Timestamp) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(key, at);
    }

    /// Whether `key` may pass now; if so, it has.
    pub fn passes(&self, key: K) -> bool {
        self.passes_at(key, Timestamp::now())
    }

    fn passes_at(&self, key: K, now: Timestamp) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.duration_since(*at) < self.interval);
        !last.contains_key(&key) && last.insert(key, now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_passes_once_within_the_interval() {
        let at = |minute: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        let throttle = Throttle::new(SignedDuration::from_hours(1));
        throttle.note("noted", at(0));
        assert!(!throttle.passes_at("noted", at(59)));
        assert!(throttle.passes_at("other", at(59)));
        assert!(throttle.passes_at("noted", at(60)));
        assert!(!throttle.passes_at("other", at(118)));
        assert!(throttle.passes_at("other", at(119)));
    }
}
