//! Walks through the ledger: one decision after another, each with the remediation that it began.

use super::head::{Head, Signed};
use super::reading::{Reading, event};
use super::remediation::{AccountPlace, RemediationReport};
use crate::ident::AccountId;
use crate::ledger::{LedgerError, Open, Reader};
use crate::org::{Placement, Snapshot};
use crate::remediation::{Event, ReasonCode, Recorded, Selection, VerdictName, incident_opened_by};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The report cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// What was asked for cannot be.
    #[error("{0}")]
    Asked(String),
}

/// A report that is about to be written.
pub struct Prepared<'a> {
    /// What stands above it.
    pub head: Head,
    pub(super) reader: &'a Reader,
    /// The time of the ledger's last entry: nobody knows what was in place later.
    pub(super) known_until: Timestamp,
    /// The page has an appendix with the ids of requests and the proofs of entries.
    pub(super) appendix: bool,
    placements: BTreeMap<AccountId, Placement>,
    organization: Option<Snapshot>,
}

/// What was met on the way.
pub(super) struct Met {
    pub decision: CountedDecision,
    /// The remediation that it began, when that is selected.
    pub incident: Option<Box<RemediationReport>>,
}

/// A decision, as far as it is counted.
pub(super) struct CountedDecision {
    pub at: Timestamp,
    pub account: Option<String>,
    pub verdict: VerdictName,
    pub code: ReasonCode,
    /// Type of the finding, when no rule is for it.
    pub without_rule: Option<String>,
    pub opt_outs: Vec<String>,
    pub covered_by: Option<String>,
}

impl<'a> Prepared<'a> {
    /// A report over what is in the ledger now.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the selection cannot be.
    pub fn new(reader: &'a Reader, selection: Selection, now: Timestamp) -> Result<Self, ReportError> {
        if let (Some(from), Some(to)) = (selection.from, selection.to)
            && from >= to
        {
            let why = format!("from {from:.0} is not before to {to:.0}: nothing lies between");
            return Err(ReportError::Asked(why));
        }
        let checkpoint = reader.latest_checkpoint()?.map(|(entries, note)| Signed { entries, note });
        let placements = reader.placements()?;
        for ou in &selection.ous {
            let known =
                placements.values().any(|placement| placement.ous.iter().flatten().any(|one| one == ou));
            if !known {
                let why = format!(
                    "the ledger knows no account in {ou:?}: it keeps the OUs of those for which a rule or an opt-out asked"
                );
                return Err(ReportError::Asked(why));
            }
        }
        let head = Head {
            generated_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            entries: reader.last()?,
            checkpoint,
            selection,
            hub_account: reader.hub_account()?,
        };
        let known_until = reader.last_time()?.map_or(now, |last| last.min(now));
        Ok(Self {
            head,
            reader,
            known_until,
            appendix: false,
            placements,
            organization: reader.organization()?,
        })
    }

    /// With an appendix, where the format has one: the ids of all requests, and the proofs of all entries.
    #[must_use]
    pub fn with_appendix(self, appendix: bool) -> Self {
        Self { appendix, ..self }
    }

    /// It is only about some remediations, so what led to none does not belong to it.
    pub(super) fn only_remediations(&self) -> bool {
        let Selection { states, proofs, remediations, .. } = &self.head.selection;
        !(states.is_empty() && proofs.is_empty() && remediations.is_empty())
    }

    /// Those organizational units that the account is in.
    pub(super) fn ous(&self, account: &str) -> &[String] {
        let placement = account.parse().ok().and_then(|account: AccountId| self.placements.get(&account));
        placement.and_then(|placement| placement.ous.as_deref()).unwrap_or_default()
    }

    pub(super) fn name(&self, account: &str) -> Option<&str> {
        let account = account.parse().ok()?;
        Some(self.organization.as_ref()?.account(&account)?.name.as_str())
    }

