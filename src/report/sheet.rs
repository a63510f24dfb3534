//! The trait of the report formats.

use super::head::Head;
use super::remediation::RemediationReport;
use super::scan::ReportError;
use super::summary::Summary;
use crate::incident::Incident;
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

    /// An incident that is more than one of these, behind all of them: where the format has room for it.
    fn incident(&mut self, _: &Incident, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }

    /// What proves a remediation, behind everything else: where that is wanted and the format has room for it.
    fn appendix(&mut self, _: &RemediationReport, _: &mut dyn Write) -> Result<(), ReportError> {
        Ok(())
    }

    /// What stands behind them.
    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError>;
}
