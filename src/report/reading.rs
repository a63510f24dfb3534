//! Reads a remediation from its raw entries: through the one fold, with its timeline.
//!
//! Most entries are AWS calls: of those only what a report needs is read.

use super::timeline::Timeline;
use crate::audit::canonical::Members;
use crate::finding::Finding;
use crate::ledger::RawEntry;
use crate::remediation::{Event, Recorded, Remediation};
use jiff::Timestamp;
use serde::Deserialize;

/// What an entry says. With its kind before its data it is read in one go.
pub(super) fn event(kind: &str, body: &[u8]) -> Result<Event, String> {
    let members = Members::of(body).ok_or("its text is not canonical JSON")?;
    let tag = serde_json::Value::from(kind);
    let text = match members.raw("data") {
        Some(raw) => format!("{{\"kind\":{tag},\"data\":{raw}}}"),
        None => format!("{{\"kind\":{tag}}}"),
    };
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct FindingData {
    finding: Finding,
}

fn finding(body: &[u8]) -> Result<Finding, String> {
    let raw = Members::of(body).and_then(|members| members.raw("data"));
    let raw = raw.ok_or("its text is not canonical JSON")?;
    serde_json::from_str(raw).map(|data: FindingData| data.finding).map_err(|error| error.to_string())
}

/// A remediation that is being read, entry by entry: its finding first.
pub(super) struct Reading<'a> {
    id: &'a str,
    /// The decision that began it, until it is its turn.
    decision: Option<Recorded<Event>>,
    finding: Option<Recorded<Finding>>,
    pub remediation: Option<Remediation>,
    pub timeline: Timeline,
    /// The entry that cannot be read, and why.
    pub broken: Option<(i64, String)>,
}

impl<'a> Reading<'a> {
    /// Of the remediation that this decision began.
    pub fn of(id: &'a str, decision: Recorded<Event>) -> Self {
        Self {
            id,
            decision: Some(decision),
            finding: None,
            remediation: None,
            timeline: Timeline::default(),
            broken: None,
        }
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: RawEntry<'_>) {
        if self.broken.is_some() {
            return;
        }
        if let Err(why) = self.next(entry) {
            self.broken = Some((entry.seq, why));
        }
    }

    fn next(&mut self, RawEntry { seq, time, kind, body }: RawEntry<'_>) -> Result<(), String> {
        if kind == "call" {
            self.timeline.call(seq, body);
            return Ok(());
        }
        let at: Timestamp = time.parse().map_err(|error: jiff::Error| error.to_string())?;
        if kind == "finding" {
            self.finding = Some(Recorded { entry: seq, at, what: finding(body)? });
            return Ok(());
        }
        let event = match self.decision.take_if(|decision| decision.entry == seq) {
            Some(decision) => decision.what,
            None => event(kind, body)?,
        };
        self.timeline.step(seq, at, &event);
        let recorded = Recorded { entry: seq, at, what: event };
        if let Some(remediation) = &mut self.remediation {
            let was_proved = !remediation.proofs.is_empty();
            remediation.take(recorded);
            if was_proved && remediation.proofs.is_empty() {
                self.timeline.proofs_end();
            }
        } else {
            let seen = self.finding.as_ref().ok_or("its finding is missing: see `rescind ledger rebuild`")?;
            self.remediation = Remediation::begin(self.id, seen, recorded);
        }
        Ok(())
    }
}
