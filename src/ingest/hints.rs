//! Hints: findings as an event or an export claims them. GuardDuty is asked before anything is done.

use super::guardduty::Answer;
use super::poller::Poller;
use super::record::{Recorded, Source, record};
use super::watch::Watch;
use crate::aws::{Hub, within};
use crate::finding::{Confirmed, Decoded, Finding, Unconfirmed, Undecodable, confirm};
use crate::ident::Region;
use crate::ledger::{Append, Ledger, LedgerError, Reader};
use crate::remediation::{CallError, Draft, ErrorKind, Event};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long GuardDuty's answer is waited for: other hints wait behind this one.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// One item that claims to be a finding.
#[derive(Debug, Clone)]
pub struct Hint {
    /// The number of what it came in.
    pub of: usize,
    /// Which message or file it was: so that the same one is recorded once.
    pub item: String,
    /// What it claims, as far as it can be read.
    pub decoded: Decoded,
    /// How often GuardDuty answered that it does not have it, or not yet as it is claimed.
    pub not_yet: u32,
    /// How often GuardDuty did not answer.
    pub unanswered: u32,
}

impl Hint {
    /// A new one.
    #[must_use]
    pub fn new(of: usize, item: &str, decoded: Decoded) -> Self {
        Self { of, item: item.to_owned(), decoded, not_yet: 0, unanswered: 0 }
    }
}

/// What became of a hint.
#[derive(Debug)]
pub enum Verification {
    /// GuardDuty has it, and it is new: recorded as GuardDuty has it.
    New(Finding),
    /// GuardDuty has it, and it had been recorded before.
    Seen(Finding),
    /// GuardDuty does not have it so. It is recorded that it was claimed.
    Unconfirmed {
        /// Why.
        why: Unconfirmed,
        /// What was claimed.
        claim: Box<Finding>,
    },
    /// It cannot be read; that is recorded.
    Undecodable(Undecodable),
    /// It turned out to be so many findings more: a sequence has several actors.
    Grows(usize),
    /// GuardDuty did not answer, or does not have it yet: to be asked again.
    Open {
        /// The hint.
        hint: Box<Hint>,
        /// What GuardDuty answered instead, if it did not answer.
        error: Option<CallError>,
    },
}

impl From<Recorded> for Verification {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::New(finding) => Self::New(finding),
            Recorded::Seen(finding) => Self::Seen(finding),
            Recorded::Undecodable(undecodable) => Self::Undecodable(undecodable),
        }
    }
}

/// What hints are settled with.
#[derive(Debug, Clone, Copy)]
pub struct Hints<'a> {
    /// The hub.
    pub hub: &'a Hub,
    /// Where they are recorded.
    pub ledger: &'a Ledger,
    /// Where it stands since when a region is watched.
    pub reader: &'a Reader,
    /// The regions.
    pub watch: &'a Watch,
    /// Whether GuardDuty is asked. If not, what is claimed is taken for true.
    pub confirm: bool,
    /// How often GuardDuty is asked for what it does not have: an event can be faster than the API.
    pub patience: u32,
    /// A person hands them in: they do not come too early, whenever the region began to be watched.
    pub handed_in: bool,
}

/// A hint whose claim can be read.
type Claim = (Hint, Finding);

/// What is settled: the number of what the hint came in, and its fate.
type Settled = Vec<(usize, Verification)>;

