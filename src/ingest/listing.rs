//! What a poll lists, and how far it looks back.

use super::pace::Pace;
use super::poller::Poller;
use crate::aws::{FindingKinds, FindingQuery, Hub};
use crate::ledger::{Cursor, Ledger, LedgerError, Reader, SideTable};
use crate::remediation::CallError;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Time that a poll looks back behind the latest finding that it knows. `updatedAt` is when
/// GuardDuty wrote a finding; it can be listed some minutes later, out of order. What comes
/// twice is known by its occurrence and recorded once.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// Time that a wide poll looks back: as long as GuardDuty may keep repeated activity to itself before it
/// publishes it (User Guide, "Setting up frequency to export": 15 minutes, 1 hour or 6 hours), and the
/// same overlap.
const WIDE_OVERLAP: SignedDuration = SignedDuration::from_mins(6 * 60 + 15);

/// Interval between wide polls.
const WIDE_INTERVAL: Duration = Duration::from_mins(10);

/// Interval between polls that list whatever GuardDuty has: 90 days.
const WHOLE_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// Time for which GuardDuty keeps a finding (User Guide, "Managing findings").
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Maximum number of times that a listing of several pages is repeated, until it brings nothing new.
const PASSES: usize = 5;

/// How far a poll looks back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Narrow,
    Wide,
    Whole,
}

/// The name under which the ledger keeps when all findings of a detector were listed last.
fn whole(detector: &str) -> String {
    format!("{detector} whole")
}

impl Reach {
    /// Since when what was written is listed, behind the cursor; none for all that there is.
    pub fn since(self, cursor: Option<Timestamp>) -> Option<Timestamp> {
        let overlap = match self {
            Self::Narrow => OVERLAP,
            Self::Wide => WIDE_OVERLAP,
            Self::Whole => return None,
        };
        cursor.map(|time| time.saturating_sub(overlap).unwrap_or(Timestamp::MIN))
    }
}

impl Poller {
    /// How far the next poll looks back.
    pub(super) fn reach(&self, reader: &Reader, detector: &str) -> Result<Reach, LedgerError> {
        let whole = reader.cursor(&self.region, &whole(detector))?;
        let is_due = |at: Timestamp| {
            let since = Timestamp::now().duration_since(at);
            since.is_negative() || since >= WHOLE_INTERVAL
        };
        if whole.is_none_or(is_due) {
            return Ok(Reach::Whole);
        }
        let wide = *self.wide.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if wide.is_none_or(|at| at.elapsed() >= WIDE_INTERVAL) { Reach::Wide } else { Reach::Narrow })
    }

    /// The findings that rescind itself has archived, and that GuardDuty still has.
    pub(super) fn archived_here(&self, reader: &Reader) -> Result<Vec<String>, LedgerError> {
        reader.archived_here(&self.region, Timestamp::now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN))
    }

    /// A poll that began then has seen all that it looked for.
    pub(super) fn has_reached(&self, ledger: &Ledger, detector: &str, reach: Reach, began: Timestamp) {
        if reach != Reach::Narrow {
            *self.wide.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        if reach == Reach::Whole {
            let (region, detector) = (self.region.clone(), whole(detector));
            ledger.keep(SideTable::Cursor(Cursor { region, detector, updated_at: began }));
        }
    }

    /// The ids of these kinds, those of each kind oldest update first, and those of the first kind last, from where they are
    /// fetched first; and the failure that kept some back.
    pub(super) async fn list_all(
        &self,
        hub: &Hub,
        detector: &str,
        kinds: &[FindingKinds],
        updated_since: Option<Timestamp>,
        pace: Option<&Pace>,
    ) -> (Vec<String>, Option<CallError>) {
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        for kinds in kinds {
            let query = FindingQuery { kinds, updated_since };
            let (ids, failure) = self.list(hub, detector, &query, pace).await;
            let new: Vec<String> = ids.into_iter().filter(|id| known.insert(id.clone())).collect();
            all.splice(0..0, new);
            if failure.is_some() {
                return (all, failure);
            }
        }
        (all, None)
    }

    /// All ids, oldest update first. A finding that is updated while it is being listed moves to
    /// the end, and those behind it move up by one, over the edge of a page that was read
    /// already. So a listing of several pages is repeated until it brings nothing new.
    async fn list(
        &self,
        hub: &Hub,
        detector: &str,
        query: &FindingQuery<'_>,
        pace: Option<&Pace>,
    ) -> (Vec<String>, Option<CallError>) {
        let mut ids = Vec::new();
        let mut known = HashSet::new();
        for _ in 0..PASSES {
            let mut token = None;
            let (mut pages, before) = (0, ids.len());
            loop {
                if let Some(pace) = pace {
                    pace.next().await;
                }
                let (listed, next) = match hub.list_findings(&self.region, detector, query, token).await {
                    Ok(listed) => listed,
                    // What was listed so far is looked at; the cursor stays.
                    Err(error) => return (ids, Some(self.forget_detector(error))),
                };
                pages += 1;
                ids.extend(listed.into_iter().filter(|id| known.insert(id.clone())));
                token = next;
                if token.is_none() {
                    break;
                }
            }
            if pages == 1 || ids.len() == before {
                break;
            }
        }
        (ids, None)
    }
}
