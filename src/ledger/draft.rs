//! An entry that is yet to be written.

use super::entry::{Event, Subject};
use crate::finding::{Finding, Unconfirmed, Undecodable};
use crate::ident::Region;
use crate::triage::Decision;
use jiff::Timestamp;

/// An entry that is yet to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it is about.
    pub subject: Subject,
    /// What happened.
    pub event: Event,
}

impl Draft {
    /// About rescind itself.
    #[must_use]
    pub fn of_service(event: Event) -> Self {
        Self { subject: Subject::default(), event }
    }

    /// A region's feed failed.
    #[must_use]
    pub fn feed_failed(region: Option<&Region>, error: String, what_to_do: String) -> Self {
        let subject = Subject { region: region.cloned(), ..Subject::default() };
        Self { subject, event: Event::FeedFailed { error, what_to_do } }
    }

    /// A finding was seen.
    #[must_use]
    pub fn finding(source: &str, finding: Finding, before_watch: Option<Timestamp>) -> Self {
        let subject = Subject::of_finding(&finding);
        let (source, finding) = (source.to_owned(), Box::new(finding));
        Self { subject, event: Event::Finding { source, before_watch, finding } }
    }

    /// Something came that cannot be read.
    #[must_use]
    pub fn undecodable(source: &str, region: Option<&Region>, undecodable: Undecodable) -> Self {
        let subject = Subject {
            finding: undecodable.finding_id.clone(),
            region: region.cloned(),
            ..Subject::default()
        };
        Self { subject, event: Event::Undecodable { source: source.to_owned(), undecodable } }
    }

    /// What was claimed is not confirmed.
    #[must_use]
    pub fn unconfirmed(source: &str, item: &str, claim: Finding, why: Unconfirmed) -> Self {
        let subject = Subject::of_finding(&claim);
        let (source, item) = (source.to_owned(), item.to_owned());
        // Who forges can make it as long as they like.
        let claim = Box::new(Finding { detail: None, ..claim });
        Self { subject, event: Event::Unconfirmed { source, item, why, claim } }
    }

    /// A decision was made.
    #[must_use]
    pub fn decision(finding: &Finding, decision: &Decision) -> Self {
        let mut subject = Subject::of_finding(finding);
        let target = decision.verdict.target().cloned();
        subject.remediation = decision.verdict.remediation().map(str::to_owned);
        if let Some(target) = &target {
            subject.principal = Some(target.name());
        }
        let event = Event::Decision {
            occurrence: finding.occurrence(),
            verdict: decision.verdict.name().to_owned(),
            code: decision.verdict.code().to_owned(),
            reason: decision.verdict.to_string(),
            what_to_do: decision.what_to_do.clone(),
            rule: decision.rule.clone(),
            opt_outs: decision.opt_outs.clone(),
            checks: decision.checks.clone(),
            remedy: target.as_ref().map(|target| crate::remedy::name(target).to_owned()),
            target,
            covered_by: decision.verdict.covered_by().map(str::to_owned),
            recurrence: decision.recurrence.clone(),
            last_seen: finding.last_seen(),
            organization_read_at: decision.organization_read_at,
            placement_read_at: decision.placement_read_at,
        };
        Self { subject, event }
    }
}
