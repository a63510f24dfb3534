//! Whoever can write to the queue could fill the ledger's disk with forgeries, and a full disk stops
//! everything. So there is an end to what is believed to be a mistake.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Maximum number of messages within [`WINDOW`] that are no findings of GuardDuty's.
const MOST: usize = 1000;

/// Period over which messages are counted.
const WINDOW: Duration = Duration::from_hours(1);

/// Maximum number of messages within [`WINDOW`] that bring the same finding as before. Queues deliver twice
/// now and then, and a poll can be faster.
const MOST_REPLAYS: u32 = 20;

/// Maximum number of findings of which replays are counted.
const MOST_REPLAYED: usize = 10_000;

/// Counts what is no finding, or the same one over and over.
#[derive(Debug, Default)]
pub struct Flood {
    seen: Mutex<VecDeque<Instant>>,
    replays: Mutex<Replays>,
}

/// How often each finding came again, since when.
#[derive(Debug, Default)]
struct Replays {
    since: Option<Instant>,
    counts: HashMap<String, u32>,
}

impl Flood {
    /// Counts an item that brought nothing.
    pub fn count(&self) {
        self.at(Instant::now());
    }

    /// Counts a message that brought a finding again.
    pub fn replay(&self, occurrence: &str) {
        self.replay_at(occurrence, Instant::now());
    }

    fn replay_at(&self, occurrence: &str, now: Instant) {
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        if replays.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            *replays = Replays { since: Some(now), counts: HashMap::new() };
        }
        if replays.counts.len() >= MOST_REPLAYED && !replays.counts.contains_key(occurrence) {
            return;
        }
        let count = replays.counts.entry(occurrence.to_owned()).or_default();
        *count += 1;
        if *count > MOST_REPLAYS {
            self.at(now);
        }
    }

    fn at(&self, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push_back(now);
        if seen.len() > MOST {
            seen.pop_front();
        }
    }

    /// How long nothing is to be received, when there were too many.
    pub fn pause(&self) -> Option<Duration> {
        self.pause_at(Instant::now())
    }

    fn pause_at(&self, now: Instant) -> Option<Duration> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = seen.front().filter(|_| seen.len() >= MOST)?;
        let left = WINDOW.checked_sub(now.duration_since(*oldest))?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thousand_within_an_hour_are_too_many_until_the_hour_is_over() {
        let (flood, begun) = (Flood::default(), Instant::now());
        for number in 0..MOST as u64 {
            assert_eq!(flood.pause_at(begun + Duration::from_secs(number)), None);
            flood.at(begun + Duration::from_secs(number));
        }
        let now = begun + Duration::from_secs(MOST as u64);
        assert_eq!(flood.pause_at(now), Some(WINDOW.saturating_sub(Duration::from_secs(MOST as u64))));
        assert_eq!(flood.pause_at(begun + WINDOW), None);
        // The oldest ones count no more.
        flood.at(begun + WINDOW);
        assert_eq!(flood.pause_at(begun + WINDOW), Some(Duration::from_secs(1)));
    }

    #[tokio::test]
    async fn the_same_finding_over_and_over_is_a_flood_too() {
        let (flood, begun) = (Flood::default(), Instant::now());
        for number in 0..u64::from(MOST_REPLAYS) {
            flood.replay_at("one", begun);
            flood.replay_at(&format!("other {number}"), begun);
        }
        assert!(flood.seen.lock().expect("whole").is_empty());
        for _ in 0..MOST {
            assert_eq!(flood.pause_at(begun), None);
            flood.replay_at("one", begun);
        }
        assert_eq!(flood.pause_at(begun), Some(WINDOW));
        // After an hour it is counted anew.
        flood.replay_at("one", begun + WINDOW);
        assert_eq!(flood.pause_at(begun + WINDOW), None);
    }
}
