//! Findings as an event or an export claims them are verified: GuardDuty is asked before anything is done.

use super::alerts;
use super::claim::{Claim, Verification};
use super::guardduty::Answer;
use super::poller::Poller;
use super::products::Products;
use super::record::{Source, record};
use super::regions::WatchedRegions;
use crate::alert::Alerts;
use crate::aws::{Hub, within};
use crate::finding::{Confirmed, Finding, ForeignReason, Unconfirmed, Undecodable, confirm};
use crate::ident::Region;
use crate::ledger::{Append, Ledger, LedgerError, Reader};
use crate::remediation::{CallError, Draft, ErrorKind, Event, Origin};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Timeout of a question to GuardDuty: other claims wait behind this one.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Maximum number of questions about a claim that GuardDuty does not have: an event can be faster than the API.
const PATIENCE: u32 = 3;

/// Verifies claims, for all feeds.
#[derive(Debug)]
pub struct Verifier {
    pub hub: Hub,
    /// Where they are recorded.
    pub ledger: Ledger,
    /// Where it stands since when a region is watched.
    pub reader: Reader,
    pub regions: Arc<WatchedRegions>,
    /// Where it is raised what is not so.
    pub alerts: Arc<Alerts>,
    /// Whether GuardDuty is asked. If not, what is claimed is taken for true.
    pub confirm: bool,
    /// Which findings of other products are wanted.
    pub products: Products,
}

/// A claim that can be read.
type Readable = (Claim, Finding);

/// The number of what a claim came in, and what became of it.
type Verified = Vec<(usize, Verification)>;

