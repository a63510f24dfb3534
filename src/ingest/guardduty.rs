//! Polling GuardDuty in one region: everything that was written since the last poll.

use super::error::FeedError;
use super::intake::IntakeSender;
use super::kinds;
use super::listing::Reach;
use super::pace::Pace;
use super::poller::{Found, Poller};
use super::record::{Recorded, Source, record};
use super::seen::Seen;
use crate::aws::Hub;
use crate::finding::{Confirmed, Decoded, Finding, Unconfirmed, Undecodable, confirm_among, decode_answer};
use crate::ledger::{Cursor, Ledger, Reader};
use crate::remediation::{CallError, ErrorKind, Origin};
use crate::triage::Types;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Maximum number of ids that GetFindings takes.
const BATCH: usize = 50;

/// Number of failures in a row that are GuardDuty's, and not those of one finding in a batch of fifty.
const IN_A_ROW: usize = 7;

/// Path of what is wrong with the answer as such.
const REFUSED: &str = "(answer)";

/// What GuardDuty says of a claim.
#[derive(Debug)]
pub enum Answer {
    /// The finding, as GuardDuty has it.
    Confirmed(Box<Finding>),
    /// It has an older update of it; the claim may be true soon.
    NotYet {
        /// The finding, as GuardDuty has it.
        truth: Box<Finding>,
        /// In what the claim is about another session or key, if it is.
        differs: Option<Unconfirmed>,
    },
    /// The actors of a sequence, of which the claim says only which one it is.
    Actors(Vec<Finding>),
    /// It is not so.
    Unconfirmed(Unconfirmed),
    /// GuardDuty has it, and what it answers cannot be read.
    Undecodable(Undecodable),
    /// GuardDuty did not answer.
    Unanswered(CallError),
}

/// What a poll reads with and writes to.
#[derive(Debug, Clone, Copy)]
pub struct Poll<'a> {
    pub hub: &'a Hub,
    /// Where the findings and the cursor are recorded.
    pub ledger: &'a Ledger,
    /// Where the cursor is read.
    pub reader: &'a Reader,
    /// Only these types of findings.
    pub types: &'a Types,
    pub pace: &'a Pace,
}

