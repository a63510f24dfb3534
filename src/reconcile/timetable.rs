//! When each deny in force is looked at, and how many looks are made at once. That there is something to look
//! at stands in the ledger.

use crate::backoff::Backoff;
use crate::ident::AccountId;
use crate::ledger::{LedgerError, Watched};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The first look comes after this, the next ones later and later.
pub(super) const FIRST: Duration = Duration::from_mins(1);

/// Interval between two readings of what there is to look at, at most.
const ASK: Duration = Duration::from_secs(5);

/// Duration of a look that the number of looks at once is reckoned with, what is gathered included.
const LOOK: Duration = Duration::from_secs(4);

/// Minimum number of looks at once: an account that hangs has one of them.
const LEAST_AT_ONCE: usize = 4;

/// Minimum delay beyond `recheck_interval` that is told.
const LATE: Duration = Duration::from_mins(1);

/// How the denies in force are looked after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rechecks {
    /// How many are looked after.
    pub denies: usize,
    /// How many of them were not looked at within the interval.
    pub late: usize,
    /// How long ago the one was looked at that waits longest, in seconds; 0 when none is late.
    pub longest_wait: u64,
}

impl Rechecks {
    /// That the interval is not kept, if it is not.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let Self { denies, late, longest_wait } = self;
        (*late > 0).then(|| {
            format!(
                "{late} of {denies} denies in force are looked at later than recheck_interval says: one was not for {longest_wait} s"
            )
        })
    }
}

/// The looks that are to come.
#[derive(Debug)]
pub(super) struct Timetable {
    begun: Timestamp,
    looks: Mutex<HashMap<String, Looks>>,
    /// What there was to look at when the ledger was asked last.
    watched: Mutex<(Option<Instant>, Arc<[Watched]>)>,
    /// How many looks are being made in each account.
    taken: Mutex<HashMap<AccountId, usize>>,
    state: Mutex<Rechecks>,
    pub(super) freed: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Looks {
    /// How many since the start.
    count: u32,
    /// When the last one began.
    last: Option<Timestamp>,
    /// When the next one is due.
    next: Timestamp,
    /// It was asked for what is gathered at once.
    is_gathered: bool,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A look.
    Look,
    /// Whom it concerns, which is gathered at once; and a look, when it was not seen a moment ago.
    Impact,
}

fn after(time: Timestamp, pause: Duration) -> Timestamp {
    time.saturating_add(SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

impl Timetable {
    /// From `now` on.
    pub fn new(now: Timestamp) -> Self {
        Self {
            begun: now,
            looks: Mutex::default(),
            watched: Mutex::new((None, Arc::default())),
            taken: Mutex::default(),
            state: Mutex::default(),
            freed: Notify::new(),
        }
    }

    fn looks(&self) -> MutexGuard<'_, HashMap<String, Looks>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to look at: asked of the ledger anew after a while.
    pub fn watched(
        &self,
        longest: Duration,
        ask: impl FnOnce() -> Result<Vec<Watched>, LedgerError>,
    ) -> Result<Arc<[Watched]>, LedgerError> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.0.is_none_or(|at| at.elapsed() >= ASK.min(longest)) {
            *watched = (Some(Instant::now()), ask()?.into());
            let ids: HashSet<&str> = watched.1.iter().map(|one| one.remediation.as_str()).collect();
            self.looks().retain(|id, _| ids.contains(id.as_str()));
        }
        Ok(Arc::clone(&watched.1))
    }

    /// Those whose time has come: first those that were never looked at, then the most overdue ones.
    pub fn due<'a>(&self, watched: &'a [Watched], longest: Duration, now: Timestamp) -> Vec<&'a Watched> {
        let mut all = self.looks();
        let mut due = Vec::new();
        for one in watched {
            let looks = all.entry(one.remediation.clone()).or_insert_with(|| Looks {
                count: 0,
                last: None,
                next: after(one.last, pauses(longest).after(1)),
                is_gathered: false,
            });
            let next = if one.has_impact || looks.is_gathered { looks.next } else { one.last };
            // A time that far ahead was set by a clock that has been set back since.
            if next <= now || next > after(now, longest.max(FIRST)) {
                due.push((looks.count > 0, next, one));
            }
        }
        due.sort_by_key(|(was_looked_at, next, _)| (*was_looked_at, *next));
        due.into_iter().map(|(.., one)| one).collect()
    }

