//! The trait of the report formats.

use super::head::Head;
use super::remediation::RemediationReport;
use super::scan::ReportError;
use super::summary::Summary;
use std::io::Write;

/// Writes remediations in a format.
pub(super) trait Sheet {
    /// What stands before them.
    fn begin(
        &mut self,
        head: &Head,
        summary: Option<&Summary>,
        out: &mut dyn Write,
    ) -> Result<(), ReportError>;

    fn one(&mut self, incident: &RemediationReport, out: &mut dyn Write) -> Result<(), ReportError>;

    /// What stands behind them.
    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError>;
}
