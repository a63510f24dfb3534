//! Reports on a period, made from the ledger, for people, auditors and other programs.
//!
//! A report is made from the ledger alone, up to a checkpoint, and one remediation at a time: its memory
//! does not grow with the ledger. One file for each format.

mod asff;
mod attention;
mod containment;
mod csv;
mod diff;
mod finding;
mod glance;
mod head;
mod html;
mod json;
mod ocsf;
mod open_item;
mod opt_out_use;
mod reading;
mod remediation;
mod scan;
mod sheet;
mod sparse;
mod spread;
mod summary;
mod tally;
mod thefts;
mod timeline;
mod verdict;

pub use asff::HubFinding;
pub use containment::Containment;
pub use diff::policy_diff;
pub(crate) use diff::shortened;
pub use head::{Head, Signed};
pub(crate) use html::{Drawing, Prose};
pub use json::schema;
pub use remediation::{RemediationReport, RungReached, rungs};
pub use scan::{Prepared, ReportError};
pub use spread::Spread;
pub use summary::Summary;
pub use tally::{Tally, Week};
pub use verdict::Verdict;

use crate::ident::Region;
use crate::incident::Incident;
use sheet::Sheet;
use std::collections::HashSet;
use std::io::Write;

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, schemars::JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Format {
    /// One row for each remediation, for spreadsheets.
    Csv,
    /// One document with the figures and every remediation.
    Json,
    /// One remediation a line.
    Jsonl,
    /// OCSF 1.8.0 Remediation Activity, one event a line.
    Ocsf,
    /// Findings for Security Hub (ASFF), a list.
    Asff,
    /// A page for people, by itself.
    Html,
}

impl Format {
    /// The format's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Ocsf => "ocsf",
            Self::Asff => "asff",
            Self::Html => "html",
        }
    }

    /// Whether the format has the figures before the remediations.
    fn has_summary(self) -> bool {
        matches!(self, Self::Json | Self::Html)
    }
}

/// Writes a report and returns the number of remediations in it. `progress` receives how far it has come, and the
/// total.
///
/// # Errors
/// When the ledger cannot be read, or `out` not be written.
pub fn write(
    prepared: &Prepared<'_>,
    format: Format,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, ReportError> {
    let head = &prepared.head;
    let appendix = prepared.appendix && format == Format::Html;
    let passes = 1 + u64::from(format.has_summary()) + u64::from(appendix);
    let total = head.entries.unsigned_abs() * passes;
    let summary = if format.has_summary() {
        Some(Summary::gather(prepared, &mut |done| progress(done, total))?)
    } else {
        None
    };
    let before = if summary.is_some() { head.entries.unsigned_abs() } else { 0 };
    let mut sheet: Box<dyn Sheet + '_> = match format {
        Format::Csv => Box::new(csv::Csv::default()),
        Format::Json => Box::new(json::Document::default()),
        Format::Jsonl => Box::new(json::Lines),
        Format::Ocsf => Box::new(ocsf::Events::of(head)),
        Format::Asff => Box::new(asff::Findings::of(head, None)?),
        Format::Html => Box::new(html::Page::of(prepared)),
    };
    sheet.begin(head, summary.as_ref(), out)?;
    let mut count = 0;
    // Few remediations are a part of more: only their incidents are remembered, by their ids.
    let mut incidents: Vec<String> = Vec::new();
    prepared.each(false, &mut |done| progress(before + done, total), &mut |met| {
        if let Some(incident) = met.incident {
            sheet.one(&incident, out)?;
            count += 1;
            if format.has_summary() && incident.is_part() {
                incidents.push(incident.incident);
            }
        }
        Ok(())
    })?;
    let mut seen = HashSet::new();
    for id in incidents.iter().filter(|id| seen.insert(id.as_str())) {
        let incident = Incident::read(prepared.reader, id, prepared.known_until)?;
        if let Some(incident) = incident.filter(|incident| !incident.is_plain()) {
            sheet.incident(&incident, out)?;
        }
    }
    if appendix {
        let before = total - head.entries.unsigned_abs();
        prepared.each(false, &mut |done| progress(before + done, total), &mut |met| match met.incident {
            Some(report) => sheet.appendix(&report, out),
            None => Ok(()),
        })?;
    }
    sheet.end(out)?;
    out.flush()?;
    progress(total, total);
    Ok(count)
}

/// Gives each remediation as a finding for Security Hub: in `region`, or in that of its GuardDuty finding.
///
/// # Errors
/// When the ledger cannot be read, or does not have the hub's account; and those of `each`.
pub fn hub_findings(
    prepared: &Prepared<'_>,
    region: Option<Region>,
    progress: &mut dyn FnMut(u64, u64),
    each: &mut dyn FnMut(HubFinding) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    let findings = asff::Findings::of(&prepared.head, region)?;
    let total = prepared.head.entries.unsigned_abs();
    prepared.each(false, &mut |done| progress(done, total), &mut |met| match met.incident {
        Some(incident) => each(findings.hub_finding(&incident)?),
        None => Ok(()),
    })
}
