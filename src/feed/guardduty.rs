//! Polling GuardDuty in one region: everything that was written since the last poll.

use super::{FeedError, Received, record};
use crate::aws::{CallError, ErrorKind, FindingQuery, Hub};
use crate::finding::{Decoded, Undecodable, decode_answer};
use crate::ident::Region;
use crate::ledger::{Cursor, Ledger, Reader};
use crate::triage::ACTED_ON;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::Mutex;

/// How far a poll looks back behind the latest finding that it knows. `updatedAt` is when
/// GuardDuty wrote a finding; it can be listed some minutes later, out of order. What comes
/// twice is known by its occurrence and recorded once.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// GetFindings takes at most this many ids.
const BATCH: usize = 50;

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
    /// ones to `on_new` batch by batch. The cursor moves with the last batch, so that a poll
    /// that is cut short is done again.
    ///
    /// # Errors
    /// When GuardDuty or the ledger fails. What was handed on before is recorded.
    pub async fn poll(&self, with: Poll<'_>, mut on_new: impl FnMut(Received)) -> Result<(), FeedError> {
        let detector = self.detector(with.hub).await?;
        let cursor = with.reader.cursor(&self.region, &detector)?;
        let since = cursor.map(|time| time.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
        let ids = self.list(with.hub, &detector, since).await?;
        let source = format!("GuardDuty {}", self.region);
        let mut latest = cursor;
        let mut batches = ids.chunks(BATCH).peekable();
        while let Some(batch) = batches.next() {
            let decoded = self.fetch(with.hub, &detector, batch).await?;
            // A time ahead of ours would make the next poll skip what lies between.
            let newest =
                decoded.iter().flatten().map(|f| f.updated_at).max().map(|t| t.min(Timestamp::now()));
            latest = latest.max(newest);
            let cursor = match (batches.peek(), latest) {
                (None, Some(updated_at)) => {
                    Some(Cursor { region: self.region.clone(), detector: detector.clone(), updated_at })
                }
                _ => None,
            };
            on_new(record(with.ledger, &source, Some(&self.region), decoded, cursor).await?);
        }
        Ok(())
    }

    /// The same as [`Self::poll`] without looking at or moving the cursor, and without a record
    /// of the findings: for a plan.
    ///
    /// # Errors
    /// When GuardDuty fails.
    pub async fn peek(&self, hub: &Hub) -> Result<Vec<Decoded>, FeedError> {
        let detector = self.detector(hub).await?;
        let ids = self.list(hub, &detector, None).await?;
        let mut all = Vec::new();
        for batch in ids.chunks(BATCH) {
            all.extend(self.fetch(hub, &detector, batch).await?);
        }
        Ok(all)
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

    /// The findings with these ids. A batch that cannot be had or read as a whole is halved, so that
    /// what is wrong with one finding costs only that one.
    async fn fetch(&self, hub: &Hub, detector: &str, ids: &[String]) -> Result<Vec<Decoded>, CallError> {
        let mut decoded = Vec::new();
        let mut todo = vec![ids];
        while let Some(ids) = todo.pop() {
            let wrong = match hub.get_findings(&self.region, detector, ids.to_vec()).await {
                Ok(body) => match decode_answer(&body) {
                    Ok(findings) => {
                        decoded.extend(findings);
                        continue;
                    }
                    Err(undecodable) => undecodable,
                },
                Err(error) if error.kind == ErrorKind::Refused => Undecodable {
                    path: "(answer)".to_owned(),
                    error: error.to_string(),
                    finding_id: None,
                    sha256: crate::digest::sha256(ids.concat().as_bytes()),
                },
                Err(error) => return Err(self.forget_detector(error)),
            };
            match ids {
                [id] => decoded.push(Err(Undecodable { finding_id: Some(id.clone()), ..wrong })),
                ids => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    todo.extend([second, first]);
                }
            }
        }
        Ok(decoded)
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
        since: Option<Timestamp>,
    ) -> Result<Vec<String>, FeedError> {
        let query = FindingQuery { types: &ACTED_ON, updated_since: since };
        let mut ids = Vec::new();
        let mut known = HashSet::new();
        for _ in 0..PASSES {
            let mut page = None;
            let (mut pages, before) = (0, ids.len());
            loop {
                let listed = hub.list_findings(&self.region, detector, &query, page).await;
                let (listed, next) = listed.map_err(|error| self.forget_detector(error))?;
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
        Ok(ids)
    }
}
