//! The page: its head, the remediations one by one, and its foot.

use super::appendix::{AppendixPage, Proof};
use super::head::HeadPage;
use super::incident::IncidentPage;
use super::remediation::{RemediationPage, Said};
use super::shown::Shown;
use crate::incident::Incident;
use crate::ledger::Paths;
use crate::report::head::Head;
use crate::report::remediation::RemediationReport;
use crate::report::scan::{Prepared, ReportError};
use crate::report::sheet::Sheet;
use crate::report::summary::Summary;
use crate::safe::Cleaned;
use askama::Template;
use std::io::Write;

pub(in crate::report) struct Page<'a> {
    prepared: &'a Prepared<'a>,
    /// How many entries are signed for, and the ways to that root.
    signed: Option<(u64, Paths<'a>)>,
    archived: u64,
    count: u64,
    has_incidents: bool,
    has_source: bool,
    said: Said,
}

#[derive(Template)]
#[template(path = "report/incidents.html")]
struct IncidentsPage;

#[derive(Template)]
#[template(path = "report/source.html")]
struct SourcePage<'a> {
    has_appendix: bool,
    count: u64,
    generated: String,
    version: &'a str,
    entries: i64,
    unsigned: u64,
    archived: u64,
    note: &'a str,
}

#[derive(Template)]
#[template(path = "report/foot.html")]
struct FootPage;

impl<'a> Page<'a> {
    pub fn of(prepared: &'a Prepared<'a>) -> Self {
        let signed =
            prepared.head.checkpoint.as_ref().map(|one| (one.entries, prepared.reader.paths(one.entries)));
        Self {
            prepared,
            signed,
            archived: 0,
            count: 0,
            has_incidents: false,
            has_source: false,
            said: Said::default(),
        }
    }
}

fn render(page: &impl Template, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut cleaned = Cleaned { out, error: None };
    let rendered = page.render_into(&mut cleaned);
    match (rendered, cleaned.error) {
        (_, Some(error)) => Err(error.into()),
        (Err(error), None) => Err(std::io::Error::other(error).into()),
        (Ok(()), None) => Ok(()),
    }
}

impl Sheet for Page<'_> {
    fn begin(
        &mut self,
        head: &Head,
        summary: Option<&Summary>,
        out: &mut dyn Write,
    ) -> Result<(), ReportError> {
        let nothing = Summary::default();
        let summary = summary.unwrap_or(&nothing);
        self.archived = summary.archived;
        render(&HeadPage::of(head, summary, self.prepared.known_until), out)
    }

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        self.count += 1;
        render(&RemediationPage::of(incident, self.prepared.appendix, &mut self.said), out)
    }

    fn incident(&mut self, incident: &Incident, out: &mut dyn Write) -> Result<(), ReportError> {
        if !std::mem::replace(&mut self.has_incidents, true) {
            render(&IncidentsPage, out)?;
        }
        render(&IncidentPage::of(incident), out)
    }

    fn appendix(&mut self, report: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        self.source(out)?;
        let proof = match &self.signed {
            Some((size, paths)) => Proof::of(report, *size, paths)?,
            None => Proof::default(),
        };
        render(&AppendixPage::of(report, proof), out)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError> {
        self.source(out)?;
        render(&FootPage, out)
    }
}

impl Page<'_> {
    /// Where the report comes from, behind all remediations and incidents: the appendix stands behind it.
    fn source(&mut self, out: &mut dyn Write) -> Result<(), ReportError> {
        if std::mem::replace(&mut self.has_source, true) {
            return Ok(());
        }
        let head = &self.prepared.head;
        let signed = head.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.entries);
        let page = SourcePage {
            has_appendix: self.prepared.appendix && self.count > 0,
            count: self.count,
            generated: Shown::time(&head.generated_at),
            version: &head.version,
            entries: head.entries,
            unsigned: head.entries.unsigned_abs().saturating_sub(signed),
            archived: self.archived,
            note: head.checkpoint.as_ref().map_or("", |checkpoint| &checkpoint.note),
        };
        render(&page, out)
    }
}
