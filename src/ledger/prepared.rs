//! An entry, ready to be written but for its number and its time.
//!
//! Whoever appends prepares the entry on its own thread, so that the writer has little left to do:
//! `seq` and `time` come last in canonical order, and are put behind the rest.

use super::LedgerError;
use crate::canonical;
use crate::remediation::{Draft, Entry, Event, Subject};
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;

/// An entry, ready to be written but for its number and its time.
#[derive(Debug)]
pub(super) struct Prepared {
    pub subject: Subject,
    pub event: Event,
    /// What is seen only once: a finding's occurrence, or the hash of what cannot be read.
    pub occurrence: Option<String>,
    /// Its canonical JSON up to `seq`.
    head: Vec<u8>,
}

#[derive(Serialize)]
struct Head<'a> {
    #[serde(flatten)]
    subject: &'a Subject,
    #[serde(flatten)]
    event: &'a Event,
}

impl Prepared {
    /// Makes the canonical JSON, and sees that it can be read back.
    ///
    /// # Errors
    /// When it could not: that would make the ledger unreadable, and it cannot be taken back.
    pub fn new(Draft { subject, event }: Draft) -> Result<Self, LedgerError> {
        let kind = event.kind();
        let unwritable = |error: String| LedgerError::Unwritable { kind, error };
        let mut head = canonical::to_vec(&Head { subject: &subject, event: &event })
            .map_err(|error| unwritable(error.to_string()))?;
        head.pop();
        let occurrence = event.occurrence();
        let prepared = Self { subject, event, occurrence, head };
        // Most entries are calls. They are of our own making through and through: no need to read them.
        if matches!(prepared.event, Event::Call(_)) {
            return Ok(prepared);
        }
        let read: Entry = serde_json::from_slice(&prepared.body(1, Timestamp::UNIX_EPOCH))
            .map_err(|error| unwritable(error.to_string()))?;
        if (&read.subject, &read.event) == (&prepared.subject, &prepared.event) {
            Ok(prepared)
        } else {
            Err(unwritable("it would not read back as it is".to_owned()))
        }
    }

    /// The canonical JSON of the whole entry.
    pub fn body(&self, seq: i64, time: Timestamp) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.head.len() + 64);
        body.extend_from_slice(&self.head);
        // Neither a number below 2^53 nor a time has anything to be escaped.
        let _ = write!(body, ",\"seq\":{seq},\"time\":\"{time}\"}}");
        body
    }

    /// Whether the state of a remediation can forbid it.
    pub fn is_step(&self) -> bool {
        self.subject.remediation.is_some() && self.event.is_step()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_canonical_json_of_the_entry() {
        for (principal, seq, time) in [
            (None, 1, "2026-11-22T10:00:00Z"),
            (Some("a \"role\" \u{1f600}\n".to_owned()), 9_007_199_254_740_991, "2026-11-22T10:00:00.12Z"),
        ] {
            let subject = Subject { principal, remediation: Some("r-1".to_owned()), ..Subject::default() };
            let event = Event::NotApplied { found: "ab\u{0}c".to_owned() };
            let time = time.parse().expect("a time");
            let prepared = Prepared::new(Draft { subject: subject.clone(), event: event.clone() });
            let wanted = serde_json_canonicalizer::to_vec(&Entry { seq, time, subject, event });
            assert_eq!(prepared.expect("writable").body(seq, time), wanted.expect("canonical"));
        }
    }
}
