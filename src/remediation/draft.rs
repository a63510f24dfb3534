//! An entry that is yet to be written.

use super::{Event, Origin, Subject};
use crate::finding::{Finding, Unconfirmed, Undecodable};
use crate::ident::Region;
use jiff::Timestamp;

/// An entry that is yet to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it is about.
    pub subject: Subject,
    /// What happened to it.
    pub event: Event,
}

impl Draft {
    /// An entry about rescind itself.
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
    pub fn finding(origin: &Origin, finding: Finding, before_watch: Option<Timestamp>) -> Self {
        let subject = Subject::of_finding(&finding);
        let (origin, finding) = (origin.clone(), Box::new(finding));
        Self { subject, event: Event::Finding { origin, before_watch, finding } }
    }

    /// A person handed a finding in, for another process to act on.
    #[must_use]
    pub fn handed_in(origin: &Origin, finding: &Finding, os_user: &str) -> Self {
        let (origin, occurrence, os_user) = (origin.clone(), finding.occurrence(), os_user.to_owned());
        Self { subject: Subject::of_finding(finding), event: Event::HandedIn { origin, occurrence, os_user } }
    }

    /// Something came that cannot be read.
    #[must_use]
    pub fn undecodable(origin: &Origin, region: Option<&Region>, undecodable: Undecodable) -> Self {
        let subject = Subject {
            finding: undecodable.finding_id.clone(),
            region: region.cloned(),
            ..Subject::default()
        };
        Self { subject, event: Event::Undecodable { origin: origin.clone(), undecodable } }
    }

    /// What was claimed is not confirmed.
    #[must_use]
    pub fn unconfirmed(origin: &Origin, item: &str, claim: Finding, why: Unconfirmed) -> Self {
        let subject = Subject::of_finding(&claim);
        let (origin, item) = (origin.clone(), item.to_owned());
        // Who forges can make it as long as they like.
        let claim = Box::new(Finding { detail: None, ..claim });
        Self { subject, event: Event::Unconfirmed { origin, item, why, claim } }
    }
}
