//! How many requests were refused of late.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of refusals with one code that are recorded one by one within [`WINDOW`].
const ONE_BY_ONE: u32 = 10;

/// Duration for which refusals are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// Maximum number of codes that are counted, each for itself.
const CODES: usize = 64;

/// How many refusals there were of late.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<String, Window>>);

struct Window {
    begun: Instant,
    recorded: u32,
    /// Those that were not recorded since the last that was.
    more: u64,
}

impl Refusals {
    /// How many came before that were not recorded; none when this one is not to be recorded either.
    pub fn take(&self, code: &str, now: Instant) -> Option<u64> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The codes are our own, so there are few of them; whatever they become, the memory is bounded.
        let code = if windows.len() < CODES || windows.contains_key(code) { code } else { "" };
        let fresh = || Window { begun: now, recorded: 0, more: 0 };
        let window = windows.entry(code.to_owned()).or_insert_with(fresh);
        if now.duration_since(window.begun) >= WINDOW {
            (window.begun, window.recorded) = (now, 0);
        }
        if window.recorded >= ONE_BY_ONE {
            window.more += 1;
            return None;
        }
        window.recorded += 1;
        Some(std::mem::take(&mut window.more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_a_code_are_recorded_in_a_minute_and_the_rest_is_counted() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        let later = begin + WINDOW;
        let taken: Vec<Option<u64>> = (0..13).map(|_| refusals.take("bad_token", begin)).collect();
        assert_eq!(taken[..10], [Some(0); 10]);
        assert_eq!(taken[10..], [None; 3]);
        // Another code is not lost because of it.
        assert_eq!(refusals.take("no_access", begin), Some(0));
        assert_eq!(refusals.take("bad_token", later), Some(3));
        assert_eq!(refusals.take("bad_token", later), Some(0));
    }

    #[test]
    fn codes_without_end_take_no_memory_without_end() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        for number in 0..10 * CODES {
            refusals.take(&number.to_string(), now);
        }
        let windows = refusals.0.lock().expect("nobody panicked");
        assert!(windows.len() <= CODES + 1, "{}", windows.len());
    }
}
