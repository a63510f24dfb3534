//! Puts an incident together from what the ledger has of it.

use super::door::doors;
use super::graph::Graph;
use super::moment::{Actor, Moment};
use super::outcome::SessionStatus;
use super::record::Record;
use super::session::{Session, sessions};
use super::view::{Denied, Incident, IncidentState, KeyRead, Member, Taken, Unread};
use crate::ident::{AccountId, Region};
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{CallCount, RegionRead, Remediation};
use crate::trail::{Activity, Meaning};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Maximum number of attempts in vain that are listed one by one.
const LISTED: usize = 50;

impl Incident {
    /// The incident with this id as the ledger has it; none when there is none. `now` says which sessions have ended.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(reader: &Reader, id: &str, now: Timestamp) -> Result<Option<Self>, LedgerError> {
        let Some(mut record) = Record::read(reader, id)? else { return Ok(None) };
        let (made, blinds) =
            (doors(&record, reader, Meaning::Persists)?, doors(&record, reader, Meaning::Blinds)?);
        let sessions = sessions(&record, reader, &made, now)?;
        let taken = record.activities.iter().filter(|one| one.meaning == Meaning::Takes && one.worked());
        let taken = taken.map(|one| Taken { activity: one.clone(), advice: one.door() }).collect();
        let graph = Graph::of(&sessions, &made.iter().chain(&blinds).collect::<Vec<_>>());
        let mut timeline: Vec<Moment> = record.activities.iter().map(moment).collect();
        timeline.append(&mut record.moments);
        timeline.sort_by_key(|moment| (moment.at, moment.entry, moment.actor));
        let mut incident = Self {
            id: id.to_owned(),
            state: IncidentState::Open,
            opened_at: record.members.iter().map(|member| member.opened_at).min().unwrap_or(now),
            to_do: Vec::new(),
            remediations: record.members.iter().map(member).collect(),
            account_names: BTreeMap::new(),
            keys: keys(&record, &sessions),
            sessions,
            doors: made,
            blinds,
            taken,
            denied: denied(&record),
            looks: looks(&record),
            unread: unread(&record),
            not_read: not_read(&record),
            graph,
            timeline,
        };
        incident.state = incident.state_of();
        let unchanged = reader.unchanged()?.into_iter();
        let waits = |id: &str| incident.remediations.iter().any(|one| one.remediation == id);
        let mut to_do: Vec<String> = unchanged
            .filter(|one| waits(&one.remediation.remediation))
            .map(|one| {
                format!(
                    "{} takes no changes since {}: `rescind show {}` has what contains it meanwhile",
                    one.outage.service(),
                    one.outage.since.strftime("%Y-%m-%d %H:%M:%SZ"),
                    one.remediation.remediation
                )
            })
            .collect();
        to_do.extend(incident.things_to_do());
        incident.to_do = to_do;
        Ok(Some(incident))
    }
}

fn member(one: &Remediation) -> Member {
    let derived = one.finding.derived();
    Member {
        remediation: one.id.clone(),
        state: one.state,
        principal: one.target.principal(),
        account: one.target.account.clone(),
        session: one.target.session().map(|session| session.user_id.clone()),
        opened_at: one.opened_at,
        call: derived.map(|derived| derived.call.clone()),
        by: derived.and_then(|derived| derived.chain.last()).map(|link| link.access_key.clone()),
        ordered_by: one.finding.cause.order().map(|order| order.from.to_string()),
        is_supported: one.target.is_supported(),
    }
}

fn moment(activity: &Activity) -> Moment {
    let object = activity.object.as_deref().unwrap_or_default();
    let by = activity.by.as_deref().map_or_else(String::new, |key| format!(" with {key}"));
    let failed = activity.error_code.as_deref().map_or_else(String::new, |code| format!(" FAILED: {code}"));
    Moment {
        at: activity.at,
        actor: Actor::Thief,
        event: activity.call.clone(),
        text: format!("{}{failed}: {} {object}{by}", activity.call, activity.thing),
        remediation: None,
        entry: None,
    }
}

/// Everything that was read to its end.
fn reads(record: &Record) -> impl Iterator<Item = (&AccountId, &str, &RegionRead)> {
    record
        .traces
        .iter()
        .flat_map(|trace| trace.read.iter().map(|read| (&trace.account, trace.access_key.as_str(), read)))
}

