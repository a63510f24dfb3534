//! The cutoff: sessions whose token was issued before it are revoked.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A cutoff: a whole second, in UTC. It can be moved forward, never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Timestamp", into = "Timestamp")]
pub struct Cutoff(Timestamp);

impl Cutoff {
    /// Time by which a cutoff lies ahead of AWS's now. It covers tokens that are issued while the new policy
    /// spreads, as the console's *Revoke active sessions* does.
    pub const MARGIN: SignedDuration = SignedDuration::from_secs(30);

    /// The cutoff for a revocation that starts at `aws_now`, by AWS's clock.
    ///
    /// Rounded *up* to a whole second: rounded down it would spare a token issued in that
    /// second.
    #[must_use]
    pub fn at(aws_now: Timestamp) -> Self {
        Self::round_up(aws_now.saturating_add(Self::MARGIN).unwrap_or(Timestamp::MAX))
    }

    /// The latest cutoff that a rescind can have written by now: the clocks of AWS's
    /// services differ a little. A later one was planted.
    #[must_use]
    pub fn latest(aws_now: Timestamp) -> Self {
        Self::at(aws_now).plus(Self::MARGIN.as_secs())
    }

    /// The end of all time: a deny with this cutoff denies whatever the time.
    #[must_use]
    pub fn never() -> Self {
        Self(Timestamp::MAX)
    }

    /// The first whole second at or after `time`.
    #[must_use]
    pub fn round_up(time: Timestamp) -> Self {
        let second = time.as_second();
        let second = if time.subsec_nanosecond() > 0 { second.saturating_add(1) } else { second };
        Self(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
    }

    /// This cutoff, or `other` when that is later.
    #[must_use]
    pub fn not_before(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| self.max(other))
    }

    /// The cutoff as a point in time.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.0
    }

    /// Whether a token that was seen in use at `time` is denied: it was issued before the cutoff.
    #[must_use]
    pub fn covers(self, time: Timestamp) -> bool {
        time < self.0
    }

    /// This cutoff, `seconds` later or earlier.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(self.0))
    }
}

/// As IAM wants it in a condition: ISO 8601 with the `Z`.
impl fmt::Display for Cutoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

impl From<Timestamp> for Cutoff {
    fn from(time: Timestamp) -> Self {
        Self::round_up(time)
    }
}

impl From<Cutoff> for Timestamp {
    fn from(cutoff: Cutoff) -> Self {
        cutoff.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn rounds_up_and_keeps_its_z() {
        assert_eq!(Cutoff::at(time("2026-11-21T23:47:00Z")).to_string(), "2026-11-21T23:47:30Z");
        assert_eq!(Cutoff::at(time("2026-11-21T23:47:00.001Z")).to_string(), "2026-11-21T23:47:31Z");
        assert_eq!(Cutoff::at(time("2026-12-31T23:59:30.5Z")).to_string(), "2027-01-01T00:00:01Z");
    }

    proptest! {
        #[test]
        fn never_goes_back_and_always_covers_now(now in 0_i64..4_000_000_000_000, there in proptest::option::of(0_i64..4_000_000_000_000)) {
            let now = Timestamp::from_millisecond(now).expect("in range");
            let there = there.map(|t| Cutoff::round_up(Timestamp::from_millisecond(t).expect("in range")));
            let cutoff = Cutoff::at(now).not_before(there);
            prop_assert!(cutoff.covers(now));
            prop_assert!(there.is_none_or(|t| t <= cutoff));
            prop_assert_eq!(cutoff.time().subsec_nanosecond(), 0);
        }
    }
}
