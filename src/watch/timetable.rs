//! When a deny is looked at: densely after each put, because that is when a thief takes it away, and then more
//! and more seldom.

use crate::backoff::Backoff;
use std::time::Duration;

/// Times of the first looks, in seconds after the put. AWS enforces a change of IAM some seconds after it
/// accepted it, and until then a stolen session can still undo it.
pub(super) const DENSE: [u64; 7] = [1, 2, 4, 8, 15, 30, 60];

/// Time from a put to the last of these looks.
pub(super) const DENSE_TIME: Duration = Duration::from_secs(DENSE[DENSE.len() - 1]);

/// Shortest interval after these; it doubles from look to look.
pub(super) const FIRST: Duration = Duration::from_mins(1);

/// Time until the look that follows `looks` others, where `longest` is the longest interval.
pub(super) fn pause(looks: u32, longest: Duration) -> Duration {
    let number = usize::try_from(looks).unwrap_or(usize::MAX);
    let Some(at) = DENSE.get(number) else {
        let beyond = looks - u32::try_from(DENSE.len()).unwrap_or(u32::MAX);
        return Backoff { first: FIRST.min(longest), longest }.after(beyond.saturating_add(1));
    };
    let before = number.checked_sub(1).map_or(0, |before| DENSE[before]);
    Duration::from_secs(at - before).min(longest)
}

/// For a deny that was put `ago`: how many looks were due since, and the time until the next one.
pub(super) fn resumed(ago: Duration, longest: Duration) -> (u32, Duration) {
    let due = DENSE.iter().take_while(|at| Duration::from_secs(**at) <= ago).count();
    let looks = u32::try_from(due).unwrap_or(u32::MAX);
    let Some(at) = DENSE.get(due) else {
        let last = Duration::from_secs(DENSE[DENSE.len() - 1]);
        return (looks, pause(looks, longest).saturating_sub(ago.saturating_sub(last)));
    };
    (looks, Duration::from_secs(*at).saturating_sub(ago).min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_mins(15);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_first_minute_has_seven_looks_and_then_they_thin_out() {
        let mut at = Duration::ZERO;
        let mut looks = Vec::new();
        for number in 0..7 {
            at += pause(number, LONGEST);
            looks.push(at.as_secs());
        }
        assert_eq!(looks, DENSE);
        assert!(pause(7, LONGEST) <= FIRST && pause(7, LONGEST) >= FIRST / 2);
        assert!(pause(40, LONGEST) >= LONGEST / 2 && pause(u32::MAX, LONGEST) <= LONGEST);
        assert_eq!(pause(6, seconds(5)), seconds(5));
    }

    #[test]
    fn after_a_restart_it_goes_on_where_it_was() {
        assert_eq!(resumed(Duration::ZERO, LONGEST), (0, seconds(1)));
        assert_eq!(resumed(seconds(5), LONGEST), (3, seconds(3)));
        let (looks, wait) = resumed(seconds(60), LONGEST);
        assert!(looks == 7 && wait >= FIRST / 2 && wait <= FIRST);
        assert_eq!(resumed(Duration::from_hours(5), LONGEST), (7, Duration::ZERO));
    }
}