fn denied(record: &Record) -> Denied {
    let mut calls: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in
        reads(record).flat_map(|(_, _, read)| &read.calls).filter(|(_, count)| count.failed > 0)
    {
        *calls.entry(name.clone()).or_default() += count.failed;
    }
    // A call is recorded before it is counted.
    let mut recorded: BTreeMap<&str, u64> = BTreeMap::new();
    let failed = || record.activities.iter().filter(|activity| !activity.worked());
    for activity in failed() {
        *recorded.entry(&activity.call).or_default() += 1;
    }
    for (name, count) in recorded {
        let counted = calls.entry(name.to_owned()).or_default();
        *counted = (*counted).max(count);
    }
    let mut latest: Vec<Activity> = failed().rev().take(LISTED).cloned().collect();
    latest.reverse();
    Denied { calls, latest }
}

fn looks(record: &Record) -> BTreeMap<String, BTreeMap<String, CallCount>> {
    let mut looks: BTreeMap<String, BTreeMap<String, CallCount>> = BTreeMap::new();
    for (_, _, read) in reads(record).filter(|(_, _, read)| !read.calls.is_empty()) {
        let region = looks.entry(read.region.to_string()).or_default();
        for (name, count) in &read.calls {
            let sum = region.entry(name.clone()).or_default();
            sum.worked += count.worked;
            sum.failed += count.failed;
        }
    }
    looks
}

/// What could not be read, and was not read since.
fn unread(record: &Record) -> Vec<Unread> {
    let mut all: BTreeMap<(&AccountId, &str, &Region), Unread> = BTreeMap::new();
    for trace in &record.traces {
        let (account, key) = (&trace.account, trace.access_key.as_str());
        for read in &trace.read {
            all.remove(&(account, key, &read.region));
        }
        for region in &trace.unread {
            let one = Unread { account: account.clone(), access_key: key.to_owned(), region: region.clone() };
            all.insert((account, key, &region.region), one);
        }
    }
    all.into_values().collect()
}

fn not_read(record: &Record) -> Vec<String> {
    let mut all = Vec::new();
    for (account, key, read) in reads(record) {
        let place = format!("key {key}, account {account}, {}", read.region);
        if let Some(before) = read.not_before {
            all.push(format!("{place}: calls before {before} were not read, there were too many"));
        }
        if read.beyond > 0 {
            all.push(format!("{place}: {} calls that matter are counted, not listed", read.beyond));
        }
        if read.unreadable > 0 {
            all.push(format!("{place}: {} records could not be read", read.unreadable));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn keys(record: &Record, sessions: &[Session]) -> Vec<KeyRead> {
    let mut all: Vec<KeyRead> = Vec::new();
    let mut until: BTreeMap<(String, Region), Timestamp> = BTreeMap::new();
    for trace in &record.traces {
        let is_it = |key: &&mut KeyRead| key.access_key == trace.access_key;
        if let Some(known) = all.iter_mut().find(is_it) {
            known.ended |= trace.ended;
        } else {
            all.push(KeyRead {
                account: Some(trace.account.clone()),
                access_key: trace.access_key.clone(),
                until: None,
                ended: trace.ended,
                regions: Vec::new(),
            });
        }
        for read in &trace.read {
            let latest = until.entry((trace.access_key.clone(), read.region.clone())).or_insert(read.until);
            *latest = (*latest).max(read.until);
        }
    }
    if all.is_empty() {
        return all;
    }
    for session in sessions.iter().filter(|session| session.status != SessionStatus::Ended) {
        let Some(access_key) = session.access_key.clone() else { continue };
        if all.iter().all(|key| key.access_key != access_key) {
            let account = session.account.clone();
            all.push(KeyRead { account, access_key, until: None, ended: false, regions: Vec::new() });
        }
    }
    for key in &mut all {
        let mut own = until.iter().filter(|((name, _), _)| *name == key.access_key).peekable();
        key.until = own.peek().is_some().then(|| own.clone().map(|(_, at)| *at).min()).flatten();
        key.regions = own.map(|((_, region), _)| region.clone()).collect();
    }
    all
}
