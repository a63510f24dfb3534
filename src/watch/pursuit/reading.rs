//! One reading of CloudTrail by one key: all regions side by side, each page recorded before the next.

use super::alerts;
use super::key::{LAG, PursuedKey, SURE};
use super::opened::{self, Origins};
use super::shared::Shared;
use super::tally::{Kept, Tally};
use crate::alert::Alert;
use crate::aws::{Lookup, MemberSession, TrailQuery};
use crate::backoff::Backoff;
use crate::config::Contain;
use crate::finding::{DerivedKind, Finding};
use crate::ident::Region;
use crate::ledger::{Append, LedgerError};
use crate::org::AccountState;
use crate::remediation::{
    CallScope, Draft, ErrorKind, Event, Means, Origin, Refusal, RegionUnread, Remediation, Target, Trace,
    Who, incident_opened_by,
};
use crate::remedy::Purpose;
use crate::trail::{Activity, Meaning, TrailRecord};
use crate::triage::Policy;
use futures::StreamExt;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Maximum number of regions of one key that are read at once: LookupEvents is limited for each region on its own.
const REGIONS: usize = 64;

/// Maximum number of pages of 50 events that are read of one key in one region in one reading.
const MOST_PAGES: usize = 1_200;

/// Number of attempts at a page that is throttled or not answered, beyond the SDK's own.
const ATTEMPTS: u32 = 6;

/// Backoff between these attempts.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(8) };

/// Time for which a session in a member account is used: it lasts 15 minutes, and a region can take 10.
const SESSION: Duration = Duration::from_mins(4);

/// What one reading works with.
struct Reading<'a> {
    shared: &'a Shared,
    key: PursuedKey,
    root: Remediation,
    incident: String,
    addresses: Vec<String>,
    policy: &'a Policy,
    /// AWS's time at the beginning.
    now: Timestamp,
    /// Everything that CloudTrail will ever have of the key is there: it is read from the beginning once more.
    is_last: bool,
    session: Mutex<Option<(Instant, Arc<MemberSession>)>>,
    /// The calls that are recorded, with those of this reading.
    kept: std::sync::Mutex<Kept>,
}

/// Reads what CloudTrail has of a key since the last time.
///
/// # Errors
/// When the ledger fails.
pub(super) async fn read(
    shared: &Shared,
    key: PursuedKey,
    root: Remediation,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let now = shared.clock.now();
    let incident = shared.reader.incident_of(&root.id)?.unwrap_or_else(|| incident_opened_by(&root.id));
    let reading = Reading {
        shared,
        addresses: shared.list().addresses(&key),
        is_last: key.is_complete_at(now),
        kept: std::sync::Mutex::new(key.kept.clone()),
        session: Mutex::default(),
        key,
        root,
        incident,
        policy,
        now,
    };
    if !reading.is_ours()? {
        return Ok(());
    }
    let regions = shared.regions(&reading.key, policy);
    let all: Vec<Result<bool, LedgerError>> = futures::stream::iter(regions)
        .map(|region| reading.region(region))
        .buffer_unordered(REGIONS)
        .collect()
        .await;
    let mut is_whole = true;
    for one in all {
        is_whole &= one?;
    }
    if is_whole {
        shared.note_whole(&reading.key);
    }
    if reading.is_last && is_whole {
        reading.record(reading.trace(|trace| trace.ended = true), Vec::new()).await?;
    }
    Ok(())
}