impl Poller {
    /// Reads every finding that was written since the last poll, records it, and hands over what is new, batch by
    /// batch, the newest first; what is not is added to `seen`. The cursor moves with the last batch, and only when
    /// nothing failed, so that a poll that is cut short is done again.
    ///
    /// # Errors
    /// When GuardDuty or the ledger fails, or nobody takes findings in any more. What was read before is recorded.
    pub async fn poll(
        &self,
        with: Poll<'_>,
        intake: &IntakeSender,
        seen: &mut Seen,
    ) -> Result<(), FeedError> {
        let no_detector = || FeedError::NoDetector(self.region().clone());
        let detector = self.detector(with.hub).await?.ok_or_else(no_detector)?;
        // One ahead of now hides what comes until then: our clock was wrong, or somebody wrote it.
        let cursor = with.reader.cursor(&self.region, &detector)?.filter(|at| *at <= Timestamp::now());
        let reach = self.reach(with.reader, &detector)?;
        let since = reach.since(cursor);
        let watched_since = match self.found {
            // It may be watched because of an event, whose finding a poll can read first.
            Found::Late => self.watched_long_since(with.ledger, with.reader).await?,
            Found::Named | Found::AtStart => self.watched_since(with.ledger, with.reader).await?,
        };
        let kinds = if reach == Reach::Narrow {
            kinds::by_name(with.types)
        } else {
            kinds::with_families(with.types)
        };
        let began = Timestamp::now();
        let (mut ids, mut failure) = self.list_all(with.hub, &detector, &kinds, since, Some(with.pace)).await;
        // What rescind archived itself is not listed, and what is seen of it since counts.
        let archived = if reach == Reach::Narrow { Vec::new() } else { self.archived_here(with.reader)? };
        let archived: BTreeSet<String> = archived.into_iter().filter(|id| !ids.contains(id)).collect();
        ids.splice(0..0, archived.iter().cloned());
        let origin = &Origin::Poll { region: self.region.clone() };
        let source = Source { origin, region: Some(&self.region), watched_since };
        let (mut latest, mut any) = (cursor, false);
        // The newest first: what was seen last is the most likely to go on.
        for batch in ids.rchunks(BATCH) {
            let (decoded, failed) = self.fetch(with.hub, &detector, batch, Some(with.pace)).await;
            failure = failed.or(failure);
            any |= !decoded.is_empty();
            let decoded: Vec<Decoded> =
                decoded.into_iter().filter(|item| is_decided_on(with.types, item)).collect();
            // A time ahead of ours would make the next poll skip what lies between.
            let wanted = decoded.iter().flatten().filter(|f| with.types.wants(&f.finding_type));
            let newest = wanted.map(|f| f.updated_at).max().map(|t| t.min(Timestamp::now()));
            latest = latest.max(newest);
            let is_last = std::ptr::eq(batch.as_ptr(), ids.as_ptr());
            let cursor = latest.filter(|_| is_last && failure.is_none()).map(|updated_at| Cursor {
                region: self.region.clone(),
                detector: detector.clone(),
                updated_at,
            });
            for recorded in record(with.ledger, &source, decoded, cursor).await? {
                match recorded {
                    Recorded::New(finding) => drop(intake.send(finding, origin.clone()).await?),
                    Recorded::Seen(finding)
                        if with.types.wants(&finding.finding_type) && !archived.contains(&finding.id) =>
                    {
                        seen.add(finding);
                    }
                    Recorded::Seen(_) | Recorded::Undecodable(_) => {}
                }
            }
        }
        if failure.is_none() {
            self.has_reached(with.ledger, &detector, reach, began);
        }
        match failure {
            Some(error) if any => Err(FeedError::Partly(error)),
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// The same as [`Self::poll`] without looking at or moving the cursor, and without a record
    /// of the findings: for a plan. Gives what could be read, and the failure that kept the rest back.
    pub async fn peek(&self, hub: &Hub, types: &Types) -> (Vec<Decoded>, Option<FeedError>) {
        let detector = match self.detector(hub).await {
            Ok(Some(detector)) => detector,
            Ok(None) => return (Vec::new(), Some(FeedError::NoDetector(self.region().clone()))),
            Err(error) => return (Vec::new(), Some(error.into())),
        };
        let kinds = kinds::with_families(types);
        let (ids, mut failure) = self.list_all(hub, &detector, &kinds, None, None).await;
        let mut all = Vec::new();
        for batch in ids.rchunks(BATCH) {
            let (decoded, failed) = self.fetch(hub, &detector, batch, None).await;
            failure = failed.or(failure);
            all.extend(decoded.into_iter().filter(|item| is_decided_on(types, item)));
        }
        (all, failure.map(FeedError::from))
    }

    /// What GuardDuty says of these claims, in their order. It is asked once for all of them.
    pub async fn confirm(&self, hub: &Hub, claims: &[&Finding]) -> Vec<Answer> {
        let ids: Vec<String> =
            claims.iter().map(|claim| claim.id.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        // A detector that was made again has another id: what is refused is asked with the new one.
        let mut asked = self.ask(hub, &ids).await;
        if matches!(&asked, Ok((_, Some(error))) if error.kind == ErrorKind::Refused) {
            asked = self.ask(hub, &ids).await;
        }
        let (decoded, failure) = match asked {
            Ok(answer) => answer,
            Err(error) => (Vec::new(), Some(error)),
        };
        claims
            .iter()
            .map(|claim| {
                // A sequence has several truths: one for each of its actors.
                let truths: Vec<&Finding> =
                    decoded.iter().flatten().filter(|finding| finding.id == claim.id).collect();
                match confirm_among(claim, &truths) {
                    Some(Ok(_)) if claim.pointer && truths.len() > 1 => {
                        Answer::Actors(truths.into_iter().cloned().collect())
                    }
                    Some(Ok((truth, Confirmed::Yes))) => Answer::Confirmed(Box::new(truth.clone())),
                    Some(Ok((truth, Confirmed::NotYet(differs)))) => {
                        Answer::NotYet { truth: Box::new(truth.clone()), differs }
                    }
                    Some(Err(why)) => Answer::Unconfirmed(why),
                    None => without_truth(claim, &decoded, failure.as_ref()),
                }
            })
            .collect()
    }

    async fn ask(&self, hub: &Hub, ids: &[String]) -> Result<(Vec<Decoded>, Option<CallError>), CallError> {
        // Nothing can be found where GuardDuty is not enabled.
        let Some(detector) = self.detector(hub).await? else { return Ok((Vec::new(), None)) };
        let (mut decoded, mut failure) = (Vec::new(), None);
        for ids in ids.chunks(BATCH) {
            let (some, failed) = self.fetch(hub, &detector, ids, None).await;
            decoded.extend(some);
            failure = failed.or(failure);
        }
        Ok((decoded, failure))
    }

    /// The findings with these ids, and the failure that kept some of them from being had. A batch
    /// that cannot be had or read as a whole is halved, so that what is wrong with one finding costs
    /// only that one. After several failures in a row it is GuardDuty that fails, not a finding.
    async fn fetch(
        &self,
        hub: &Hub,
        detector: &str,
        ids: &[String],
        pace: Option<&Pace>,
    ) -> (Vec<Decoded>, Option<CallError>) {
        let (mut decoded, mut failure) = (Vec::new(), None);
        let (mut todo, mut in_a_row, mut any_answer) = (vec![ids], 0, false);
        while let Some(ids) = todo.pop() {
            if let Some(pace) = pace {
                pace.next().await;
            }
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
                        path: REFUSED.to_owned(),
                        error: error.to_string(),
                        sha256: crate::digest::sha256(ids.concat().as_bytes()),
                        finding_id,
                        foreign: None,
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
}

/// What was listed, no rule is for and is not about credentials is no business of ours. What cannot be read may be.
fn is_decided_on(types: &Types, item: &Decoded) -> bool {
    item.as_ref().map_or(true, |finding| kinds::is_decided_on(types, &finding.finding_type))
}

/// The answer to a claim of which no finding could be had.
fn without_truth(claim: &Finding, decoded: &[Decoded], failure: Option<&CallError>) -> Answer {
    let mut broken = decoded.iter().filter_map(|item| item.as_ref().err());
    let said = broken.find(|broken| broken.finding_id.as_ref() == Some(&claim.id));
    match (said, failure) {
        (Some(refused), _) if refused.path == REFUSED => {
            Answer::Unconfirmed(Unconfirmed::RefusedId { message: refused.error.clone() })
        }
        (Some(undecodable), _) => Answer::Undecodable(undecodable.clone()),
        (None, Some(error)) if error.kind == ErrorKind::Refused => {
            Answer::Unconfirmed(Unconfirmed::RefusedId { message: error.to_string() })
        }
        (None, Some(error)) => Answer::Unanswered(error.clone()),
        (None, None) => Answer::Unconfirmed(Unconfirmed::NotFound),
    }
}

/// What was wrong with an answer.
enum Wrong {
    Finding(Undecodable),
    Refused(CallError),
    Unavailable(CallError),
}
