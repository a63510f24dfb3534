//! Hints: findings as an event or an export claims them. GuardDuty is asked before anything is done.

use super::guardduty::Answer;
use super::{Recorded, Source, Watch, record};
use crate::aws::{CallError, Hub};
use crate::finding::{Decoded, Finding, Unconfirmed, Undecodable};
use crate::ident::Region;
use crate::ledger::{Append, Draft, Ledger, LedgerError, Reader};
use std::collections::BTreeMap;

/// One item that claims to be a finding.
#[derive(Debug, Clone)]
pub struct Hint {
    /// The number of what it came in.
    pub of: usize,
    /// Which message or line it was: so that the same one is recorded once.
    pub item: String,
    /// What it claims, as far as it can be read.
    pub decoded: Decoded,
}

/// What became of a hint.
#[derive(Debug)]
pub enum Fate {
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
    Undecodable,
    /// GuardDuty did not answer, or has no such finding yet: to be asked again.
    Open {
        /// The hint.
        hint: Box<Hint>,
        /// What GuardDuty answered instead.
        error: Option<CallError>,
    },
}

impl Fate {
    fn open(of: usize, item: String, claim: Finding, error: Option<CallError>) -> Self {
        Self::Open { hint: Box::new(Hint { of, item, decoded: Ok(claim) }), error }
    }
}

impl From<Recorded> for Fate {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::New(finding) => Self::New(finding),
            Recorded::Seen(finding) => Self::Seen(finding),
            Recorded::Undecodable => Self::Undecodable,
        }
    }
}

/// A claim that can be read: what it came in, which item it was, what it claims.
type Claim = (usize, String, Finding);

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
}

impl Hints<'_> {
    /// Records hints, each as what it turns out to be. With `patient`, one that GuardDuty does not
    /// have stays open: an event can be faster than the API.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn settle(
        self,
        source: &str,
        hints: Vec<Hint>,
        patient: bool,
    ) -> Result<Vec<(usize, Fate)>, LedgerError> {
        let mut fates = Vec::new();
        let mut by_region: BTreeMap<Region, Vec<Claim>> = BTreeMap::new();
        for Hint { of, item, decoded } in hints {
            match decoded {
                Ok(claim) => by_region.entry(claim.region.clone()).or_default().push((of, item, claim)),
                Err(undecodable) => fates.push((of, self.undecodable(source, undecodable).await?)),
            }
        }
        let regions = by_region.into_iter().map(|(region, claims)| async move {
            self.settle_region(source, &region, claims, patient).await
        });
        for settled in futures::future::join_all(regions).await {
            fates.extend(settled?);
        }
        Ok(fates)
    }

    async fn settle_region(
        self,
        source: &str,
        region: &Region,
        claims: Vec<Claim>,
        patient: bool,
    ) -> Result<Vec<(usize, Fate)>, LedgerError> {
        let Some(poller) = self.watch.region(region) else {
            let unwatched = claims.into_iter().map(|(of, item, claim)| async move {
                let fate = self.unconfirmed(source, item, claim, Unconfirmed::RegionNotWatched).await?;
                Ok((of, fate))
            });
            return futures::future::try_join_all(unwatched).await;
        };
        let answers = if self.confirm {
            let asked: Vec<&Finding> = claims.iter().map(|(_, _, claim)| claim).collect();
            poller.confirm(self.hub, &asked).await
        } else {
            claims.iter().map(|(_, _, claim)| Answer::Confirmed(Box::new(claim.clone()))).collect()
        };
        let (mut fates, mut confirmed, mut confirmed_of) = (Vec::new(), Vec::new(), Vec::new());
        for ((of, item, claim), answer) in claims.into_iter().zip(answers) {
            let fate = match answer {
                Answer::Confirmed(truth) => {
                    confirmed.push(Ok(*truth));
                    confirmed_of.push(of);
                    continue;
                }
                Answer::Unanswered(error) => Fate::open(of, item, claim, Some(error)),
                Answer::Unconfirmed(Unconfirmed::NotFound) if patient => Fate::open(of, item, claim, None),
                Answer::Unconfirmed(why) => self.unconfirmed(source, item, claim, why).await?,
                Answer::Undecodable(undecodable) => self.undecodable(source, undecodable).await?,
            };
            fates.push((of, fate));
        }
        let watched_since = poller.watched_since(self.ledger, self.reader).await?;
        let from = Source { name: source.to_owned(), region: Some(region), watched_since };
        let recorded = record(self.ledger, &from, confirmed, None).await?;
        fates.extend(confirmed_of.into_iter().zip(recorded.into_iter().map(Fate::from)));
        Ok(fates)
    }

    async fn unconfirmed(
        self,
        source: &str,
        item: String,
        claim: Finding,
        why: Unconfirmed,
    ) -> Result<Fate, LedgerError> {
        let draft = Draft::unconfirmed(source, &item, claim.clone(), why.clone());
        self.ledger.append(Append { entries: vec![draft], ..Append::default() }).await?;
        metrics::counter!("rescind_findings_unconfirmed_total", "why" => why.code()).increment(1);
        tracing::warn!(
            source, item, finding = claim.id, account = %claim.account,
            "NOT CONFIRMED by GuardDuty, nothing is done: {why}"
        );
        Ok(Fate::Unconfirmed { why, claim: Box::new(claim) })
    }

    async fn undecodable(self, source: &str, undecodable: Undecodable) -> Result<Fate, LedgerError> {
        record(self.ledger, &Source::handed_in(source), vec![Err(undecodable)], None).await?;
        Ok(Fate::Undecodable)
    }
}
