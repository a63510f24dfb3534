//! JSON: one document, or one remediation a line. The schema is docs/schema/report.schema.json.

use super::head::Head;
use super::remediation::RemediationReport;
use super::scan::ReportError;
use super::sheet::Sheet;
use super::summary::Summary;
use crate::incident::Incident;
use crate::safe;
use schemars::JsonSchema;
use std::io::Write;

/// The format's name, in the document.
const FORMAT: &str = "rescind-report/1";

/// A whole document. It is written piece by piece: this is what the pieces give.
#[derive(JsonSchema)]
#[schemars(title = "A report of rescind")]
#[allow(dead_code)] // for the schema
struct Report {
    /// Name and version of the format: `rescind-report/1`.
    format: String,
    #[schemars(flatten)]
    head: Head,
    /// The figures over all selected remediations.
    summary: Summary,
    /// The remediations, by their decisions, the oldest first. With `-o jsonl` each stands in a line of its own.
    remediations: Vec<RemediationReport>,
    /// The incidents that are more than one of these and nothing else. Not with `-o jsonl`.
    incidents: Vec<Incident>,
}

/// The schema of the document, as JSON.
#[must_use]
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Report).as_value())
}

#[derive(Default)]
pub(super) struct Document {
    begun: bool,
    has_incidents: bool,
}

impl Sheet for Document {
    fn begin(
        &mut self,
        head: &Head,
        summary: Option<&Summary>,
        out: &mut dyn Write,
    ) -> Result<(), ReportError> {
        write!(out, "{{\"format\":\"{FORMAT}\"")?;
        // The members of the head, without its braces.
        let mut members = Vec::new();
        safe::json(head, &mut members)?;
        if let Some(inner) = members.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")) {
            out.write_all(b",\n")?;
            out.write_all(inner)?;
        }
        out.write_all(b",\n\"summary\":")?;
        safe::json(&summary, out)?;
        Ok(out.write_all(b",\n\"remediations\":[")?)
    }

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        out.write_all(if self.begun { b",\n" } else { b"\n" })?;
        self.begun = true;
        Ok(safe::json(incident, out)?)
    }

    fn incident(&mut self, incident: &Incident, out: &mut dyn Write) -> Result<(), ReportError> {
        out.write_all(if self.has_incidents { b",\n" } else { b"\n],\n\"incidents\":[\n" })?;
        self.has_incidents = true;
        Ok(safe::json(incident, out)?)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError> {
        out.write_all(if self.has_incidents { b"" } else { b"\n],\n\"incidents\":[" })?;
        Ok(out.write_all(b"\n]}\n")?)
    }
}

pub(super) struct Lines;

impl Sheet for Lines {
    fn begin(&mut self, _: &Head, _: Option<&Summary>, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError> {
        safe::json(incident, out)?;
        Ok(out.write_all(b"\n")?)
    }

    fn end(&mut self, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_in_docs_is_that_of_the_code() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/report.schema.json");
        if std::env::var_os("RESCIND_WRITE_SCHEMAS").is_some() {
            std::fs::write(&path, super::schema()).expect("written");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == super::schema(),
            "docs/schema/report.schema.json is old: RESCIND_WRITE_SCHEMAS=1 cargo test writes it anew"
        );
    }
}
