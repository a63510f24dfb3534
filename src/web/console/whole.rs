//! What *Now* shows of the whole ledger, kept until that has a new entry: all open pages show the same.

use crate::desk::{AlertLine, alert_lines};
use crate::ledger::{LedgerError, Open, Reader};
use crate::org::Snapshot;
use crate::remediation::{Remediation, Standing};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How far back alerts are shown that nobody has seen to.
const ALERTS_SINCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is shown of the whole ledger.
#[derive(Debug)]
pub(super) struct Whole {
    /// The last entry.
    last: i64,
    /// How many remediations stand where.
    pub standings: Vec<(Standing, i64)>,
    /// The remediations that are not finished, oldest first.
    pub unfinished: Vec<Open>,
    /// The organization as it was read last.
    pub organization: Option<Snapshot>,
    /// The alerts that nobody has seen to, the latest first.
    alerts: Vec<AlertLine>,
    /// The remediations that were shown.
    shown: Mutex<HashMap<String, Arc<Remediation>>>,
}

impl Whole {
    fn read(reader: &Reader, last: i64) -> Result<Self, LedgerError> {
        let mut alerts = alert_lines(reader, since())?;
        alerts.retain(|line| line.acknowledged.is_none());
        Ok(Self {
            last,
            standings: reader.standings()?,
            unfinished: reader.unfinished()?,
            organization: reader.organization()?,
            alerts,
            shown: Mutex::default(),
        })
    }

    /// The remediation with this id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn remediation(&self, reader: &Reader, id: &str) -> Result<Arc<Remediation>, LedgerError> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shown.get(id) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(reader.remediation(id)?);
        shown.insert(id.to_owned(), Arc::clone(&read));
        Ok(read)
    }

    /// The alerts of the last days that nobody has seen to, the latest first.
    pub fn alerts(&self) -> impl Iterator<Item = &AlertLine> {
        let since = since();
        self.alerts.iter().filter(move |line| line.at >= since)
    }
}

fn since() -> Timestamp {
    Timestamp::now().saturating_sub(ALERTS_SINCE).unwrap_or(Timestamp::MIN)
}

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Arc<Whole>>>);

impl Kept {
    /// As the ledger has it now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn update(&self, reader: &Reader) -> Result<Arc<Whole>, LedgerError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = reader.last()?;
        if let Some(whole) = kept.as_ref().filter(|whole| whole.last == last) {
            return Ok(Arc::clone(whole));
        }
        let whole = Arc::new(Whole::read(reader, last)?);
        *kept = Some(Arc::clone(&whole));
        Ok(whole)
    }
}
