//! CSV (RFC 4180): one row for each remediation. No cell is a formula.

use super::finding::known;
use super::head::Head;
use super::remediation::RemediationReport;
use super::scan::ReportError;
use super::sheet::Sheet;
use super::summary::Summary;
use super::tally::severity_word;
use crate::remediation::AskedEnd;
use crate::safe;
use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use jiff::Timestamp;
use std::io::Write;

#[derive(Default)]
pub(super) struct Csv {
    row: Vec<String>,
}

/// A column: its name, and what stands in it.
type Column = (&'static str, fn(&RemediationReport) -> String);

fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn seconds(seconds: Option<f64>) -> String {
    seconds.map(|seconds| format!("{seconds:.3}")).unwrap_or_default()
}

fn opt(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn rung(incident: &RemediationReport, name: &str) -> String {
    time(incident.rungs.iter().find(|one| one.rung == name).map(|one| one.at))
}

/// What ended the latest time in which a person was asked.
fn ended(incident: &RemediationReport) -> Option<&AskedEnd> {
    incident.held.last().and_then(|asked| asked.ended.as_ref())
}

/// Their order and names do not change; new ones come at the end.
const COLUMNS: &[Column] = &[
    ("remediation", |s| s.remediation.clone()),
    ("state", |s| s.state.to_string()),
    ("proof", |s| s.proof.map(|rung| rung.to_string()).unwrap_or_default()),
    ("account", |s| s.account.clone()),
    ("account_name", |s| opt(s.account_name.as_deref())),
    ("ous", |s| s.ous.join(" ")),
    ("principal_kind", |s| s.principal_kind.clone()),
    ("principal", |s| s.principal.clone()),
    ("session", |s| opt(s.session.as_deref())),
    ("finding", |s| s.finding.id.clone()),
    ("finding_type", |s| s.finding.finding_type.clone()),
    ("region", |s| s.finding.region.clone()),
    ("severity", |s| s.finding.severity.map(|one| one.to_string()).unwrap_or_default()),
    ("title", |s| opt(known(s.finding.title.as_ref()))),
    ("access_key", |s| opt(s.finding.access_key())),
    ("remote_ip", |s| opt(s.finding.remote_ip())),
    ("remote_organization", |s| opt(known(s.finding.evidence.remote_organization.as_ref()))),
    ("instance", |s| opt(s.finding.instance())),
    ("last_activity", |s| s.finding.last_activity.to_string()),
    ("seen_at", |s| s.finding.seen_at.to_string()),
    ("decided_at", |s| s.decision.at.to_string()),
    ("verdict", |s| s.decision.verdict.to_string()),
    ("reason", |s| s.decision.reason.clone()),
    ("rule", |s| opt(s.decision.rule.as_deref())),
    ("opt_outs", |s| s.decision.opt_outs.join(", ")),
    ("recurrence_of", |s| s.recurrence.as_ref().map(|one| one.of.clone()).unwrap_or_default()),
    ("held_since", |s| time(s.held.first().map(|held| held.since))),
    ("answer", |s| ended(s).map(|end| end.how.to_string()).unwrap_or_default()),
    ("answered_by", |s| opt(ended(s).and_then(|end| end.answer.as_ref()).map(|answer| answer.by.as_str()))),
    ("cutoff", |s| time(s.changes.last().map(|made| made.change.cutoff.time()))),
    ("denied_at", |s| time(s.denied_at)),
    ("seconds_to_deny", |s| seconds(s.seconds_to_deny)),
    ("accepted_at", |s| rung(s, "accepted")),
    ("present_at", |s| rung(s, "present")),
    ("simulated_at", |s| rung(s, "simulated")),
    ("enforced_at", |s| rung(s, "enforced")),
    ("refused", |s| s.refused().map(|one| one.what.reason.clone()).unwrap_or_default()),
    ("drifts", |s| s.drifts.len().to_string()),
    ("seconds_in_force", |s| seconds(s.in_force.as_ref().map(|one| one.seconds))),
    ("seconds_since_first_put", |s| seconds(s.in_force.as_ref().map(|one| one.of_seconds))),
    ("gaps", |s| s.in_force.as_ref().map(|one| one.gaps.len().to_string()).unwrap_or_default()),
    ("quarantine_attached_at", |s| time(s.quarantine().and_then(|one| one.attached_at))),
    ("quarantine_lifted_at", |s| time(s.quarantine().and_then(|one| one.lifted_at))),
    ("quarantined", |s| s.quarantine().map(|one| one.is_open().to_string()).unwrap_or_default()),
    ("made_elsewhere", |s| {
        let worked = s.activities.iter().filter(|one| one.worked());
        worked.filter_map(|one| one.object.as_deref()).collect::<Vec<_>>().join(" ")
    }),
    ("undone_at", |s| time(s.undone_at)),
    ("calls", |s| s.calls.count.to_string()),
    ("failed_calls", |s| s.calls.failed.to_string()),
    ("request_ids", |s| {
        let ids = s.calls.requests.iter().filter_map(|call| call.request_id.as_deref());
        ids.collect::<Vec<_>>().join(" ")
    }),
    ("decision_entry", |s| s.decision.entry.to_string()),
    ("to_do", |s| opt(s.to_do.as_deref())),
    ("incident", |s| s.incident.clone()),
    ("severity_level", |s| severity_word(s.finding.severity).to_owned()),
    ("containment", |s| s.containment.name().to_owned()),
    ("highest_proof", |s| s.highest_proof.map(|rung| rung.to_string()).unwrap_or_default()),
    ("in_force_until", |s| time(s.in_force.as_ref().map(|one| one.until))),
    ("is_in_force", |s| s.in_force.as_ref().map(|_| s.is_in_force().to_string()).unwrap_or_default()),
    ("needs_person_since", |s| time(s.attention.as_ref().map(|one| one.since))),
    ("needs_person_because", |s| s.attention.as_ref().map(|one| one.why.clone()).unwrap_or_default()),
];

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    let clean = safe::line(cell);
    // What spreadsheets trim or skip before a formula, they may skip here as well.
    match cell.chars().find(|c| *c != ' ') {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{clean}")
        }
        _ => clean,
    }
}

fn write(row: &[String], out: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::with_capacity(1024));
    writer.write_record(row).map_err(std::io::Error::from)?;
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(out.write_all(&bytes)?)
}

impl Sheet for Csv {
    fn begin(&mut self, _: &Head, _: Option<&Summary>, out: &mut dyn Write) -> Result<(), ReportError> {
        let names: Vec<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
        write(&names, out)
    }

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        self.row.clear();
        self.row.extend(COLUMNS.iter().map(|(_, cell)| harmless(&cell(incident))));
        write(&self.row, out)
    }

    fn end(&mut self, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_cell_begins_as_a_formula(cell in "[ =+\\-@\t\r\n'\"a<\u{202e}]{0,6}") {
            let mut out = Vec::new();
            write(&[harmless(&cell), "x".to_owned()], &mut out).expect("written");
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
            let row = reader.records().next().expect("a row").expect("CSV");
            prop_assert_eq!(row.len(), 2);
            let first = row[0].trim_start().chars().next();
            prop_assert!(!matches!(first, Some('=' | '+' | '-' | '@')), "{:?}", &row[0]);
            prop_assert!(!row[0].chars().any(safe::is_harmful));
        }
    }
}
