//! Polling GuardDuty in one region: everything that was written since the last poll.

use super::{FeedError, Received, Source, record};
use crate::aws::{CallError, ErrorKind, FindingQuery, Hub};
use crate::finding::{Decoded, Undecodable, decode_answer};
use crate::ident::Region;
use crate::ledger::{Cursor, Draft, Event, Ledger, LedgerError, Reader, Subject};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::Mutex;

/// How far a poll looks back behind the latest finding that it knows. `updatedAt` is when
/// GuardDuty wrote a finding; it can be listed some minutes later, out of order. What comes
/// twice is known by its occurrence and recorded once.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// GetFindings takes at most this many ids.
const BATCH: usize = 50;

/// So many failures in a row are GuardDuty's, not those of one finding in a batch of fifty.
const IN_A_ROW: usize = 7;

/// How often a listing of several pages is repeated at most, until it brings nothing new.
const PASSES: usize = 5;

/// Polls one region.
#[derive(Debug)]
pub struct Poller {
    region: Region,
    detector: Mutex<Option<String>>,
}

/// What a poll reads with and writes to.
#[derive(Debug, Clone, Copy)]
pub struct Poll<'a> {
    /// The hub.
    pub hub: &'a Hub,
    /// Where the findings and the cursor are recorded.
    pub ledger: &'a Ledger,
    /// Where the cursor is read.
    pub reader: &'a Reader,
    /// Only these finding types; all when there are none.
    pub types: Option<&'a [String]>,
}

