//! Which services of AWS answer this process: a leader that reaches none of one must let another lead.

use crate::remediation::CallRecord;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The services without which nothing is seen or changed.
const NEEDED: [&str; 3] = ["guardduty", "iam", "sts"];

/// Since when services do not answer, as the calls that were made show it.
#[derive(Debug, Default)]
pub struct Reach(Mutex<BTreeMap<String, Instant>>);

impl Reach {
    /// Takes note of a call. An error that AWS answered is an answer.
    pub(super) fn note(&self, call: &CallRecord) {
        if !NEEDED.contains(&call.service.as_str()) {
            return;
        }
        let mut unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if call.status.is_some() {
            unanswered.remove(&call.service);
        } else {
            unanswered.entry(call.service.clone()).or_insert_with(Instant::now);
        }
    }

    /// A service that has answered nothing for so long.
    #[must_use]
    pub fn lost(&self, longest: Duration) -> Option<String> {
        let unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unanswered.iter().find(|(_, since)| since.elapsed() >= longest).map(|(service, _)| service.clone())
    }
}
