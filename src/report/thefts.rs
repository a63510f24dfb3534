//! The thefts of a report: incidents, each of which stands where the worst of its remediations stands.

use super::containment::Containment;
use super::remediation::RemediationReport;
use super::scan::{Prepared, ReportError};
use super::verdict::Verdict;
use crate::incident::{Incident, SessionStatus};
use crate::trail::{Activity, Meaning};
use std::collections::{BTreeSet, HashMap};

/// The thefts while a report is gone through. Of each only its id and where it stands is remembered.
#[derive(Debug, Default)]
pub(super) struct Thefts {
    worst: HashMap<String, Containment>,
    /// Those of which CloudTrail shows that the thief may have opened or made something.
    opened: BTreeSet<String>,
}

impl Thefts {
    pub fn add(&mut self, report: &RemediationReport) {
        let worst = self.worst.entry(report.incident.clone()).or_insert(report.containment);
        *worst = report.containment.max(*worst);
        let opens = |one: &Activity| one.worked() && one.meaning != Meaning::Takes;
        if report.activities.iter().any(opens) {
            self.opened.insert(report.incident.clone());
        }
    }

    /// The thefts counted, and what the ledger has of doors and sessions that are open.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn verdict(self, prepared: &Prepared<'_>) -> Result<Verdict, ReportError> {
        let mut verdict = Verdict { thefts: self.worst.len() as u64, ..Verdict::default() };
        for containment in self.worst.into_values() {
            *verdict.by_containment.entry(containment).or_default() += 1;
        }
        for id in &self.opened {
            let Some(incident) = Incident::read(prepared.reader, id, prepared.known_until)? else { continue };
            verdict.open_doors += incident.open_doors().count() as u64;
            let is_free = |status| status == SessionStatus::NotDenied;
            let free = incident.sessions.iter().filter(|one| one.is_open && is_free(one.status));
            verdict.open_sessions += free.filter(|one| one.remediation.is_none()).count() as u64;
        }
        verdict.earlier = prepared.earlier()?;
        Ok(verdict)
    }
}
