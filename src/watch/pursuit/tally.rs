//! What was read in one region and is not recorded yet.

use crate::ident::Region;
use crate::remediation::{CallCount, RegionRead};
use crate::trail::{Activity, Meaning, TrailRecord};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashSet};

/// Maximum number of calls of one key that opened or made something, or blind, and are recorded one by one.
const MOST_OPENING: usize = 1_000;

/// Maximum number of other calls of one key that matter and are recorded one by one: those that failed, and those that
/// take. What is beyond them is counted. They have a number of their own, so that nobody can hide a door behind them.
const MOST_OTHERS: usize = 200;

/// Maximum number of names of calls that are counted apart in one region.
const MOST_NAMES: usize = 200;

/// Where the calls are counted that have another name than these.
const OTHER: &str = "other";

/// The calls of a key that are recorded one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// CloudTrail's ids of them.
    ids: HashSet<String>,
    opening: usize,
    others: usize,
}

impl Kept {
    /// Adds a call, unless it is there or there are too many; says whether it was added.
    fn add(&mut self, activity: &Activity) -> Result<bool, TooMany> {
        if self.ids.contains(&activity.event) {
            return Ok(false);
        }
        let (count, most) = if opens_something(activity) {
            (&mut self.opening, MOST_OPENING)
        } else {
            (&mut self.others, MOST_OTHERS)
        };
        if *count >= most {
            return Err(TooMany);
        }
        *count += 1;
        Ok(self.ids.insert(activity.event.clone()))
    }

    /// Notes calls that are recorded.
    pub fn note(&mut self, activities: &[Activity]) {
        for activity in activities {
            let _ = self.add(activity);
        }
    }
}

struct TooMany;

/// Whether something came of the call that lets the thief go on, or keeps others from seeing it.
fn opens_something(activity: &Activity) -> bool {
    activity.worked() && activity.meaning != Meaning::Takes
}

/// What was read in one region and is not recorded yet.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Calls that matter and were not recorded before.
    pub activities: Vec<Activity>,
    calls: BTreeMap<String, CallCount>,
    beyond: u64,
    /// Calls that opened or made something and are recorded nowhere: there are too many.
    pub lost: u64,
    pub unreadable: u64,
    /// Calls before this time were not read.
    pub not_before: Option<Timestamp>,
}

impl Tally {
    /// Takes one record: one that matters is kept, unless it was before; and it is counted, if it is to be.
    pub fn take(&mut self, record: TrailRecord, is_counted: bool, kept: &mut Kept) {
        let TrailRecord { event, activity } = record;
        if is_counted {
            let is_apart = self.calls.len() < MOST_NAMES || self.calls.contains_key(&event.event);
            let name = if is_apart { event.event } else { OTHER.to_owned() };
            self.calls.entry(name).or_default().add(event.error_code.is_none());
        }
        let Some(activity) = activity else { return };
        match kept.add(&activity) {
            Ok(true) => self.activities.push(activity),
            Ok(false) => {}
            Err(TooMany) => {
                self.beyond += u64::from(is_counted);
                self.lost += u64::from(opens_something(&activity));
            }
        }
    }

    /// There is something to record.
    pub fn has_news(&self) -> bool {
        !self.calls.is_empty()
            || !self.activities.is_empty()
            || self.unreadable > 0
            || self.lost > 0
            || self.not_before.is_some()
    }

    /// Something was opened or made: that is not to wait for the rest.
    pub fn is_urgent(&self) -> bool {
        self.activities.iter().any(opens_something)
    }

    /// What is recorded of a region that was read up to this time.
    pub fn read(self, region: Region, until: Timestamp) -> (Vec<Activity>, RegionRead) {
        let Self { activities, calls, beyond, unreadable, not_before, .. } = self;
        (activities, RegionRead { region, until, calls, beyond, unreadable, not_before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(number: usize, name: &str) -> TrailRecord {
        let record = json!({
            "eventID": format!("event-{number}"), "eventTime": "2026-11-22T10:00:00Z",
            "eventSource": "iam.amazonaws.com", "eventName": name, "requestParameters": {"userName": "eve"},
        });
        TrailRecord::parse(&record.to_string()).expect("readable")
    }

    #[test]
    fn what_is_beyond_the_most_is_counted_and_nothing_is_counted_twice() {
        let (mut kept, mut tally) = (Kept::default(), Tally::default());
        for number in 0..MOST_OPENING + 7 {
            tally.take(record(number, "CreateUser"), true, &mut kept);
            // A record that comes again is the same call, and was counted when its time was over.
            tally.take(record(number, "CreateUser"), false, &mut kept);
        }
        for number in 0..MOST_NAMES + 3 {
            tally.take(record(number + 10_000, &format!("ListThings{number}")), true, &mut kept);
        }
        assert_eq!(tally.lost, 14);
        let (activities, read) = tally.read("us-east-1".parse().expect("legal"), Timestamp::UNIX_EPOCH);
        assert_eq!((activities.len(), read.beyond), (MOST_OPENING, 7));
        assert_eq!(read.calls["iam:CreateUser"].worked, MOST_OPENING as u64 + 7);
        assert_eq!((read.calls.len(), read.calls[OTHER].worked), (MOST_NAMES + 1, 4));
    }

    /// Who makes a noise with calls that fail hides nothing behind them.
    #[test]
    fn calls_that_failed_leave_room_for_those_that_opened_something() {
        let (mut kept, mut tally) = (Kept::default(), Tally::default());
        for number in 0..MOST_OTHERS * 3 {
            let mut denied = record(number, "CreateUser");
            for code in
                [&mut denied.event.error_code, &mut denied.activity.as_mut().expect("it matters").error_code]
            {
                *code = Some("AccessDenied".to_owned());
            }
            tally.take(denied, true, &mut kept);
        }
        tally.take(record(9_999, "CreateUser"), true, &mut kept);
        assert_eq!((tally.activities.len(), tally.lost), (MOST_OTHERS + 1, 0));
        assert!(tally.is_urgent());
    }
}
