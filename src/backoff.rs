//! How long to wait before something is tried again.

use std::time::Duration;

/// Twice as long each time, up to a longest time; with a jitter, so that what failed together is not
/// tried again together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first new try.
    pub first: Duration,
    /// Maximum delay, however many failures there were.
    pub longest: Duration,
}

impl Backoff {
    /// How long to wait after so many failures in a row: half of it at least, all of it at most.
    #[must_use]
    pub fn after(self, failures: u32) -> Duration {
        self.with_jitter(failures, random())
    }

    fn with_jitter(self, failures: u32, random: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.longest);
        full.mul_f64(0.5 + random / 2.0)
    }
}

/// `time`, up to a tenth more or less.
#[must_use]
pub fn about(time: Duration) -> Duration {
    time.mul_f64(0.9 + random() / 5.0)
}

/// From 0 up to 1.
fn random() -> f64 {
    // Without randomness everything is tried at the same time: slower, not wrong.
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(random) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(5) };

    #[test]
    fn it_doubles_up_to_the_longest_time() {
        let full = |failures| BACKOFF.with_jitter(failures, 1.0).as_secs();
        assert_eq!([1, 2, 3, 4].map(full), [2, 4, 8, 16]);
        assert_eq!([8, 9, 40, u32::MAX].map(full), [256, 300, 300, 300]);
    }

    proptest! {
        #[test]
        fn it_is_never_none_and_never_too_long(failures in 0_u32.., random in 0.0_f64..1.0) {
            let delay = BACKOFF.with_jitter(failures, random);
            prop_assert!(delay >= Duration::from_secs(1) && delay <= BACKOFF.longest);
        }
    }
}