impl Poller {
    /// For one region.
    #[must_use]
    pub fn new(region: Region) -> Self {
        Self { region, detector: Mutex::default() }
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Reads every finding that was written since the last poll, records it, and hands the new
    /// ones to `on_new` batch by batch, the newest first. The cursor moves with the last batch, and
    /// only when nothing failed, so that a poll that is cut short is done again.
    ///
    /// # Errors
    /// When GuardDuty or the ledger fails. What was handed on before is recorded.
    pub async fn poll(&self, with: Poll<'_>, mut on_new: impl FnMut(Received)) -> Result<(), FeedError> {
        let detector = self.detector(with.hub).await?;
        let cursor = with.reader.cursor(&self.region, &detector)?;
        let since = cursor.map(|time| time.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
        let watched_since = self.watched_since(with).await?;
        let query = FindingQuery { types: with.types, updated_since: since };
        let (ids, mut failure) = self.list(with.hub, &detector, &query).await;
        let source =
            Source { name: format!("GuardDuty {}", self.region), region: Some(&self.region), watched_since };
        let mut latest = cursor;
        // The newest first: what was seen last is the most likely to go on.
        for batch in ids.rchunks(BATCH) {
            let (decoded, failed) = self.fetch(with.hub, &detector, batch).await;
            failure = failed.or(failure);
            // A time ahead of ours would make the next poll skip what lies between.
            let newest =
                decoded.iter().flatten().map(|f| f.updated_at).max().map(|t| t.min(Timestamp::now()));
            latest = latest.max(newest);
            let is_last = std::ptr::eq(batch.as_ptr(), ids.as_ptr());
            let cursor = latest.filter(|_| is_last && failure.is_none()).map(|updated_at| Cursor {
                region: self.region.clone(),
                detector: detector.clone(),
                updated_at,
            });
            on_new(record(with.ledger, &source, decoded, cursor).await?);
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// The same as [`Self::poll`] without looking at or moving the cursor, and without a record
    /// of the findings: for a plan. Gives what could be read, and the failure that kept the rest back.
    pub async fn peek(&self, hub: &Hub, types: Option<&[String]>) -> (Vec<Decoded>, Option<FeedError>) {
        let detector = match self.detector(hub).await {
            Ok(detector) => detector,
            Err(error) => return (Vec::new(), Some(error)),
        };
        let query = FindingQuery { types, updated_since: None };
        let (ids, mut failure) = self.list(hub, &detector, &query).await;
        let mut all = Vec::new();
        for batch in ids.rchunks(BATCH) {
            let (decoded, failed) = self.fetch(hub, &detector, batch).await;
            failure = failed.or(failure);
            all.extend(decoded);
        }
        (all, failure.map(FeedError::from))
    }

    /// Since when this ledger watches the region: from now on, when it did not yet.
    async fn watched_since(&self, with: Poll<'_>) -> Result<Option<Timestamp>, LedgerError> {
        if with.reader.watched_since(&self.region)?.is_none() {
            let subject = Subject { region: Some(self.region.clone()), ..Subject::default() };
            with.ledger.append(Draft { subject, event: Event::Watching }).await?;
        }
        with.reader.watched_since(&self.region)
    }

    async fn detector(&self, hub: &Hub) -> Result<String, FeedError> {
        let known = self.detector.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(detector) = known {
            return Ok(detector);
        }
        let detector =
            hub.detector(&self.region).await?.ok_or_else(|| FeedError::NoDetector(self.region.clone()))?;
        *self.detector.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(detector.clone());
        Ok(detector)
    }

    /// The findings with these ids, and the failure that kept some of them from being had. A batch
    /// that cannot be had or read as a whole is halved, so that what is wrong with one finding costs
    /// only that one. After several failures in a row it is GuardDuty that fails, not a finding.
    async fn fetch(&self, hub: &Hub, detector: &str, ids: &[String]) -> (Vec<Decoded>, Option<CallError>) {
        let (mut decoded, mut failure) = (Vec::new(), None);
        let (mut todo, mut in_a_row, mut any_answer) = (vec![ids], 0, false);
        while let Some(ids) = todo.pop() {
            let answer = hub.get_findings(&self.region, detector, ids.to_vec()).await;
            let wrong = match answer.map(|body| decode_answer(&body)) {
                Ok(Ok(findings)) => {
                    (in_a_row, any_answer) = (0, true);
                    decoded.extend(findings);
                    continue;
                }
                Ok(Err(undecodable)) => Wrong::Finding(undecodable),
                Err(error) if error.kind == ErrorKind::Refused => Wrong::Refused(error),
                Err(error) if error.kind == ErrorKind::Unavailable && in_a_row < IN_A_ROW => {
                    Wrong::Unavailable(error)
                }
                Err(error) => return (decoded, Some(self.forget_detector(error))),
            };
            in_a_row += 1;
            if let [_, _, ..] = ids {
                // The second half, the newer one, comes first.
                let (first, second) = ids.split_at(ids.len() / 2);
                todo.extend([first, second]);
                continue;
            }
            let finding_id = ids.first().cloned();
            match wrong {
                Wrong::Finding(undecodable) => decoded.push(Err(Undecodable { finding_id, ..undecodable })),
                Wrong::Refused(error) => {
                    decoded.push(Err(Undecodable {
                        path: "(answer)".to_owned(),
                        error: error.to_string(),
                        sha256: crate::digest::sha256(ids.concat().as_bytes()),
                        finding_id,
                    }));
                    // When nothing else comes either, it is not the finding that is refused.
                    failure =
                        (!any_answer && todo.is_empty()).then(|| self.forget_detector(error)).or(failure);
                }
                Wrong::Unavailable(error) => failure = Some(error),
            }
        }
        if !any_answer && failure.as_ref().is_some_and(|error| error.kind == ErrorKind::Refused) {
            decoded.clear();
        }
        (decoded, failure)
    }

    /// A detector that is refused may have been made again under another id.
    fn forget_detector(&self, error: CallError) -> CallError {
        if error.kind == ErrorKind::Refused {
            *self.detector.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        }
        error
    }

    /// All ids, oldest update first. A finding that is updated while it is being listed moves to
    /// the end, and those behind it move up by one, over the edge of a page that was read
    /// already. So a listing of several pages is repeated until it brings nothing new.
    async fn list(
        &self,
        hub: &Hub,
        detector: &str,
        query: &FindingQuery<'_>,
    ) -> (Vec<String>, Option<CallError>) {
        let mut ids = Vec::new();
        let mut known = HashSet::new();
        for _ in 0..PASSES {
            let mut page = None;
            let (mut pages, before) = (0, ids.len());
            loop {
                let (listed, next) = match hub.list_findings(&self.region, detector, query, page).await {
                    Ok(listed) => listed,
                    // What was listed so far is looked at; the cursor stays.
                    Err(error) => return (ids, Some(self.forget_detector(error))),
                };
                pages += 1;
                ids.extend(listed.into_iter().filter(|id| known.insert(id.clone())));
                page = next;
                if page.is_none() {
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

/// What was wrong with an answer.
enum Wrong {
    Finding(Undecodable),
    Refused(CallError),
    Unavailable(CallError),
}