    /// How many remediations of the same accounts were decided before the period and are not finished.
    pub(super) fn earlier(&self) -> Result<u64, LedgerError> {
        let Some(from) = self.head.selection.from.filter(|_| !self.only_remediations()) else { return Ok(0) };
        let unfinished = self.reader.unfinished()?.into_iter();
        let is_earlier = |one: &Open| {
            one.opened_at < from && self.is_selected(Some(one.account.as_str()), Some(&one.remediation))
        };
        Ok(unfinished.filter(is_earlier).count() as u64)
    }

    fn is_selected(&self, account: Option<&str>, remediation: Option<&str>) -> bool {
        let Selection { accounts, ous, remediations, .. } = &self.head.selection;
        let in_account = accounts.is_empty()
            || account.is_some_and(|one| accounts.iter().any(|other| other.as_str() == one));
        let in_ou = ous.is_empty()
            || account.is_some_and(|account| self.ous(account).iter().any(|ou| ous.contains(ou)));
        let named = remediations.is_empty()
            || remediation.is_some_and(|id| remediations.iter().any(|other| other == id));
        in_account && in_ou && named
    }

    /// Shows each decision that is selected, oldest first; without `all` only those that began a
    /// remediation.
    pub(super) fn each(
        &self,
        all: bool,
        progress: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(Met) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let (upto, selection) = (self.head.entries, &self.head.selection);
        let all = all && !self.only_remediations();
        let mut after = 0;
        loop {
            let some = self.reader.some_decisions(selection, after, upto, all)?;
            let Some(last) = some.last().map(|row| row.seq) else { return Ok(()) };
            for row in some {
                if !self.is_selected(row.account.as_deref(), row.remediation.as_deref()) {
                    continue;
                }
                let broken = |why: &dyn ToString| self.reader.bad_entry(row.seq, &why.to_string());
                let at = row.time.parse().map_err(|error: jiff::Error| broken(&error))?;
                let event = event("decision", &row.body).map_err(|why| broken(&why))?;
                let Event::Decision { occurrence, verdict, code, opt_outs, covered_by, .. } = &event else {
                    return Err(broken(&"expected a decision").into());
                };
                // What was decided about it before is no second finding.
                if row.remediation.is_none()
                    && self.reader.is_decided_again(occurrence, row.seq, selection, upto)?
                {
                    continue;
                }
                let (occurrence, account) = (occurrence.clone(), row.account);
                let without_rule = match code {
                    ReasonCode::OtherType => self.reader.type_of(&occurrence)?,
                    _ => None,
                };
                let decision = CountedDecision {
                    at,
                    account,
                    verdict: *verdict,
                    code: *code,
                    without_rule,
                    opt_outs: opt_outs.clone(),
                    covered_by: covered_by.clone(),
                };
                let incident = match &row.remediation {
                    None => None,
                    Some(id) => {
                        let decided = Recorded { entry: row.seq, at, what: event };
                        match self.incident(id, &occurrence, decided)? {
                            Some(one) if selection.has_state(one.state) && selection.has_proof(one.proof) => {
                                Some(Box::new(one))
                            }
                            _ => continue,
                        }
                    }
                };
                each(Met { decision, incident })?;
            }
            progress(last.unsigned_abs());
            after = last;
        }
    }

    /// The remediation that a decision began.
    fn incident(
        &self,
        id: &str,
        occurrence: &str,
        decided: Recorded<Event>,
    ) -> Result<Option<RemediationReport>, ReportError> {
        let upto = self.head.entries;
        let mut reading = Reading::of(id, decided);
        self.reader.raw_entries(id, occurrence, upto, &mut |entry| reading.take(entry))?;
        if let Some((seq, why)) = reading.broken {
            return Err(self.reader.bad_entry(seq, &why).into());
        }
        let Some(remediation) = reading.remediation else { return Ok(None) };
        let account = remediation.target.account.as_str();
        let place =
            AccountPlace { name: self.name(account).map(str::to_owned), ous: self.ous(account).to_vec() };
        let also_for = self.reader.also_for(id, upto)?;
        let until = self.known_until;
        let incident = self.reader.incident_of(id)?.unwrap_or_else(|| incident_opened_by(id));
        Ok(Some(RemediationReport::of(remediation, reading.timeline, incident, place, also_for, until)))
    }
}
