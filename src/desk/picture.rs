//! How the service and its work are doing, by the status that it publishes and by the ledger.

use super::WorksAgain;
use crate::config::Config;
use crate::incident::{IncidentCounter, IncidentCounts};
use crate::ingest::Unreadable;
use crate::ledger::{LedgerError, Lock, Reader};
use crate::org::AccountNames;
use crate::remediation::{Entry, Event, Outage, Remediation, Rung, Standing, State};
use crate::remedy::LONGEST_SESSION;
use crate::service::Live;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the service and its work are doing, as `rescind status -o json` and the API give it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// When it was taken.
    pub at: Timestamp,
    /// Who acts on the ledger now, if somebody does.
    pub holder: Option<String>,
    /// The status that the running service publishes.
    pub live: Option<Live>,
    /// How many remediations are in each state.
    pub states: BTreeMap<String, i64>,
    /// How many of those whose deny is in place are proved how far.
    pub proofs: BTreeMap<String, i64>,
    /// Number of findings that are not decided yet.
    pub undecided: usize,
    /// What the feeds brought within a day that cannot be read.
    pub unreadable_today: Vec<Unreadable>,
    /// What is not finished, the oldest first.
    pub unfinished: Vec<Unfinished>,
    /// What keeps denies from being written, where IAM takes no changes.
    pub outage: Option<OutagePicture>,
    /// Remediations whose quarantine is attached, or may be: every session of their principals is denied.
    pub quarantined: usize,
    /// When the oldest of these quarantines was begun.
    pub quarantined_since: Option<Timestamp>,
    /// What was released and may still work, the stolen sessions included, the latest last.
    #[serde(default)]
    pub released: Vec<ReleasedPicture>,
    /// Incidents that are not closed, and their doors.
    pub incidents: IncidentCounts,
    /// How many remediations were begun within the hour.
    pub begun_this_hour: usize,
    /// How many may be, in the organization, without asking.
    pub budget_per_hour: u32,
    /// Accounts whose budget is used up.
    pub accounts_at_limit: Vec<String>,
    /// What was decided before this and is not done is raised to a person.
    pub raised_before: Timestamp,
    /// How many alerts were raised within a day, and the latest.
    pub alerts_today: usize,
    pub latest_alert: Option<String>,
    /// The channels of notifications.
    pub channels: Vec<ChannelPicture>,
    /// Number of entries in the ledger, and the size of its file in bytes.
    pub ledger_entries: i64,
    pub ledger_bytes: u64,
    /// How many of the entries the last checkpoint covers, and when it was made.
    pub checkpoint_entries: Option<u64>,
    pub checkpoint_at: Option<Timestamp>,
}

/// How a channel of notifications is doing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChannelPicture {
    pub channel: String,
    /// How often it failed in a row, since when, and why.
    pub failures: u32,
    pub failed_since: Option<Timestamp>,
    pub error: Option<String>,
}

/// A control plane that takes no changes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OutagePicture {
    #[serde(flatten)]
    pub outage: Outage,
    /// How many remediations wait for it.
    pub waiting: usize,
    /// It has lasted so long that people are notified.
    pub needs_person: bool,
}

/// A remediation that is not finished.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unfinished {
    pub remediation: String,
    /// As much of it as names it, for the table.
    #[serde(skip)]
    pub short: String,
    pub state: State,
    pub proof: Option<Rung>,
    pub account: String,
    /// Name of that account, where it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    pub role: String,
    pub opened_at: Timestamp,
    pub why: String,
    pub failures: Option<u32>,
    pub next_try: Option<Timestamp>,
    pub answer_by: Option<Timestamp>,
}

/// A remediation that was released, and whose sessions may still work.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedPicture {
    /// Id of the remediation.
    pub remediation: String,
    /// The account of the principal.
    pub account: String,
    /// The principal, in words.
    pub principal: String,
    /// When it was released.
    pub at: Timestamp,
    /// What works again, and until when.
    pub works_again: WorksAgain,
}

impl ReleasedPicture {
    /// Of the last hours, as many as a session lives at most: what has no end is named for as long.
    fn all(reader: &Reader, now: Timestamp) -> Result<Vec<Self>, LedgerError> {
        let since = now.saturating_sub(LONGEST_SESSION).unwrap_or(Timestamp::MIN);
        let mut all = Vec::new();
        for id in reader.undone_since(since)? {
            let remediation = reader.remediation(&id)?;
            let (Some(undo), Some((at, _))) = (&remediation.undoing, remediation.undone) else { continue };
            let is_released = remediation.state == State::Released;
            let Some(works_again) = WorksAgain::of(&remediation, undo, at).filter(|_| is_released) else {
                continue;
            };
            if works_again.until.is_some_and(|until| until <= now) {
                continue;
            }
            all.push(Self {
                account: remediation.target.account.to_string(),
                principal: remediation.target.principal(),
                remediation: id,
                at,
                works_again,
            });
        }
        Ok(all)
    }
}

