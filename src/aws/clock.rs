//! AWS's time, from the `Date` header of its answers.

use aws_smithy_types::date_time::{DateTime, Format};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// AWS's clock: this machine's, and how far the two are apart by the latest answer. Clones share it.
///
/// An answer's `Date` is in whole seconds and was written somewhere between sending and receiving. As long as
/// this machine's clock fits into that, it is taken for right: it is the finer one.
#[derive(Debug, Clone, Default)]
pub struct AwsClock(Arc<AtomicI64>);

impl AwsClock {
    /// AWS's time. This machine's until AWS has answered once.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.ahead()).unwrap_or(Timestamp::MAX)
    }

    /// How far AWS's clock is ahead of this machine's; less than zero when it is behind.
    #[must_use]
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// How far this machine's clock is off, in words, when it is more than a person need not know.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let ahead = self.ahead();
        (ahead.abs() > NOTICED).then(|| {
            let way = if ahead.is_negative() { "ahead of" } else { "behind" };
            format!("this machine's clock is {} s {way} AWS's", ahead.abs().as_secs())
        })
    }

    /// It is so far off that it must be set: AWS refuses signatures at five minutes.
    #[must_use]
    pub fn is_far_off(&self) -> bool {
        self.ahead().abs() > FAR_OFF
    }

    /// Takes the `Date` of an answer, with the times when the request was sent and the answer received.
    pub(super) fn saw(&self, date: &str, sent: Timestamp, received: Timestamp) {
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else { return };
        let second = date.secs().saturating_mul(1000);
        let least = second.saturating_sub(received.as_millisecond());
        let most = second.saturating_add(1000).saturating_sub(sent.as_millisecond());
        // Not so when this machine's clock was set meanwhile.
        if least <= most {
            let fits = (least..=most).contains(&0);
            let known = self.0.load(Ordering::Relaxed);
            self.0.store(if fits { 0 } else { known.clamp(least, most) }, Ordering::Relaxed);
        }
    }

    /// AWS's time now, by an answer that has just come and was made in this whole second or up to
    /// `SLOWEST` later.
    pub(super) fn now_given(&self, second: Timestamp) -> Timestamp {
        let since = self.now().duration_since(second);
        if since.is_negative() || since > SLOWEST { second } else { self.now() }
    }
}

/// Difference from which on it is logged.
const NOTICED: SignedDuration = SignedDuration::from_secs(5);

/// Difference from which on the clock is a problem.
const FAR_OFF: SignedDuration = SignedDuration::from_mins(2);

/// Maximum time that an answer is taken to be under way. One that took longer counts from its own time.
const SLOWEST: SignedDuration = SignedDuration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, millis: i64) -> Timestamp {
        Timestamp::from_millisecond(second * 1000 + millis).expect("in range")
    }

    /// Noon of 2026-11-21 (UTC), in seconds since the epoch.
    const NOON: i64 = 1_795_262_400;
    const DATE: &str = "Sat, 21 Nov 2026 12:00:00 GMT";

    fn ahead_after(answers: &[(Timestamp, Timestamp)]) -> i64 {
        let clock = AwsClock::default();
        for (sent, received) in answers {
            clock.saw(DATE, *sent, *received);
        }
        i64::try_from(clock.ahead().as_millis()).expect("small")
    }

    #[test]
    fn a_clock_that_fits_what_aws_says_is_right() {
        assert_eq!(ahead_after(&[]), 0);
        assert_eq!(ahead_after(&[(at(NOON, 10), at(NOON, 990))]), 0);
        // The date is cut to the second, and the answer was under way.
        assert_eq!(ahead_after(&[(at(NOON, 900), at(NOON + 1, 200))]), 0);
        assert_eq!(ahead_after(&[(at(NOON - 1, 900), at(NOON, 100))]), 0);
    }

    #[test]
    fn one_that_does_not_is_corrected_to_within_a_second() {
        for wrong in [-180, 180, -7200] {
            let (sent, received) = (at(NOON + wrong, 500), at(NOON + wrong, 600));
            let ahead = ahead_after(&[(sent, received)]);
            assert!((-wrong * 1000 - 600..=-wrong * 1000 + 500).contains(&ahead), "{wrong}: {ahead}");
        }
        // Set right meanwhile: the latest answer counts.
        let (wrong, right) = ((at(NOON - 180, 0), at(NOON - 180, 100)), (at(NOON, 0), at(NOON, 100)));
        assert_eq!(ahead_after(&[wrong, right]), 0);
    }

    #[test]
    fn a_bad_date_or_an_answer_before_its_request_is_ignored() {
        let clock = AwsClock::default();
        clock.saw("yesterday", at(NOON + 900, 0), at(NOON + 900, 0));
        clock.saw(DATE, at(NOON + 900, 0), at(NOON + 700, 0));
        assert_eq!(clock.ahead(), SignedDuration::ZERO);
    }
}