    /// It begins now.
    pub fn begin(&self, watched: &Watched, longest: Duration, now: Timestamp) -> Due {
        let mut all = self.looks();
        let begun = Looks { count: 0, last: None, next: now, is_gathered: false };
        let looks = all.entry(watched.remediation.clone()).or_insert(begun);
        let due = if watched.has_impact || looks.is_gathered { Due::Look } else { Due::Impact };
        if due == Due::Look {
            (looks.count, looks.last) = (looks.count.saturating_add(1), Some(now));
        }
        looks.is_gathered = true;
        looks.next = after(now, pauses(longest).after(looks.count.saturating_add(1)));
        due
    }

    /// From now on it is looked at more often again.
    pub fn again(&self, remediation: &str) {
        self.looks().remove(remediation);
    }

    /// A place for a look in this account, if there is one.
    pub fn place(self: &Arc<Self>, account: &AccountId, limits: &Limits) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let in_account = taken.get(account).copied().unwrap_or_default();
        if taken.values().sum::<usize>() >= limits.all || in_account >= limits.of(account) {
            return None;
        }
        taken.insert(account.clone(), in_account + 1);
        Some(Place { timetable: Arc::clone(self), account: account.clone() })
    }

    /// Takes stock of what is late.
    pub fn take_stock(&self, watched: &[Watched], longest: Duration, now: Timestamp) -> Rechecks {
        let all = self.looks();
        let grace = longest.saturating_add(LATE.max(longest / 4));
        let wait = |one: &Watched| {
            let last = all.get(&one.remediation).and_then(|looks| looks.last);
            let since = last.unwrap_or_else(|| one.last.max(self.begun));
            now.duration_since(since).max(SignedDuration::ZERO).unsigned_abs()
        };
        let late: Vec<Duration> = watched.iter().map(wait).filter(|wait| *wait > grace).collect();
        let state = Rechecks {
            denies: watched.len(),
            late: late.len(),
            longest_wait: late.iter().max().map_or(0, Duration::as_secs),
        };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        state
    }

    /// As it was taken stock of last.
    pub fn state(&self) -> Rechecks {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pauses(longest: Duration) -> Backoff {
    Backoff { first: FIRST.min(longest), longest }
}

/// How many looks are made at once: as many as the denies and the interval ask for, and no more than leaves a
/// theft its width.
#[derive(Debug)]
pub(super) struct Limits {
    all: usize,
    accounts: HashMap<AccountId, usize>,
}

impl Limits {
    /// For these denies, where `width` roles are worked on at once.
    pub fn of_all(watched: &[Watched], longest: Duration, width: usize) -> Self {
        let needed = |denies: usize| {
            let looks = u128::try_from(denies).unwrap_or(u128::MAX).saturating_mul(LOOK.as_millis());
            usize::try_from(looks.div_ceil(longest.as_millis().max(1))).unwrap_or(usize::MAX)
        };
        let mut accounts: HashMap<AccountId, usize> = HashMap::new();
        for one in watched {
            *accounts.entry(one.account.clone()).or_default() += 1;
        }
        for denies in accounts.values_mut() {
            *denies = needed(*denies).clamp(1, width.div_ceil(4));
        }
        Self { all: needed(watched.len()).clamp(LEAST_AT_ONCE, LEAST_AT_ONCE.max(width / 2)), accounts }
    }

    fn of(&self, account: &AccountId) -> usize {
        self.accounts.get(account).copied().unwrap_or(1)
    }
}

/// A look that is being made.
pub(super) struct Place {
    timetable: Arc<Timetable>,
    account: AccountId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.timetable.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.account) {
            *count = count.saturating_sub(1);
        }
        taken.retain(|_, count| *count > 0);
        self.timetable.freed.notify_one();
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

    fn ids(due: &[&Watched]) -> Vec<String> {
        due.iter().map(|one| one.remediation.clone()).collect()
    }

    #[test]
    fn what_was_never_looked_at_comes_first_and_then_what_waits_longest() {
        let table = Timetable::new(at(0));
        let mut watched = vec![deny(1, 0), deny(2, 10)];
        assert!(table.due(&watched, LONGEST, at(0)).is_empty());
        table.begin(&watched[1], LONGEST, at(100));
        table.begin(&watched[0], LONGEST, at(300));
        // A new one, long after the others were looked at and long before they are done.
        watched.push(deny(3, 4_000));
        assert_eq!(ids(&table.due(&watched, LONGEST, at(5_000))), ["r-3", "r-2", "r-1"]);
    }

    #[test]
    fn a_clock_that_is_set_back_puts_no_look_off() {
        let table = Timetable::new(at(0));
        let watched = vec![deny(1, 0), deny(2, 50_000)];
        table.begin(&watched[0], LONGEST, at(50_000));
        assert_eq!(ids(&table.due(&watched, LONGEST, at(32_000))).len(), 2);
    }

    /// Only one look can be made a time, and many are due again before the last one had its turn.
    #[test]
    fn nobody_starves_when_there_is_too_much_to_do() {
        let table = Timetable::new(at(0));
        let watched: Vec<Watched> = (0..20).map(|number| deny(number, 0)).collect();
        let second = Duration::from_secs(1);
        let mut looked: HashMap<String, usize> = HashMap::new();
        for now in 2..102 {
            let due = table.due(&watched, second, at(now));
            let one = due.first().expect("all are overdue");
            *looked.entry(one.remediation.clone()).or_default() += 1;
            table.begin(one, second, at(now));
        }
        assert!(looked.len() == 20 && looked.values().all(|count| *count == 5), "{looked:?}");
    }

    #[test]
    fn what_is_gathered_at_once_is_no_look() {
        let table = Timetable::new(at(0));
        let one = Watched { has_impact: false, ..deny(1, 10) };
        let all = [one.clone()];
        assert_eq!(table.due(&all, LONGEST, at(10)).len(), 1);
        assert_eq!(table.begin(&one, LONGEST, at(10)), Due::Impact);
        assert!(table.due(&all, LONGEST, at(10)).is_empty());
        assert_eq!(table.due(&all, LONGEST, at(70)).len(), 1);
        assert_eq!(table.begin(&one, LONGEST, at(70)), Due::Look);
    }

    #[test]
    fn that_the_interval_is_not_kept_is_told() {
        let table = Timetable::new(at(10_000));
        let watched = [deny(1, 0), deny(2, 9_000)];
        // What was before the start is not its fault.
        assert_eq!(table.take_stock(&watched, LONGEST, at(10_900)).late, 0);
        table.begin(&watched[0], LONGEST, at(10_500));
        let late = table.take_stock(&watched, LONGEST, at(11_200));
        assert_eq!(late, Rechecks { denies: 2, late: 1, longest_wait: 1_200 });
        assert_eq!(table.state(), late);
    }

    #[test]
    fn how_many_at_once_follows_from_the_denies_and_the_interval() {
        let watched: Vec<Watched> = (0..1_000).map(|number| deny(number, 0)).collect();
        let limits = |denies: usize, longest: Duration| {
            let limits = Limits::of_all(&watched[..denies], longest, 32);
            (limits.all, limits.of(&watched[0].account))
        };
        assert_eq!(limits(10, LONGEST), (4, 1));
        assert_eq!(limits(1_000, LONGEST), (5, 5));
        assert_eq!(limits(1_000, Duration::from_secs(1)), (16, 8));
        let table = Arc::new(Timetable::new(at(0)));
        let few = Limits::of_all(&watched[..10], LONGEST, 32);
        let place = table.place(&watched[0].account, &few);
        assert!(place.is_some() && table.place(&watched[0].account, &few).is_none());
        drop(place);
        assert!(table.place(&watched[0].account, &few).is_some());
    }
}