impl Picture {
    /// As things stand now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn take(config: &Config, reader: &Reader) -> Result<Self, LedgerError> {
        let now = Timestamp::now();
        let ago = |hours| now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN);
        let holder = Lock::holder(&config.ledger);
        let live = Live::of_holder(&config.ledger);
        let names = reader.account_names()?;
        let mut unfinished = Vec::new();
        for open in reader.unfinished()? {
            let remediation = reader.remediation(&open.remediation)?;
            let short = reader.short_id(&remediation.id)?;
            unfinished.push(Unfinished::of(&remediation, (short, &names), live.as_ref(), config));
        }
        let begun = reader.begun_since(ago(1))?;
        let mut by_account: BTreeMap<String, u32> = BTreeMap::new();
        for one in &begun {
            *by_account.entry(one.account.to_string()).or_default() += 1;
        }
        let budget = &config.budget;
        let (in_account, in_all) =
            live.as_ref().map_or((budget.account_per_hour, budget.organization_per_hour), |live| live.budget);
        by_account.retain(|_, count| *count >= in_account);
        let alerts = reader.alerts_since(ago(24))?;
        let checkpoint = reader.checkpointed()?;
        let (quarantined, quarantined_since) = reader.quarantines()?;
        let (mut states, mut proofs) = (BTreeMap::new(), BTreeMap::new());
        for (Standing { state, proof }, count) in reader.standings()? {
            *states.entry(state.to_string()).or_default() += count;
            if let Some(rung) = proof.filter(|_| state.is_in_place()) {
                *proofs.entry(rung.to_string()).or_default() += count;
            }
        }
        let incidents = match &live {
            Some(live) => live.incidents,
            None => IncidentCounter::count(reader, now)?,
        };
        Ok(Self {
            at: now,
            holder,
            live,
            incidents,
            states,
            proofs,
            undecided: reader.undecided()?.len(),
            unreadable_today: Unreadable::since(reader, ago(24))?,
            unfinished,
            outage: OutagePicture::of(reader, now, config.raise_after)?,
            quarantined,
            quarantined_since,
            released: ReleasedPicture::all(reader, now)?,
            begun_this_hour: begun.len(),
            budget_per_hour: in_all,
            accounts_at_limit: by_account.into_keys().collect(),
            raised_before: now.saturating_sub(config.raise_after).unwrap_or(now),
            alerts_today: alerts.len(),
            latest_alert: alerts.last().and_then(alert_text),
            channels: channels(config, reader)?,
            ledger_entries: reader.last()?,
            ledger_bytes: std::fs::metadata(&config.ledger).map_or(0, |meta| meta.len()),
            checkpoint_entries: checkpoint.map(|(size, _)| size),
            checkpoint_at: checkpoint.map(|(_, at)| at),
        })
    }

    /// Something does not go on by itself.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        // What is being retried does not need a person yet.
        let is_stuck = |one: &Unfinished| {
            matches!(one.state, State::Held | State::Blocked) || one.opened_at < self.raised_before
        };
        // Its notifications may not have reached anybody by then.
        let is_unheard =
            |one: &ChannelPicture| one.failed_since.is_some_and(|since| since < self.raised_before);
        self.unfinished.iter().any(is_stuck)
            || self.channels.iter().any(is_unheard)
            || self.outage.as_ref().is_some_and(|outage| outage.needs_person)
            || self.live.as_ref().is_none_or(|live| {
                !live.is_alive()
                    || live.refused.is_some()
                    || live.rechecks.late > 0
                    || !live.blind().is_empty()
            })
    }
}

/// Of those that are configured, which may be others than those that a running service has.
fn channels(config: &Config, reader: &Reader) -> Result<Vec<ChannelPicture>, LedgerError> {
    let known = reader.channels()?;
    let of = |name: &str| known.iter().find(|state| state.name == name);
    let picture = |name: &str| ChannelPicture {
        channel: name.to_owned(),
        failures: of(name).map_or(0, |state| state.failures),
        failed_since: of(name).and_then(|state| state.failed_since),
        error: of(name).and_then(|state| state.error.clone()),
    };
    Ok(config.channels.iter().map(|channel| picture(&channel.name)).collect())
}

fn alert_text(entry: &Entry) -> Option<String> {
    match &entry.event {
        Event::Alert { code, text, .. } => {
            Some(format!("{}: {code}: {text}", entry.time.strftime("%Y-%m-%d %H:%M:%SZ")))
        }
        _ => None,
    }
}

impl OutagePicture {
    /// The one that has lasted longest.
    fn of(reader: &Reader, now: Timestamp, raise_after: SignedDuration) -> Result<Option<Self>, LedgerError> {
        let unchanged = reader.unchanged()?;
        let waiting = unchanged.len();
        let longest = unchanged.into_iter().map(|one| one.outage).min_by_key(|outage| outage.since);
        Ok(longest.map(|outage| {
            let needs_person = outage.needs_person(now, raise_after);
            Self { outage, waiting, needs_person }
        }))
    }
}

impl Unfinished {
    fn of(
        remediation: &Remediation,
        (short, names): (&str, &AccountNames),
        live: Option<&Live>,
        config: &Config,
    ) -> Self {
        let retry = live.and_then(|live| live.retries.iter().find(|one| one.remediation == remediation.id));
        let is_held = remediation.state == State::Held;
        Self {
            remediation: remediation.id.clone(),
            short: short.to_owned(),
            state: remediation.state,
            proof: remediation.rung(),
            account: remediation.target.account.to_string(),
            account_name: names.of(&remediation.target.account),
            role: remediation.target.label(),
            opened_at: remediation.opened_at,
            why: remediation.why().unwrap_or_default().to_owned(),
            failures: retry.map(|retry| retry.failures),
            next_try: retry.map(|retry| retry.next),
            answer_by: remediation.answer_by(config.approval_timeout).filter(|_| is_held),
        }
    }
}
