//! Limits the number of concurrent rechecks, in all and per account.

use super::timetable::{DENSE, DENSE_TIME};
use crate::ident::AccountId;
use crate::ledger::Watched;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Duration of one look, including what is gathered, by which the number of concurrent looks is chosen.
const LOOK: Duration = Duration::from_secs(4);

/// Minimum number of looks at once: an account that hangs has one of them.
const LEAST_AT_ONCE: usize = 4;

/// Maximum number of looks at once in one account for what was put a moment ago: IAM throttles an account, and a new
/// deny there needs its calls.
const DENSE_IN_ACCOUNT: usize = 2;

/// How many looks are made at once: as many as the denies and the interval ask for, and no more than leaves a
/// theft its width.
#[derive(Debug)]
pub struct Limits {
    all: usize,
    accounts: HashMap<AccountId, usize>,
}

impl Limits {
    /// For these denies, where `width` roles are worked on at once.
    #[must_use]
    pub fn of_all(watched: &[Watched], longest: Duration, width: usize, now: Timestamp) -> Self {
        let mut all = Needed::default();
        let mut accounts: HashMap<AccountId, Needed> = HashMap::new();
        for one in watched {
            let is_new = now.duration_since(one.last).unsigned_abs() < DENSE_TIME;
            all.count(is_new);
            accounts.entry(one.account.clone()).or_default().count(is_new);
        }
        let of_account = |needed: Needed| {
            needed.seldom(longest).max(needed.dense().min(DENSE_IN_ACCOUNT)).clamp(1, width.div_ceil(4))
        };
        let needed = all.seldom(longest).saturating_add(all.dense());
        Self {
            all: needed.clamp(LEAST_AT_ONCE, LEAST_AT_ONCE.max(width / 2)),
            accounts: accounts.into_iter().map(|(id, needed)| (id, of_account(needed))).collect(),
        }
    }

    fn of(&self, account: &AccountId) -> usize {
        self.accounts.get(account).copied().unwrap_or(1)
    }
}

/// The denies that are to be looked at.
#[derive(Default, Clone, Copy)]
struct Needed {
    denies: usize,
    /// Those that were put a moment ago.
    new: usize,
}

impl Needed {
    fn count(&mut self, is_new: bool) {
        self.denies += 1;
        self.new += usize::from(is_new);
    }

    /// How many looks at once keep the interval.
    fn seldom(self, longest: Duration) -> usize {
        at_once(self.denies, longest)
    }

    /// How many more keep the times of the first minute.
    fn dense(self) -> usize {
        at_once(self.new.saturating_mul(DENSE.len()), DENSE_TIME)
    }
}

/// How many looks go on at once when so many are made within this time.
fn at_once(looks: usize, within: Duration) -> usize {
    let time = u128::try_from(looks).unwrap_or(u128::MAX).saturating_mul(LOOK.as_millis());
    usize::try_from(time.div_ceil(within.as_millis().max(1))).unwrap_or(usize::MAX)
}

/// The looks that are being made. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// How many in each account.
    taken: Mutex<HashMap<AccountId, usize>>,
    freed: Notify,
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, HashMap<AccountId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// A place for a look in this account, if there is one.
    #[must_use]
    pub fn take(&self, account: &AccountId, limits: &Limits) -> Option<Place> {
        let mut taken = self.0.taken();
        let in_account = taken.get(account).copied().unwrap_or_default();
        if taken.values().sum::<usize>() >= limits.all || in_account >= limits.of(account) {
            return None;
        }
        taken.insert(account.clone(), in_account + 1);
        Some(Place { places: self.clone(), account: account.clone() })
    }

    /// Whether there is a place for nobody.
    #[must_use]
    pub fn are_taken(&self, limits: &Limits) -> bool {
        self.0.taken().values().sum::<usize>() >= limits.all
    }

    /// Returns when a look is over.
    pub fn freed(&self) -> Notified<'_> {
        self.0.freed.notified()
    }
}

/// A look that is being made.
pub struct Place {
    places: Places,
    account: AccountId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken();
        if let Some(count) = taken.get_mut(&self.account) {
            *count = count.saturating_sub(1);
        }
        taken.retain(|_, count| *count > 0);
        self.places.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Watchlist;
    use jiff::SignedDuration;

    /// So many denies that were put now, and the longest interval between two looks at one.
    fn put(count: usize) -> (Vec<Watched>, Duration) {
        let deny = |number: usize| Watched {
            remediation: format!("r-{number}"),
            account: "111122223333".parse().expect("legal"),
            key: format!("role{number}"),
            last: Timestamp::UNIX_EPOCH,
            has_impact: true,
        };
        ((0..count).map(deny).collect(), Duration::from_mins(15))
    }

    /// Seven looks at each are due within a minute. There are no more at once than there are places, and none is
    /// looked at twice before each was looked at once.
    #[test]
    fn the_dense_looks_at_a_thousand_denies_keep_to_their_places() {
        let (watched, longest) = put(1_000);
        let (limits, places) =
            (Limits::of_all(&watched, longest, 32, Timestamp::UNIX_EPOCH), Places::default());
        let list = Watchlist::new(Timestamp::UNIX_EPOCH);
        let mut due = list.update(watched, longest, Timestamp::UNIX_EPOCH);
        let mut looked: HashMap<String, usize> = HashMap::new();
        // Each look takes a second.
        for second in 1..=201 {
            let (ready, later): (Vec<_>, Vec<_>) =
                due.into_iter().partition(|(_, at)| *at <= Duration::from_secs(second));
            list.note_due(ready.into_iter().map(|(id, _)| id));
            due = later;
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second.cast_signed());
            let mut held = Vec::new();
            for one in list.due() {
                let Some(place) = places.take(&one.account, &limits) else { break };
                held.push(place);
                let (_, wait) = list.begin(&one.remediation, longest, now);
                due.push((one.remediation.clone(), Duration::from_secs(second) + wait));
                *looked.entry(one.remediation).or_default() += 1;
            }
            assert_eq!(held.len(), 5, "in second {second}");
            if second == 200 {
                assert!(looked.len() == 1_000 && looked.values().all(|count| *count == 1), "{looked:?}");
            }
        }
    }

    #[test]
    fn how_many_at_once_follows_from_the_denies_and_the_interval() {
        let (watched, longest) = put(1_000);
        let later = Timestamp::UNIX_EPOCH + DENSE_TIME;
        let limits = |denies: usize, longest: Duration, now: Timestamp| {
            let limits = Limits::of_all(&watched[..denies], longest, 32, now);
            (limits.all, limits.of(&watched[0].account))
        };
        assert_eq!(limits(10, longest, later), (4, 1));
        assert_eq!(limits(1_000, longest, later), (5, 5));
        assert_eq!(limits(1_000, Duration::from_secs(1), later), (16, 8));
        // What was put a moment ago is looked at seven times within a minute.
        assert_eq!(limits(2, longest, Timestamp::UNIX_EPOCH), (4, 1));
        assert_eq!(limits(20, longest, Timestamp::UNIX_EPOCH), (11, 2));
        assert_eq!(limits(1_000, longest, Timestamp::UNIX_EPOCH), (16, 5));
        let (places, few) = (Places::default(), Limits::of_all(&watched[..10], longest, 32, later));
        let place = places.take(&watched[0].account, &few);
        assert!(place.is_some() && places.take(&watched[0].account, &few).is_none());
        drop(place);
        assert!(places.take(&watched[0].account, &few).is_some());
    }
}