impl Hints<'_> {
    /// How often GuardDuty is asked for what an event claims and it does not have.
    pub const PATIENCE: u32 = 3;

    /// Records hints, each as what it turns out to be.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn settle(self, source: &str, hints: Vec<Hint>) -> Result<Settled, LedgerError> {
        let (mut fates, mut unreadable) = (Vec::new(), Vec::new());
        let mut by_region: BTreeMap<Region, Vec<Claim>> = BTreeMap::new();
        for hint in hints {
            match hint.decoded.clone() {
                Ok(claim) => match self.told_before(&claim)? {
                    Some(known) => fates.push((hint.of, Verification::Seen(known))),
                    None => by_region.entry(claim.region.clone()).or_default().push((hint, claim)),
                },
                Err(undecodable) => {
                    fates.push((hint.of, Verification::Undecodable(undecodable.clone())));
                    unreadable.push(Err(undecodable));
                }
            }
        }
        record(self.ledger, &Source::handed_in(source), unreadable, None).await?;
        let regions = by_region
            .into_iter()
            .map(|(region, claims)| async move { self.settle_region(source, &region, claims).await });
        for settled in futures::future::join_all(regions).await {
            fates.extend(settled?);
        }
        Ok(fates)
    }

    /// What GuardDuty told before, when it is just this. It need not be asked again: whoever repeats a true
    /// event must not have it asked without an end.
    fn told_before(self, claim: &Finding) -> Result<Option<Finding>, LedgerError> {
        if claim.pointer || self.handed_in {
            return Ok(None);
        }
        let known = self.reader.decided(&claim.occurrence())?.map(|known| known.seen.event);
        let Some(Event::Finding { finding, .. }) = known else { return Ok(None) };
        Ok((confirm(claim, &finding) == Ok(Confirmed::Yes)).then_some(*finding))
    }

    /// The findings to which a pointer points, without recording them.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub async fn look_up(self, pointer: &Finding) -> Result<Vec<Finding>, String> {
        let region = &pointer.region;
        let poller = self.watch.region(self.hub, region).await.map_err(|error| error.to_string())?;
        let poller = poller.ok_or_else(|| Unconfirmed::RegionNotWatched.to_string())?;
        match self.answers(&poller, &[pointer]).await.pop() {
            Some(Answer::Confirmed(truth) | Answer::NotYet { truth, .. }) => Ok(vec![*truth]),
            Some(Answer::Actors(actors)) => Ok(actors),
            Some(Answer::Unconfirmed(why)) => Err(why.to_string()),
            Some(Answer::Undecodable(undecodable)) => Err(undecodable.to_string()),
            Some(Answer::Unanswered(error)) => Err(error.to_string()),
            None => Err("GuardDuty was not asked".to_owned()),
        }
    }

    async fn settle_region(
        self,
        source: &str,
        region: &Region,
        claims: Vec<Claim>,
    ) -> Result<Settled, LedgerError> {
        let poller = match self.watch.region(self.hub, region).await {
            Ok(Some(poller)) => poller,
            Ok(None) => {
                let unwatched = claims.into_iter().map(|claim| (claim, Unconfirmed::RegionNotWatched));
                return self.unconfirmed(source, unwatched.collect()).await;
            }
            // It may be one that is to be watched.
            Err(error) => return Ok(claims.into_iter().map(|claim| unanswered(claim.0, &error)).collect()),
        };
        let answers = self.ask(&poller, &claims).await;
        let (mut fates, mut confirmed, mut of_confirmed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unconfirmed, mut unreadable) = (Vec::new(), Vec::new());
        for ((hint, claim), answer) in claims.into_iter().zip(answers) {
            let is_patient = hint.not_yet < self.patience;
            match answer {
                Answer::Unconfirmed(Unconfirmed::NotFound) | Answer::NotYet { .. } if is_patient => {
                    let hint = Hint { not_yet: hint.not_yet + 1, ..hint };
                    fates.push((hint.of, Verification::Open { hint: Box::new(hint), error: None }));
                }
                Answer::Confirmed(truth) | Answer::NotYet { truth, differs: None } => {
                    of_confirmed.push(hint.of);
                    confirmed.push(Ok(*truth));
                }
                Answer::Actors(actors) => {
                    fates.push((hint.of, Verification::Grows(actors.len().saturating_sub(1))));
                    for actor in actors {
                        of_confirmed.push(hint.of);
                        confirmed.push(Ok(actor));
                    }
                }
                Answer::Unanswered(error) => fates.push(unanswered(hint, &error)),
                Answer::NotYet { differs: Some(why), .. } | Answer::Unconfirmed(why) => {
                    unconfirmed.push(((hint, claim), why));
                }
                Answer::Undecodable(undecodable) => {
                    fates.push((hint.of, Verification::Undecodable(undecodable.clone())));
                    unreadable.push(Err(undecodable));
                }
            }
        }
        fates.extend(self.unconfirmed(source, unconfirmed).await?);
        record(self.ledger, &Source::handed_in(source), unreadable, None).await?;
        let watched_since =
            if self.handed_in { None } else { poller.watched_long_since(self.ledger, self.reader).await? };
        let from = Source { name: source.to_owned(), region: Some(region), watched_since };
        let recorded = record(self.ledger, &from, confirmed, None).await?;
        fates.extend(of_confirmed.into_iter().zip(recorded.into_iter().map(Verification::from)));
        Ok(fates)
    }

    async fn ask(self, poller: &Poller, claims: &[Claim]) -> Vec<Answer> {
        // A pointer has nothing that could be believed.
        let is_asked = |claim: &Finding| self.confirm || claim.pointer;
        let asked: Vec<&Finding> =
            claims.iter().map(|(_, claim)| claim).filter(|claim| is_asked(claim)).collect();
        let mut answers = self.answers(poller, &asked).await.into_iter();
        let believed = |claim: &Finding| Answer::Confirmed(Box::new(claim.clone()));
        claims
            .iter()
            .filter_map(|(_, claim)| if is_asked(claim) { answers.next() } else { Some(believed(claim)) })
            .collect()
    }

    /// What GuardDuty says of these, in their order.
    async fn answers(self, poller: &Poller, asked: &[&Finding]) -> Vec<Answer> {
        if asked.is_empty() {
            return Vec::new();
        }
        if let Some(answers) = within(LONGEST_WAIT, poller.confirm(self.hub, asked)).await {
            return answers;
        }
        let error = CallError {
            service: "guardduty",
            operation: "GetFindings",
            kind: ErrorKind::Unavailable,
            code: None,
            message: format!("no answer within {} s", LONGEST_WAIT.as_secs()),
        };
        asked.iter().map(|_| Answer::Unanswered(error.clone())).collect()
    }

    async fn unconfirmed(
        self,
        source: &str,
        claims: Vec<(Claim, Unconfirmed)>,
    ) -> Result<Settled, LedgerError> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let draft = |((hint, claim), why): &(Claim, Unconfirmed)| {
            Draft::unconfirmed(source, &hint.item, claim.clone(), why.clone())
        };
        let entries = claims.iter().map(draft).collect();
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        let fate = |((hint, claim), why): (Claim, Unconfirmed)| {
            metrics::counter!("rescind_findings_unconfirmed_total", "why" => why.code()).increment(1);
            tracing::warn!(
                source, item = hint.item, finding = claim.id, account = %claim.account,
                "NOT CONFIRMED by GuardDuty, nothing is done: {why}"
            );
            (hint.of, Verification::Unconfirmed { why, claim: Box::new(claim) })
        };
        Ok(claims.into_iter().map(fate).collect())
    }
}

fn unanswered(hint: Hint, error: &CallError) -> (usize, Verification) {
    let hint = Hint { unanswered: hint.unanswered + 1, ..hint };
    (hint.of, Verification::Open { hint: Box::new(hint), error: Some(error.clone()) })
}

/// Something that cannot be read stands for the rest of what it came in.
pub(super) fn too_many(bytes: &[u8], count: usize) -> Undecodable {
    Undecodable {
        path: "(message)".to_owned(),
        error: format!("{count} items in one message: EventBridge sends one finding in each"),
        finding_id: None,
        sha256: crate::digest::sha256(bytes),
    }
}
