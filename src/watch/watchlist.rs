//! The denies in force: when each was last checked, which is due next, and which are late.
//!
//! Intervals are measured on the monotonic clock. Which denies are in force is in the ledger.

use super::timetable::{FIRST, pause, resumed};
use crate::ledger::Watched;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Minimum delay beyond `recheck_interval` that is an alert.
const LATE: Duration = Duration::from_mins(1);

/// Whether the denies in force are checked in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rechecks {
    /// Number of denies that are checked.
    pub denies: usize,
    /// Number of them that were not checked within the interval.
    pub late: usize,
    /// Seconds since the last check of the one that waits longest; 0 when none is late.
    pub longest_wait: u64,
}

impl Rechecks {
    /// The message that the interval is not kept; none when it is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let Self { denies, late, longest_wait } = self;
        (*late > 0).then(|| {
            format!(
                "{late} of {denies} denies in force are checked later than recheck_interval says; one was not checked for {longest_wait} s"
            )
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Look,
    /// The impact, which is gathered at once; and a look, unless the deny was just seen.
    Impact,
}

/// The denies in force, and when each was checked.
#[derive(Debug)]
pub struct Watchlist {
    begun: Timestamp,
    denies: Mutex<HashMap<String, Looks>>,
    state: Mutex<Rechecks>,
    /// Something was put, or lost: what there is to look at is to be read again.
    changed: AtomicBool,
}

#[derive(Debug)]
struct Looks {
    deny: Watched,
    /// Number of looks since the start.
    count: u32,
    /// When the last one began.
    last: Option<Timestamp>,
    /// When it was last seen in place, by AWS's clock.
    in_place: Option<Timestamp>,
    /// Its impact was gathered, or is being gathered.
    is_gathered: bool,
    /// Its place in the order of those that are due: the earlier it became due, the smaller.
    turn: Option<u64>,
}

impl Watchlist {
    /// An empty watchlist that starts at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            begun: now,
            denies: Mutex::default(),
            state: Mutex::default(),
            changed: AtomicBool::new(false),
        }
    }

    fn denies(&self) -> MutexGuard<'_, HashMap<String, Looks>> {
        self.denies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These are the denies in force now. Gives those that are new, with the time until their first look, and
    /// forgets the others.
    pub fn update(
        &self,
        watched: Vec<Watched>,
        longest: Duration,
        now: Timestamp,
    ) -> Vec<(String, Duration)> {
        let mut denies = self.denies();
        let ids: HashSet<&str> = watched.iter().map(|one| one.remediation.as_str()).collect();
        denies.retain(|id, _| ids.contains(id.as_str()));
        let mut new = Vec::new();
        for deny in watched {
            if let Some(looks) = denies.get_mut(&deny.remediation) {
                looks.deny = deny;
                continue;
            }
            // By a clock that was set back since, it was recorded in the future.
            let ago = now.duration_since(deny.last).max(SignedDuration::ZERO).unsigned_abs();
            let (count, wait) = resumed(ago, longest);
            let wait = if deny.has_impact { wait } else { Duration::ZERO };
            new.push((deny.remediation.clone(), wait));
            let looks = Looks { deny, count, last: None, in_place: None, is_gathered: false, turn: None };
            denies.insert(looks.deny.remediation.clone(), looks);
        }
        new
    }

    /// Notes that these are due, in this order.
    pub fn note_due(&self, due: impl IntoIterator<Item = String>) {
        let mut denies = self.denies();
        let mut turn = denies.values().filter_map(|looks| looks.turn).max().map_or(0, |last| last + 1);
        for id in due {
            if let Some(looks) = denies.get_mut(&id).filter(|looks| looks.turn.is_none()) {
                looks.turn = Some(turn);
                turn += 1;
            }
        }
    }

    /// Those that are due: first those that were never checked, then those that wait longest.
    #[must_use]
    pub fn due(&self) -> Vec<Watched> {
        let denies = self.denies();
        let mut due: Vec<&Looks> = denies.values().filter(|looks| looks.turn.is_some()).collect();
        due.sort_by_key(|looks| (looks.last.is_some(), looks.turn));
        due.into_iter().map(|looks| looks.deny.clone()).collect()
    }

    /// Notes that a look begins now. Returns what is due, and the time until the next look.
    pub fn begin(&self, id: &str, longest: Duration, now: Timestamp) -> (Due, Duration) {
        let mut denies = self.denies();
        let Some(looks) = denies.get_mut(id) else { return (Due::Look, pause(0, longest)) };
        let due = if looks.deny.has_impact || looks.is_gathered { Due::Look } else { Due::Impact };
        if due == Due::Look {
            (looks.count, looks.last) = (looks.count.saturating_add(1), Some(now));
        }
        (looks.is_gathered, looks.turn) = (true, None);
        (due, pause(looks.count, longest))
    }

