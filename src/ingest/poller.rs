//! What polls a region: whose detector it asks, and since when the region is watched.

use super::health::Pulse;
use crate::aws::Hub;
use crate::ident::Region;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{CallError, Draft, ErrorKind, Event, Subject};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Minimum age, at the beginning of a region's watch, of what was there before it. An event comes some moments after its
/// finding, and the region may be watched because of it.
const BEFORE_WATCH: SignedDuration = SignedDuration::from_mins(15);

/// How a region came to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The configuration names it.
    Named,
    /// It was found to be enabled, at the start. That there is no detector in it is no failure.
    AtStart,
    /// The same, while the service runs.
    Late,
}

#[derive(Debug)]
pub struct Poller {
    pub(super) region: Region,
    pub(super) found: Found,
    detector: Mutex<Option<String>>,
    /// When a wide poll was made last.
    pub(super) wide: Mutex<Option<Instant>>,
    pulse: Pulse,
}

impl Poller {
    #[must_use]
    pub(super) fn new(region: Region, found: Found) -> Self {
        Self { region, found, detector: Mutex::default(), wide: Mutex::default(), pulse: Pulse::default() }
    }

    /// How it is doing.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Nobody named the region.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.found != Found::Named
    }

    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Since when this ledger watches the region: from now on, when it did not yet.
    pub(super) async fn watched_since(
        &self,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<Option<Timestamp>, LedgerError> {
        if reader.watched_since(&self.region)?.is_none() {
            let subject = Subject { region: Some(self.region.clone()), ..Subject::default() };
            ledger.append(Draft { subject, event: Event::Watching }).await?;
        }
        reader.watched_since(&self.region)
    }

    /// The same less [`BEFORE_WATCH`].
    pub(super) async fn watched_long_since(
        &self,
        ledger: &Ledger,
        reader: &Reader,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let since = self.watched_since(ledger, reader).await?;
        Ok(since.and_then(|since| since.checked_sub(BEFORE_WATCH).ok()))
    }

    /// The id of the detector, asked for once; none where GuardDuty is not enabled.
    pub(super) async fn detector(&self, hub: &Hub) -> Result<Option<String>, CallError> {
        let known = self.detector.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(detector) = known {
            return Ok(Some(detector));
        }
        let detector = hub.detector(&self.region).await?;
        self.detector.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&detector);
        Ok(detector)
    }

    /// A detector that is refused may have been made again under another id.
    pub(super) fn forget_detector(&self, error: CallError) -> CallError {
        if error.kind == ErrorKind::Refused {
            *self.detector.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        error
    }
}
