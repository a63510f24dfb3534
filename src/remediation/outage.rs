//! A control plane that takes no changes: what the calls about a remediation say of it.

use super::{CallRecord, Entry, Event};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The services whose control planes change what a principal may do. Each has one for the whole partition.
const CONTROL_PLANES: [&str; 2] = ["iam", "organizations"];

/// Interval after which a failed call says nothing about the next one: longer than a retry is put off.
const APART: SignedDuration = SignedDuration::from_mins(10);

/// Since when IAM, or Organizations, takes no changes for a remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outage {
    /// When the first call was begun that failed.
    pub since: Timestamp,
    /// When the latest of them ended.
    pub last: Timestamp,
    /// The latest call that failed, as an IAM action: `iam:PutRolePolicy`.
    pub call: String,
    /// What became of it.
    pub error: String,
}

impl Outage {
    /// Time for which every change has failed after which people are notified.
    const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

    /// Time since a call failed after which it is not known how things are: a process that starts tries first.
    const LATELY: SignedDuration = SignedDuration::from_mins(1);

    /// Whether it needs a person: it has lasted for a minute, or for `raise_after`, if that is less.
    #[must_use]
    pub fn needs_person(&self, now: Timestamp, raise_after: SignedDuration) -> bool {
        now.duration_since(self.since) >= Self::PATIENCE.min(raise_after)
            && now.duration_since(self.last) < Self::LATELY
    }

    /// What the entries of a remediation, in their order, say at their end; none when the last change was answered, if
    /// only by a no. A read that is answered ends what only reads met: a control plane may answer those alone.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let (mut of_reads, mut of_changes): (Option<Met>, Option<Met>) = (None, None);
        for entry in entries {
            let Event::Call(call) = &entry.event else { continue };
            if !CONTROL_PLANES.contains(&call.service.as_str()) || call.attempts == 0 {
                continue;
            }
            match (call.is_change(), call.is_fault()) {
                (true, true) => of_changes = Some(Met::after(of_changes, entry.time, call)),
                (true, false) => (of_changes, of_reads) = (None, None),
                (false, true) => of_reads = Some(Met::after(of_reads, entry.time, call)),
                (false, false) => of_reads = None,
            }
        }
        let since = of_reads.iter().chain(&of_changes).map(|met| met.since).min()?;
        let last = of_reads.into_iter().chain(of_changes).max_by_key(|met| met.last)?;
        Some(Self { since, last: last.last, call: last.call, error: last.error })
    }

    /// The service that takes no changes, in words.
    #[must_use]
    pub fn service(&self) -> &'static str {
        if self.call.starts_with("organizations:") { "Organizations" } else { "IAM" }
    }
}

/// Calls that failed one after the other.
struct Met {
    since: Timestamp,
    last: Timestamp,
    call: String,
    error: String,
}

impl Met {
    fn after(before: Option<Self>, ended: Timestamp, call: &CallRecord) -> Self {
        let took = SignedDuration::from_millis(i64::try_from(call.duration_ms).unwrap_or(i64::MAX));
        let begun = ended.saturating_sub(took).unwrap_or(ended);
        let before = before.filter(|before| begun.duration_since(before.last) < APART);
        Self {
            since: before.map_or(begun, |before| before.since),
            last: ended,
            call: format!("{}:{}", call.service, call.operation),
            error: call.error().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::{CallResult, Subject};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("a time")
    }

    /// A call of two seconds that ended then: so many attempts, a status and a code.
    fn call(second: i64, operation: &str, attempts: u32, status: Option<u16>, code: Option<&str>) -> Entry {
        let result = match (status, code) {
            (Some(200), _) => CallResult::Ok,
            _ => CallResult::Error { code: code.map(str::to_owned), message: "why".to_owned() },
        };
        let call = CallRecord {
            service: if operation == "AttachPolicy" { "organizations" } else { "iam" }.to_owned(),
            operation: operation.to_owned(),
            account: None,
            region: "us-east-1".parse().expect("legal"),
            request_id: None,
            status,
            attempts,
            duration_ms: 2000,
            result,
        };
        Entry { seq: 1, time: at(second), subject: Subject::default(), event: Event::Call(call) }
    }

    fn since(calls: &[Entry]) -> Option<i64> {
        Outage::of(calls).map(|outage| outage.since.as_second() - 1_795_000_000)
    }

    #[test]
    fn it_begins_with_the_first_call_that_gets_no_answer_a_fault_or_throttling_without_end() {
        for (status, code) in [
            (None, None),
            (Some(503), Some("ServiceUnavailable")),
            (Some(500), Some("ServiceFailure")),
            (Some(400), Some("Throttling")),
            (Some(407), None),
        ] {
            let put = |second| call(second, "PutRolePolicy", 4, status, code);
            let read = call(11, "GetRole", 1, Some(200), None);
            assert_eq!(since(&[put(10), read, put(40)]), Some(8), "{code:?}");
        }
        let attach = call(10, "AttachPolicy", 4, None, None);
        assert_eq!(Outage::of(&[attach]).expect("an outage").service(), "Organizations");
    }

    #[test]
    fn a_change_that_is_answered_ends_it_if_only_by_a_no() {
        let failed = || call(10, "PutRolePolicy", 4, Some(503), Some("ServiceUnavailable"));
        for (status, code) in [
            (Some(200), None),
            (Some(403), Some("AccessDenied")),
            (Some(409), Some("LimitExceeded")),
            (Some(409), Some("ConcurrentModification")),
        ] {
            assert_eq!(since(&[failed(), call(40, "PutRolePolicy", 1, status, code)]), None, "{code:?}");
        }
    }

    #[test]
    fn a_read_that_is_answered_ends_only_what_reads_met() {
        let read = |second, status| call(second, "GetRole", 4, status, None);
        assert_eq!(since(&[read(10, None), read(40, None)]), Some(8));
        assert_eq!(since(&[read(10, None), read(40, Some(200))]), None);
        let put = call(20, "PutRolePolicy", 4, None, None);
        assert_eq!(since(&[put, read(40, Some(200))]), Some(18));
    }

    #[test]
    fn it_needs_a_person_after_a_minute_of_which_the_last_is_not_long_ago() {
        let put = |second| call(second, "PutRolePolicy", 4, None, None);
        let outage = Outage::of(&[put(10), put(50)]).expect("an outage");
        let needs = |second| outage.needs_person(at(second), SignedDuration::from_hours(1));
        assert!(!needs(60) && needs(70) && needs(100));
        // A process that was down meanwhile tries first.
        assert!(!needs(120));
    }

    #[test]
    fn what_was_not_sent_and_what_is_long_ago_says_nothing() {
        assert_eq!(since(&[call(10, "PutRolePolicy", 0, None, None)]), None);
        let put = |second| call(second, "PutRolePolicy", 4, None, None);
        assert_eq!(since(&[put(10), put(4000)]), Some(3998));
        assert_eq!(since(&[put(10), put(500)]), Some(8));
    }
}
