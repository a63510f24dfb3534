//! Whoever can write to the queue could fill the ledger's disk with forgeries, and a full disk stops
//! everything. So there is an end to what is believed to be a mistake.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many messages within [`WINDOW`] may be no findings of GuardDuty's.
const MOST: usize = 1000;
const WINDOW: Duration = Duration::from_hours(1);

/// Counts what is no finding.
#[derive(Debug, Default)]
pub struct Flood(Mutex<VecDeque<Instant>>);

impl Flood {
    /// One more.
    pub fn count(&self) {
        self.at(Instant::now());
    }

    fn at(&self, now: Instant) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
}
