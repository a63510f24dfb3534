//! An access key whose calls are read, and how far they were.

use super::tally::Kept;
use crate::finding::Link;
use crate::ident::{AccountId, Region};
use crate::remediation::Trace;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time within which CloudTrail delivers records: most within five minutes, all within about fifteen (CloudTrail User
/// Guide). What comes later is found by the last reading.
pub(super) const LAG: SignedDuration = SignedDuration::from_mins(20);

/// Maximum life of a session whose end is not known: 36 hours, of GetSessionToken and GetFederationToken (STS API
/// Reference).
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(36);

/// Maximum life of a role's session (STS API Reference, AssumeRole).
const LONGEST_ROLE_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// Time from the first reading of a key to the second; it doubles from reading to reading.
const FIRST: Duration = Duration::from_mins(1);

/// Time for which a long-term key is followed.
pub(super) const LONG_TERM: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Number of failed readings of a region in a row from which on it is recorded as unreadable: the next one may succeed.
pub(super) const SURE: u32 = 3;

/// Which key it is. Another account may have a key of the same name only if somebody lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct KeyId {
    pub account: AccountId,
    pub access_key: Arc<str>,
}

/// An access key that a thief holds.
#[derive(Debug, Clone)]
pub(super) struct PursuedKey {
    pub id: KeyId,
    /// The remediations whose credentials it came from, the latest last: it is pursued as long as one of them is.
    pub roots: Vec<String>,
    /// How it came from those to this key; empty for the stolen one.
    pub chain: Vec<Link>,
    /// No call before this time is the thief's.
    pub since: Timestamp,
    /// When it was last seen in the thief's hands.
    pub last_seen: Timestamp,
    /// It turned out to be the thief's for longer than it was read from: it is read from the beginning.
    pub is_wide: bool,
    /// When its session ends, where that is known.
    pub expires: Option<Timestamp>,
    /// The credentials are those of an IAM user, or were given to one.
    pub is_users: bool,
    /// The address that it was opened from, when that is none of the thief's.
    pub elsewhere: Option<String>,
    /// Up to when each region was read.
    pub read: BTreeMap<Region, Timestamp>,
    /// The regions that are recorded as not readable.
    pub unread: HashSet<Region>,
    /// The calls that are recorded.
    pub kept: Kept,
    pub ended: bool,
    /// How often it was read since the start.
    pub looks: u32,
    /// How often in a row a region could not be read.
    pub failures: BTreeMap<Region, u32>,
    /// When it is read next.
    pub next: Instant,
    pub is_busy: bool,
}

impl PursuedKey {
    pub fn new(id: KeyId, root: &str, since: Timestamp) -> Self {
        Self {
            id,
            roots: vec![root.to_owned()],
            chain: Vec::new(),
            since,
            last_seen: since,
            is_wide: false,
            expires: None,
            is_users: false,
            elsewhere: None,
            read: BTreeMap::new(),
            unread: HashSet::new(),
            kept: Kept::default(),
            ended: false,
            looks: 0,
            failures: BTreeMap::new(),
            next: Instant::now(),
            is_busy: false,
        }
    }

    /// It does not end by itself.
    pub fn is_long_term(&self) -> bool {
        self.id.access_key.starts_with("AKIA")
    }

    /// When no call can be made with it any more, or it is not followed any longer.
    pub fn end(&self) -> Timestamp {
        let longest = match (self.is_long_term(), self.is_users) {
            (true, _) => LONG_TERM,
            (false, true) => LONGEST_SESSION,
            // Of a stolen session the issue is not known: it was issued before it was seen.
            (false, false) => LONGEST_ROLE_SESSION,
        };
        self.expires.unwrap_or_else(|| self.last_seen.saturating_add(longest).unwrap_or(Timestamp::MAX))
    }

    /// Everything that CloudTrail will ever have of it is there.
    pub fn is_complete_at(&self, now: Timestamp) -> bool {
        self.end().saturating_add(LAG).unwrap_or(Timestamp::MAX) <= now
    }

    /// The principals in its chain, each once: a loop of roles that assume each other makes no new ones.
    pub fn depth(&self) -> usize {
        self.chain.iter().map(|link| principal_of(&link.principal)).collect::<HashSet<_>>().len()
    }

    /// It came from the credentials of this remediation, too.
    pub fn add_root(&mut self, root: &str) {
        self.roots.retain(|known| known != root);
        self.roots.push(root.to_owned());
    }

    /// A later finding is about it: it is read again, from its earliest sight on, whatever became of the one before.
    pub fn stolen_again(&mut self, root: &str, since: Timestamp, last_seen: Timestamp) {
        self.add_root(root);
        self.is_wide |= since < self.since;
        self.since = self.since.min(since);
        self.last_seen = self.last_seen.max(last_seen);
        self.ended = false;
        self.next = Instant::now();
    }

    /// Takes what a reading of it recorded.
    pub fn take(&mut self, trace: &Trace) {
        self.kept.note(&trace.activities);
        for read in &trace.read {
            self.unread.remove(&read.region);
            let until = self.read.entry(read.region.clone()).or_insert(read.until);
            *until = (*until).max(read.until);
        }
        self.unread.extend(trace.unread.iter().map(|unread| unread.region.clone()));
        self.ended |= trace.ended;
    }

    /// Time until it is read again, where a deny is looked at once in `longest`.
    pub fn pause(&self, longest: Duration) -> Duration {
        let first = FIRST.min(longest);
        let longest = if self.is_long_term() { longest.saturating_mul(8) } else { longest };
        crate::backoff::Backoff { first, longest }.after(self.looks)
    }
}

/// The role of a session's ARN; any other ARN as it is.
pub(super) fn principal_of(arn: &str) -> &str {
    match arn.split_once(":assumed-role/") {
        Some((_, rest)) => arn.rsplit_once('/').filter(|_| rest.contains('/')).map_or(arn, |(role, _)| role),
        None => arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_roles_that_assume_each_other_are_two_principals() {
        let id = KeyId { account: "111122223333".parse().expect("legal"), access_key: "ASIA1".into() };
        let mut key = PursuedKey::new(id, "r-1", Timestamp::UNIX_EPOCH);
        for number in 0..20 {
            let role = ["web", "batch"][number % 2];
            key.chain.push(Link {
                account: "111122223333".parse().expect("legal"),
                principal: format!("arn:aws:sts::111122223333:assumed-role/{role}/app-{number}"),
                access_key: format!("ASIA{number}"),
            });
        }
        assert_eq!(key.depth(), 2);
    }

    #[test]
    fn a_key_is_followed_to_its_end_and_until_its_records_are_there() {
        let id = KeyId { account: "111122223333".parse().expect("legal"), access_key: "ASIA1".into() };
        let mut key = PursuedKey::new(id, "r-1", Timestamp::UNIX_EPOCH);
        let after = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert!(!key.is_complete_at(after(12 * 60 + 19)) && key.is_complete_at(after(12 * 60 + 20)));
        key.is_users = true;
        assert!(!key.is_complete_at(after(36 * 60)));
        key.expires = Some(after(60));
        assert!(!key.is_complete_at(after(79)) && key.is_complete_at(after(80)));
    }
}