    /// A deny was put or lost: [`take_change`](Self::take_change) says so once.
    pub fn note_change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Whether a deny was put or lost since this was asked last.
    pub fn take_change(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    /// A look saw it in place at that time.
    pub fn note_in_place(&self, id: &str, at: Timestamp) {
        if let Some(looks) = self.denies().get_mut(id) {
            looks.in_place = Some(at);
        }
    }

    /// When a look last saw it in place, if one did.
    #[must_use]
    pub fn in_place(&self, id: &str) -> Option<Timestamp> {
        self.denies().get(id)?.in_place
    }

    /// Notes that it was lost and is put back: from then on it is checked more often again.
    pub fn forget(&self, id: &str) {
        self.note_change();
        self.denies().remove(id);
    }

    /// Whether a deny was seen so recently that it need not be checked yet.
    #[must_use]
    pub fn is_fresh(seen: Timestamp, now: Timestamp) -> bool {
        now.duration_since(seen).unsigned_abs() < FIRST
    }

    /// The longest time until a look, whatever the interval was when it was set.
    #[must_use]
    pub fn longest_wait(longest: Duration) -> Duration {
        longest.max(FIRST)
    }

    /// Counts what is late.
    pub fn take_stock(&self, longest: Duration, now: Timestamp) -> Rechecks {
        let grace = longest.saturating_add(LATE.max(longest / 4));
        let wait = |looks: &Looks| {
            let since = looks.last.unwrap_or_else(|| looks.deny.last.max(self.begun));
            now.duration_since(since).max(SignedDuration::ZERO).unsigned_abs()
        };
        let denies = self.denies();
        let late: Vec<Duration> = denies.values().map(wait).filter(|wait| *wait > grace).collect();
        let state = Rechecks {
            denies: denies.len(),
            late: late.len(),
            longest_wait: late.iter().max().map_or(0, Duration::as_secs),
        };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        state
    }

    #[must_use]
    pub fn state(&self) -> Rechecks {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_mins(15);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn deny(number: usize, last: i64) -> Watched {
        Watched {
            remediation: format!("r-{number}"),
            account: "111122223333".parse().expect("legal"),
            key: format!("role{number}"),
            last: at(last),
            has_impact: true,
        }
    }

    fn due(list: &Watchlist) -> Vec<String> {
        list.due().into_iter().map(|one| one.remediation).collect()
    }

    fn ids<const N: usize>(numbers: [usize; N]) -> Vec<String> {
        numbers.map(|number| format!("r-{number}")).to_vec()
    }

    #[test]
    fn what_was_never_looked_at_comes_first_and_then_what_waits_longest() {
        let list = Watchlist::new(at(0));
        let waits = list.update(vec![deny(1, 0), deny(2, 10)], LONGEST, at(0));
        assert!(waits.iter().all(|(_, wait)| !wait.is_zero()) && due(&list).is_empty());
        list.begin("r-2", LONGEST, at(100));
        list.begin("r-1", LONGEST, at(300));
        list.note_due(ids([2]));
        // A new one, long after the others were looked at.
        list.update(vec![deny(1, 0), deny(2, 10), deny(3, 4_000)], LONGEST, at(5_000));
        list.note_due(ids([1, 3, 2]));
        assert_eq!(due(&list), ids([3, 2, 1]));
        list.begin("r-2", LONGEST, at(5_001));
        list.forget("r-1");
        assert_eq!(due(&list), ids([3]));
        // What is not in force any more is not looked at.
        list.update(vec![deny(1, 0)], LONGEST, at(5_002));
        assert!(due(&list).is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_puts_no_look_off() {
        let list = Watchlist::new(at(0));
        let waits = list.update(vec![deny(1, 31_990), deny(2, 50_000)], LONGEST, at(32_000));
        assert!(waits.iter().all(|(_, wait)| *wait <= FIRST), "{waits:?}");
    }

    /// Only one look can be made a time, and many are due again before the last one had its turn.
    #[test]
    fn nobody_starves_when_there_is_too_much_to_do() {
        let list = Watchlist::new(at(0));
        list.update((0..20).map(|number| deny(number, 0)).collect(), Duration::from_secs(1), at(2));
        let mut looked: HashMap<String, usize> = HashMap::new();
        for now in 2..102 {
            list.note_due((0..20).map(|number| format!("r-{number}")));
            let one = due(&list).swap_remove(0);
            list.begin(&one, Duration::from_secs(1), at(now));
            *looked.entry(one).or_default() += 1;
        }
        assert!(looked.len() == 20 && looked.values().all(|count| *count == 5), "{looked:?}");
    }

    #[test]
    fn what_is_gathered_at_once_is_no_look() {
        let list = Watchlist::new(at(0));
        let one = Watched { has_impact: false, ..deny(1, 10) };
        assert_eq!(list.update(vec![one], LONGEST, at(10)), [("r-1".to_owned(), Duration::ZERO)]);
        let (due, next) = list.begin("r-1", LONGEST, at(10));
        assert!(due == Due::Impact && next <= FIRST);
        assert_eq!(list.begin("r-1", LONGEST, at(70)).0, Due::Look);
    }

    #[test]
    fn that_the_interval_is_not_kept_is_an_alert() {
        let list = Watchlist::new(at(10_000));
        list.update(vec![deny(1, 0), deny(2, 9_000)], LONGEST, at(10_000));
        // What was before the start is not its fault.
        assert_eq!(list.take_stock(LONGEST, at(10_900)).late, 0);
        list.begin("r-1", LONGEST, at(10_500));
        let late = list.take_stock(LONGEST, at(11_200));
        assert_eq!(late, Rechecks { denies: 2, late: 1, longest_wait: 1_200 });
        assert_eq!(list.state(), late);
    }
}