impl Verifier {
    /// Records claims, each as what it turns out to be. What is not so is raised, unless a person handed it in:
    /// they see it themselves.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn verify(&self, origin: &Origin, claims: Vec<Claim>) -> Result<Verified, LedgerError> {
        let verified = self.verify_all(origin, claims).await?;
        for (_, verification) in verified.iter().filter(|_| !origin.is_asked()) {
            let alert = match verification {
                Verification::Unconfirmed { why, claim } => alerts::unconfirmed(origin, claim, why),
                Verification::Undecodable(what) => alerts::unreadable(origin, what),
                Verification::Foreign { is_new: true, what } if is_of_unnamed_product(what) => {
                    alerts::unreadable(origin, what)
                }
                _ => continue,
            };
            self.alerts.raise_alert(alert).await?;
        }
        Ok(verified)
    }

    async fn verify_all(&self, origin: &Origin, claims: Vec<Claim>) -> Result<Verified, LedgerError> {
        let (mut verified, mut unreadable) = (Vec::new(), Vec::new());
        let (mut foreign, mut orders) = (Vec::new(), Vec::new());
        let mut by_region: BTreeMap<Region, Vec<Readable>> = BTreeMap::new();
        for claim in claims {
            match self.products.admitted(claim.decoded.clone()) {
                // GuardDuty does not have it.
                Ok(finding) if finding.product().is_some() => orders.push((claim.of, finding)),
                Err(what) if what.is_of_whole_product() => foreign.push((claim.of, what)),
                Ok(finding) => match self.confirmed_before(origin, &finding)? {
                    Some(known) => verified.push((claim.of, Verification::Seen(known))),
                    None => by_region.entry(finding.region.clone()).or_default().push((claim, finding)),
                },
                Err(undecodable) => {
                    verified.push((claim.of, Verification::Undecodable(undecodable.clone())));
                    unreadable.push(Err(undecodable));
                }
            }
        }
        record(&self.ledger, &Source::of(origin), unreadable, None).await?;
        verified.extend(self.foreign(origin, foreign).await?);
        let (of, orders): (Vec<_>, Vec<_>) =
            orders.into_iter().map(|(of, finding)| (of, Ok(finding))).unzip();
        let recorded = record(&self.ledger, &Source::of(origin), orders, None).await?;
        verified.extend(of.into_iter().zip(recorded.into_iter().map(Verification::from)));
        let regions = by_region
            .into_iter()
            .map(|(region, claims)| async move { self.verify_region(origin, &region, claims).await });
        for some in futures::future::join_all(regions).await {
            verified.extend(some?);
        }
        Ok(verified)
    }

    /// Records what is not acted on: once for each product and reason, however often it comes.
    async fn foreign(
        &self,
        origin: &Origin,
        foreign: Vec<(usize, Undecodable)>,
    ) -> Result<Verified, LedgerError> {
        if foreign.is_empty() {
            return Ok(Vec::new());
        }
        let entries =
            foreign.iter().map(|(_, what)| Draft::undecodable(origin, None, what.clone())).collect();
        let written = self.ledger.append(Append { entries, ..Append::default() }).await?;
        let verification = |((of, what), seq): ((usize, Undecodable), Option<i64>)| {
            let is_new = seq.is_some();
            if is_new {
                tracing::warn!(source = %origin, "not acted on: {what}");
            }
            (of, Verification::Foreign { is_new, what })
        };
        Ok(foreign.into_iter().zip(written).map(verification).collect())
    }

    /// The finding that GuardDuty has confirmed before, when it is just this one. It need not be asked again: whoever repeats a true
    /// event must not have it asked without an end.
    fn confirmed_before(&self, origin: &Origin, claim: &Finding) -> Result<Option<Finding>, LedgerError> {
        if claim.pointer || origin.is_asked() {
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
    pub async fn look_up(&self, pointer: &Finding) -> Result<Vec<Finding>, String> {
        let region = &pointer.region;
        let poller = self.regions.region(&self.hub, region).await.map_err(|error| error.to_string())?;
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

    async fn verify_region(
        &self,
        origin: &Origin,
        region: &Region,
        claims: Vec<Readable>,
    ) -> Result<Verified, LedgerError> {
        let poller = match self.regions.region(&self.hub, region).await {
            Ok(Some(poller)) => poller,
            Ok(None) => {
                let unwatched = claims.into_iter().map(|claim| (claim, Unconfirmed::RegionNotWatched));
                return self.unconfirmed(origin, unwatched.collect()).await;
            }
            // It may be one that is to be watched.
            Err(error) => return Ok(claims.into_iter().map(|claim| unanswered(claim.0, &error)).collect()),
        };
        let answers = self.ask(&poller, &claims).await;
        let (mut verified, mut confirmed, mut of_confirmed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unconfirmed, mut unreadable) = (Vec::new(), Vec::new());
        // An export is no news: what GuardDuty does not have by now it will not have soon.
        let patience = if matches!(origin, Origin::Folder { .. }) { 0 } else { PATIENCE };
        for ((claim, finding), answer) in claims.into_iter().zip(answers) {
            match answer {
                Answer::Unconfirmed(Unconfirmed::NotFound) | Answer::NotYet { .. }
                    if claim.not_yet < patience =>
                {
                    let claim = Claim { not_yet: claim.not_yet + 1, ..claim };
                    verified.push((claim.of, Verification::Open { claim: Box::new(claim), error: None }));
                }
                Answer::Confirmed(truth) | Answer::NotYet { truth, differs: None } => {
                    of_confirmed.push(claim.of);
                    confirmed.push(Ok(*truth));
                }
                Answer::Actors(actors) => {
                    verified.push((claim.of, Verification::Grows(actors.len().saturating_sub(1))));
                    for actor in actors {
                        of_confirmed.push(claim.of);
                        confirmed.push(Ok(actor));
                    }
                }
                Answer::Unanswered(error) => verified.push(unanswered(claim, &error)),
                Answer::NotYet { differs: Some(why), .. } | Answer::Unconfirmed(why) => {
                    unconfirmed.push(((claim, finding), why));
                }
                Answer::Undecodable(undecodable) => {
                    verified.push((claim.of, Verification::Undecodable(undecodable.clone())));
                    unreadable.push(Err(undecodable));
                }
            }
        }
        verified.extend(self.unconfirmed(origin, unconfirmed).await?);
        record(&self.ledger, &Source::of(origin), unreadable, None).await?;
        // What a person hands in does not come too early, whenever the region began to be watched.
        let watched_since = if origin.is_asked() {
            None
        } else {
            poller.watched_long_since(&self.ledger, &self.reader).await?
        };
        let from = Source { origin, region: Some(region), watched_since };
        let recorded = record(&self.ledger, &from, confirmed, None).await?;
        verified.extend(of_confirmed.into_iter().zip(recorded.into_iter().map(Verification::from)));
        Ok(verified)
    }

    async fn ask(&self, poller: &Poller, claims: &[Readable]) -> Vec<Answer> {
        // A pointer has nothing that could be believed.
        let is_asked = |finding: &Finding| self.confirm || finding.pointer;
        let asked: Vec<&Finding> =
            claims.iter().map(|(_, finding)| finding).filter(|finding| is_asked(finding)).collect();
        let mut answers = self.answers(poller, &asked).await.into_iter();
        let believed = |finding: &Finding| Answer::Confirmed(Box::new(finding.clone()));
        claims
            .iter()
            .filter_map(
                |(_, finding)| {
                    if is_asked(finding) { answers.next() } else { Some(believed(finding)) }
                },
            )
            .collect()
    }

    /// What GuardDuty says of these, in their order.
    async fn answers(&self, poller: &Poller, asked: &[&Finding]) -> Vec<Answer> {
        if asked.is_empty() {
            return Vec::new();
        }
        if let Some(answers) = within(LONGEST_WAIT, poller.confirm(&self.hub, asked)).await {
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
        &self,
        origin: &Origin,
        claims: Vec<(Readable, Unconfirmed)>,
    ) -> Result<Verified, LedgerError> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let draft = |((claim, finding), why): &(Readable, Unconfirmed)| {
            Draft::unconfirmed(origin, &claim.item, finding.clone(), why.clone())
        };
        let entries = claims.iter().map(draft).collect();
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        let verification = |((claim, finding), why): (Readable, Unconfirmed)| {
            metrics::counter!("rescind_findings_unconfirmed_total", "why" => why.code()).increment(1);
            tracing::warn!(
                source = %origin, item = claim.item, finding = finding.id, account = %finding.account,
                "NOT CONFIRMED by GuardDuty, nothing is done: {why}"
            );
            (claim.of, Verification::Unconfirmed { why, claim: Box::new(finding) })
        };
        Ok(claims.into_iter().map(verification).collect())
    }
}

/// No rule names the product: that can be a mistake.
fn is_of_unnamed_product(what: &Undecodable) -> bool {
    what.foreign.as_ref().is_some_and(|foreign| foreign.why == ForeignReason::Unnamed)
}

fn unanswered(claim: Claim, error: &CallError) -> (usize, Verification) {
    let claim = Claim { unanswered: claim.unanswered + 1, ..claim };
    (claim.of, Verification::Open { claim: Box::new(claim), error: Some(error.clone()) })
}
