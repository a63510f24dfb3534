//! How long a deny was in force: that AWS accepted it counts only for as long as looks saw the deny in place.

use super::{ChangeOutcome, Remediation, State};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Number of removals within [`CONTESTED_WITHIN`] from which on a deny is contested.
pub const CONTESTED_FROM: usize = 2;

/// Time within which removals are counted together.
pub const CONTESTED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How long a deny was seen in place since AWS accepted it for the first time.
///
/// It is a lower bound: from a removal to the last look before it, nobody saw whether the deny was there, so that
/// time does not count. AWS enforces a change some seconds after it accepted it, which nobody can see: a deny takes
/// effect by so much later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InForce {
    /// When AWS accepted the deny for the first time.
    pub since: Timestamp,
    /// Until when it is counted: the end of the deny, or the time of the ledger's last entry. What was in place later,
    /// nobody knows.
    pub until: Timestamp,
    /// Seconds in which it was seen in place.
    pub seconds: f64,
    /// Seconds from `since` to `until`.
    pub of_seconds: f64,
    /// The times in which it was not in place, oldest first.
    pub gaps: Vec<Gap>,
}

/// A time in which a deny was not in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// When it was last seen in place.
    pub from: Timestamp,
    /// When it was put back; none when it was not, so far.
    pub to: Option<Timestamp>,
}

/// How long denies were in force, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InForceTotal {
    /// Number of remediations whose deny AWS accepted.
    pub remediations: u64,
    /// Seconds in which the denies were seen in place.
    pub seconds: f64,
    /// Seconds since each was put for the first time, or until it ended.
    pub of_seconds: f64,
    /// Number of times that a deny was not in place.
    pub gaps: u64,
}

impl InForceTotal {
    /// Adds the time of one deny.
    pub fn add(&mut self, one: &InForce) {
        self.remediations += 1;
        self.seconds += one.seconds;
        self.of_seconds += one.of_seconds;
        self.gaps += one.gaps.len() as u64;
    }

    /// The share of the time in which they were seen in place, in percent.
    #[must_use]
    pub fn percent(&self) -> String {
        percent(self.seconds, self.of_seconds)
    }
}

/// A share in percent. It is rounded down: what was not in force for a moment is not shown as 100 %.
fn percent(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 { (part / whole).clamp(0.0, 1.0) * 100.0 } else { 100.0 };
    format!("{} %", (percent * 10.0).floor() / 10.0)
}

/// What happened to a deny, in the order of its entries.
enum Step {
    /// AWS accepted it.
    Put(Timestamp),
    /// It was found gone, and had last been seen in place at this time.
    Gone(Timestamp),
}

impl InForce {
    /// Of a deny that AWS accepted at `since` and that was never found gone until `until`.
    #[must_use]
    pub fn whole(since: Timestamp, until: Timestamp) -> Self {
        let until = until.max(since);
        let seconds = until.duration_since(since).as_secs_f64();
        Self { since, until, seconds, of_seconds: seconds, gaps: Vec::new() }
    }

    /// The share of the time in which it was seen in place, in percent.
    #[must_use]
    pub fn percent(&self) -> String {
        percent(self.seconds, self.of_seconds)
    }

    fn of(steps: &[Step], until: Timestamp) -> Option<Self> {
        let mut put = None;
        let (mut first, mut gone): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        let (mut seconds, mut gaps) = (0.0, Vec::new());
        let between = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64().max(0.0);
        for step in steps {
            match *step {
                Step::Put(at) => {
                    first.get_or_insert(at);
                    if let Some(from) = gone.take() {
                        gaps.push(Gap { from, to: Some(at.max(from)) });
                    }
                    put.get_or_insert(at);
                }
                Step::Gone(seen) => {
                    if let Some(put) = put.take() {
                        seconds += between(put, seen);
                        gone = Some(seen.max(put));
                    }
                }
            }
        }
        let since = first?;
        let until = until.max(since);
        seconds += put.map_or(0.0, |put| between(put, until));
        gaps.extend(gone.map(|from| Gap { from, to: None }));
        let of_seconds = between(since, until);
        Some(Self { since, until, seconds: seconds.min(of_seconds), of_seconds, gaps })
    }
}