impl Reading<'_> {
    /// Only accounts of the organization have a role to enter by. A session in another one is left to a person.
    fn is_ours(&self) -> Result<bool, LedgerError> {
        let organization = self.shared.reader.organization()?;
        let account = organization.as_ref().and_then(|all| all.account(&self.key.id.account));
        Ok(account.is_some_and(|account| account.state == AccountState::Active))
    }

    /// Reads one region; says whether it could be read to its end.
    async fn region(&self, region: Region) -> Result<bool, LedgerError> {
        match self.pages(&region).await? {
            Ok(tally) => {
                self.shared.note_read(&self.key, &region);
                let was_unread = self.key.unread.contains(&region);
                if tally.has_news() || was_unread {
                    self.record_region(&region, tally).await?;
                }
                Ok(true)
            }
            Err(refusal) if is_not_there(&refusal) => Ok(true),
            Err(refusal) => {
                let failures = self.shared.note_failure(&self.key, &region);
                tracing::warn!(
                    remediation = self.root.id, account = %self.key.id.account, %region,
                    "CloudTrail cannot be read: {refusal}"
                );
                let is_sure = failures >= SURE || !matches!(&refusal, Refusal::Unavailable(_));
                if is_sure && !self.key.unread.contains(&region) {
                    let role = self.shared.access.role_arn(&self.target());
                    let unread = RegionUnread {
                        region,
                        error: refusal.to_string(),
                        what_to_do: refusal.what_to_do(&role),
                    };
                    let alert = alerts::unreadable(&self.root, &self.key, &unread);
                    let alert = self.shared.alerts.draft(alert);
                    self.record(self.trace(|trace| trace.unread.push(unread)), Vec::from_iter(alert)).await?;
                }
                Ok(false)
            }
        }
    }

    /// Reads the pages of a region, newest first. What was opened or made is recorded and handed over with its page: the
    /// rest of a long list can take minutes.
    async fn pages(&self, region: &Region) -> Result<Result<Tally, Refusal>, LedgerError> {
        let since = self.key.read.get(region).copied().filter(|_| !self.is_last && !self.key.is_wide);
        let since = since.unwrap_or(self.key.since);
        let mut query =
            TrailQuery { lookup: Lookup::AccessKey(&self.key.id.access_key), since, until: None, page: None };
        let mut tally = Tally::default();
        for number in 1.. {
            let page = match self.page(region, &query).await {
                Ok(page) => page,
                Err(refusal) => {
                    // What was found is kept; what was counted is counted again.
                    self.record_activities(std::mem::take(&mut tally.activities)).await?;
                    return Ok(Err(refusal));
                }
            };
            tally.unreadable += u64::try_from(page.unreadable).unwrap_or(u64::MAX);
            let oldest = page.records.iter().map(|record| record.event.time).min();
            for record in page.records {
                self.take(region, record, &mut tally);
            }
            // A page is a millisecond's work: what is more urgent comes in between.
            tokio::task::yield_now().await;
            if tally.is_urgent() {
                self.record_activities(std::mem::take(&mut tally.activities)).await?;
            }
            query.page = page.next;
            if query.page.is_none() {
                break;
            }
            if number >= MOST_PAGES {
                tally.not_before = oldest;
                break;
            }
        }
        Ok(Ok(tally))
    }

    /// One page. CloudTrail throttles all who read in an account together, so it may take several attempts.
    async fn page(&self, region: &Region, query: &TrailQuery<'_>) -> Result<crate::aws::TrailPage, Refusal> {
        let mut attempt = 0;
        loop {
            let session = self.session().await?;
            session.trail_turn(region).await;
            let place = self.shared.places.take(region).await;
            let page = session.events_page(region, query).await;
            drop(place);
            match page {
                Ok(page) => return Ok(page),
                Err(error) if error.kind == ErrorKind::Throttled && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(BACKOFF.after(attempt)).await;
                }
                Err(error) => return Err(Refusal::from_call(error)),
            }
        }
    }

    /// The session in the key's account.
    async fn session(&self) -> Result<Arc<MemberSession>, Refusal> {
        let mut kept = self.session.lock().await;
        if let Some((at, session)) = kept.as_ref()
            && at.elapsed() < SESSION
        {
            return Ok(Arc::clone(session));
        }
        let scope = CallScope {
            remediation: Some(self.root.id.clone()),
            finding: Some(self.root.finding.id.clone()),
        };
        let access = &self.shared.access;
        let opened = access.open(&self.target(), &self.root.finding.id, Purpose::Trace, &scope).await?;
        let session = Arc::new(opened);
        *kept = Some((Instant::now(), Arc::clone(&session)));
        Ok(session)
    }

    /// The account of the key; its session may read CloudTrail there, and change nothing.
    fn target(&self) -> Target {
        Target {
            partition: self.policy.partition,
            account: self.key.id.account.clone(),
            who: Who::Unsupported { principal: "who holds a key".to_owned() },
            means: Means::InlinePolicy,
        }
    }

    /// Takes one record. It is counted once it can be counted for good.
    fn take(&self, region: &Region, record: TrailRecord, tally: &mut Tally) {
        let from = self.key.read.get(region).copied().unwrap_or(self.key.since);
        let is_counted = record.event.time >= from && record.event.time < self.until();
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tally.take(record, is_counted, &mut kept);
    }

    /// Up to when everything that was read is all that there will be.
    fn until(&self) -> Timestamp {
        if self.is_last { self.now } else { self.now.saturating_sub(LAG).unwrap_or(Timestamp::MIN) }
    }

    async fn record_activities(&self, activities: Vec<Activity>) -> Result<(), LedgerError> {
        if activities.is_empty() {
            return Ok(());
        }
        self.record(self.trace(|trace| trace.activities = activities), Vec::new()).await
    }

    async fn record_region(&self, region: &Region, tally: Tally) -> Result<(), LedgerError> {
        let lost = alerts::lost(&self.root, &self.key, tally.lost);
        let lost = lost.and_then(|alert| self.shared.alerts.draft(alert));
        let until = self.until().max(self.key.read.get(region).copied().unwrap_or(self.key.since));
        let (activities, read) = tally.read(region.clone(), until);
        let trace = self.trace(|trace| {
            trace.activities = activities;
            trace.read.push(read);
        });
        self.record(trace, Vec::from_iter(lost)).await
    }

    fn trace(&self, fill: impl FnOnce(&mut Trace)) -> Trace {
        let mut trace = Trace {
            access_key: self.key.id.access_key.to_string(),
            account: self.key.id.account.clone(),
            chain: self.key.chain.clone(),
            activities: Vec::new(),
            read: Vec::new(),
            unread: Vec::new(),
            ended: false,
        };
        fill(&mut trace);
        trace.activities.sort_by_key(|activity| activity.at);
        trace
    }

    /// Records what was read with the findings that follow from it, in one append; and hands these over.
    async fn record(&self, trace: Trace, mut more: Vec<Draft>) -> Result<(), LedgerError> {
        let contains = |what: Contain| self.policy.contains(self.root.rule.as_deref(), what);
        let home = &self.root.finding.region;
        let origins = Origins {
            incident: &self.incident,
            root: &self.root.id,
            rule: self.root.rule.as_deref(),
            addresses: &self.addresses,
            contains: &contains,
            home,
        };
        let mut findings: Vec<Finding> = trace
            .activities
            .iter()
            .filter_map(|activity| opened::finding(&self.key, activity, &origins))
            .collect();
        // A user that is quarantined has no key that works: the user comes first.
        findings.sort_by_key(|one| one.derived().is_some_and(|one| one.what == DerivedKind::AccessKey));
        let new = trace.activities.iter().filter(|activity| activity.worked());
        let is_denied = |activity: &Activity| {
            activity.meaning == Meaning::OpensSession
                && opened::finding(&self.key, activity, &origins).is_some()
        };
        let doors: Vec<&Activity> = new
            .clone()
            .filter(|activity| activity.meaning != Meaning::Takes && !is_denied(activity))
            .collect();
        let doors = alerts::doors_found(&self.root, &self.incident, &doors).map(Alert::raised);
        for activity in new {
            metrics::counter!("rescind_pursuit_found_total", "meaning" => activity.meaning.name())
                .increment(1);
            tracing::warn!(
                remediation = self.root.id,
                incident = self.incident,
                call = activity.call,
                "the thief: {} {}",
                activity.thing,
                activity.object.as_deref().unwrap_or_default()
            );
        }
        more.extend(doors);
        let origin = Origin::Pursuit { remediation: self.root.id.clone() };
        let mut entries = vec![Draft { subject: self.root.subject(), event: Event::Trace(Box::new(trace)) }];
        entries.extend(findings.iter().map(|finding| Draft::finding(&origin, finding.clone(), None)));
        entries.extend(more);
        self.shared.ledger.append(Append { entries, ..Append::default() }).await?;
        for finding in findings {
            if self.shared.reader.is_decided(&finding.occurrence())? {
                continue;
            }
            // Nobody decides any more: it is taken up at the next start.
            if self.shared.intake.send(finding, origin.clone()).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// The region is not enabled in the account: nobody can have made a call there. CloudTrail has no code of its own for
/// that: it does not know the credentials there, which STS has just given.
fn is_not_there(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Rejected(error) => error.kind == ErrorKind::RegionDisabled,
        Refusal::Unavailable(error) => {
            matches!(error.code.as_deref(), Some("UnrecognizedClientException" | "OptInRequired"))
        }
        _ => false,
    }
}
