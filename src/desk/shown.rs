//! A remediation in full.

use super::RemediationLine;
use crate::finding::Finding;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{Change, Cutoff, Entry, Event, Outage, Remediation};
use crate::remedy::regional;
use crate::trail::Activity;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A remediation in full, as `rescind show -o json` and the API give it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Shown {
    /// The remediation in one line.
    pub remediation: RemediationLine,
    /// The incident that it belongs to.
    pub incident: Option<String>,
    /// The finding that led to it.
    #[schemars(with = "serde_json::Value")]
    pub finding: Finding,
    /// The later findings that it takes care of as well.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub attached: Vec<Finding>,
    /// What would be done if it were approved.
    pub proposal: Option<Change>,
    /// The change that was made or is being made.
    pub change: Option<Change>,
    /// What CloudTrail shows of the credentials.
    pub activities: Vec<Activity>,
    /// Since when the control plane takes no changes, if it does not.
    pub outage: Option<Outage>,
    /// What contains it meanwhile.
    pub regional: Option<Vec<String>>,
    /// All its entries.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub entries: Vec<Entry>,
    /// The remediation as the entries make it.
    #[serde(skip)]
    pub whole: Remediation,
    /// When the ledger was written last.
    #[serde(skip)]
    pub known_until: Option<Timestamp>,
}

impl Shown {
    /// The remediation with this id.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be read.
    pub fn read(reader: &Reader, id: &str) -> Result<Self, LedgerError> {
        let mut whole = reader.remediation(id)?;
        let entries = reader.entries_of(id)?;
        for entry in &entries {
            if let Event::Trace(trace) = &entry.event {
                whole.history.activities.extend(trace.activities.iter().cloned());
            }
        }
        let (known_until, incident) = (reader.last_time()?, reader.incident_of(id)?);
        let waits = reader.unchanged()?.into_iter().find(|one| one.remediation.remediation == *id);
        let outage = waits.map(|one| one.outage);
        Ok(Self {
            remediation: RemediationLine::of(&whole, known_until, &reader.account_names()?),
            incident,
            finding: whole.finding.clone(),
            attached: reader.attached(id)?,
            proposal: whole.proposal.as_ref().and_then(|p| p.change.clone()),
            change: whole.change.clone(),
            activities: whole.history.activities.clone(),
            regional: outage.as_ref().map(|_| regional(&whole, Cutoff::at(Timestamp::now()))),
            outage,
            entries,
            whole,
            known_until,
        })
    }
}