impl Remediation {
    /// How long its deny was in force until `known`, the time of the ledger's last entry, or until it ended; none when AWS never accepted one.
    #[must_use]
    pub fn in_force(&self, known: Timestamp) -> Option<InForce> {
        let history = &self.history;
        let mut steps = Vec::new();
        for made in &history.changes {
            let Some(at) = made.accepted_at else { continue };
            steps.push((made.entry, Step::Put(at)));
            if made.outcome == ChangeOutcome::NotApplied {
                steps.push((made.entry, Step::Gone(at)));
            }
        }
        for drift in &history.drifts {
            steps.push((drift.entry, Step::Gone(drift.seen_in_place.unwrap_or(drift.at))));
        }
        // AWS accepted it, and nobody has seen it yet.
        if let (State::Verifying, Some(accepted)) = (self.state, self.accepted) {
            steps.push((i64::MAX, Step::Gone(accepted.at)));
        }
        steps.sort_by_key(|(entry, _)| *entry);
        let steps: Vec<Step> = steps.into_iter().map(|(_, step)| step).collect();
        let released = history.releases.iter().filter_map(|release| release.done_at).next_back();
        let ended = [released, history.expired_at, self.undone.map(|(at, _)| at)].into_iter().flatten().min();
        // What somebody fights is known to have been there when it was last looked at, and no longer.
        let known = if history.is_contested {
            self.last_looked_at().map_or(known, |at| at.min(known))
        } else {
            known
        };
        InForce::of(&steps, ended.unwrap_or(known).min(known))
    }

    /// When an entry last said whether its deny was in place.
    fn last_looked_at(&self) -> Option<Timestamp> {
        let accepted = self.history.changes.iter().filter_map(|made| made.accepted_at);
        let proved = self.proofs.iter().map(|proof| proof.at);
        accepted.chain(proved).chain(self.history.drifts.iter().map(|drift| drift.at)).max()
    }

    /// When its deny was found gone since that time, each time.
    #[must_use]
    pub fn removals_since(&self, since: Timestamp) -> Vec<Timestamp> {
        let history = &self.history;
        let not_kept = history.changes.iter().filter(|made| made.outcome == ChangeOutcome::NotApplied);
        let drifts = history.drifts.iter().map(|drift| drift.at);
        drifts.chain(not_kept.filter_map(|made| made.accepted_at)).filter(|at| *at >= since).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn gap(from: i64, to: Option<i64>) -> Gap {
        Gap { from: at(from), to: to.map(at) }
    }

    #[test]
    fn a_deny_that_stays_is_in_force_from_its_acceptance_on() {
        let one = InForce::of(&[Step::Put(at(10))], at(110)).expect("accepted");
        assert_eq!((one.seconds, one.of_seconds, one.gaps.len()), (100.0, 100.0, 0));
        assert_eq!((one.percent().as_str(), &one), ("100 %", &InForce::whole(at(10), at(110))));
        assert_eq!(InForce::of(&[], at(110)), None);
    }

    #[test]
    fn what_was_taken_away_counts_until_it_was_last_seen() {
        let steps = [
            Step::Put(at(10)),
            Step::Gone(at(14)),
            Step::Put(at(90)),
            Step::Gone(at(90)),
            Step::Put(at(100)),
        ];
        let one = InForce::of(&steps, at(110)).expect("accepted");
        assert_eq!((one.seconds, one.of_seconds), (14.0, 100.0));
        assert_eq!(one.gaps, [gap(14, Some(90)), gap(90, Some(100))]);
        assert_eq!((one.percent().as_str(), percent(99.999, 100.0).as_str()), ("14 %", "99.9 %"));
        let one = InForce::of(&steps[..2], at(110)).expect("accepted");
        assert_eq!((one.seconds, one.gaps), (4.0, vec![gap(14, None)]));
    }

    #[test]
    fn a_later_cutoff_over_a_deny_that_is_there_is_no_gap() {
        let one = InForce::of(&[Step::Put(at(10)), Step::Put(at(12))], at(20)).expect("accepted");
        assert_eq!((one.seconds, one.gaps.len()), (10.0, 0));
    }

    proptest! {
        /// Whatever the clocks say: never more than the whole, and what is missing lies in gaps.
        #[test]
        fn it_is_never_more_than_the_whole(steps in proptest::collection::vec((any::<bool>(), 0_i64..100), 1..12), until in 0_i64..200) {
            let steps: Vec<Step> = steps.into_iter().map(|(put, t)| if put { Step::Put(at(t)) } else { Step::Gone(at(t)) }).collect();
            if let Some(one) = InForce::of(&steps, at(until)) {
                prop_assert!(one.seconds >= 0.0 && one.seconds <= one.of_seconds);
                prop_assert!(one.gaps.iter().all(|gap| gap.to.is_none_or(|to| to >= gap.from)));
            }
        }
    }
}
