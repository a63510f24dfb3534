//! Writes back to GuardDuty and Security Hub what became of a finding: once its remediation is revoked, and no door of
//! its incident is open.

use crate::alert::{Alert, Alerts};
use crate::aws::{Hub, HubFindingId};
use crate::backoff::Backoff;
use crate::config::{SecurityHubBack, WriteBack};
use crate::finding::{Finding, decode_answer};
use crate::ident::{Partition, Region};
use crate::incident::{Incident, IncidentState};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{
    AlertCode, BackTo, CallError, CallScope, Draft, ErrorKind, Event, Remediation, State, Subject,
    WrittenBack,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval between two looks for what is to be written back.
const ROUND: Duration = Duration::from_secs(15);

/// Interval between two looks at an incident that is not closed: sessions end without an entry.
const OPEN: Duration = Duration::from_mins(10);

/// Delays after a call that failed.
const BACKOFF: Backoff = Backoff { first: Duration::from_mins(1), longest: Duration::from_hours(1) };

/// Time after the deny for which CloudTrail may still show what the thief opened or made before it: its records come up to 15
/// minutes late, and are read some minutes after that.
pub(super) const UNTIL_READ: SignedDuration = SignedDuration::from_mins(30);

/// Time for which GuardDuty and Security Hub keep a finding.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Maximum number of ids that GetFindings takes.
const BATCH: usize = 50;

/// Codes with which Security Hub refuses an update for good.
const FOR_GOOD: [&str; 3] = ["FindingNotFound", "InvalidInput", "InvalidIdentifier"];

/// Writes back what became of findings.
pub struct BackWriter {
    write_back: WriteBack,
    /// Whether CloudTrail is read for what the thief did.
    is_pursued: bool,
    hub: Hub,
    ledger: Ledger,
    reader: Reader,
    alerts: Arc<Alerts>,
    /// What was recorded up to this entry was looked at.
    seq: i64,
    /// The incidents that are to be looked at, and when.
    waiting: BTreeMap<String, Waiting>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    at: Instant,
    /// How many looks failed in a row.
    failures: u32,
}

/// What a look at an incident led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// There is nothing more to write, until something else is recorded.
    Done,
    /// It is not closed, or GuardDuty knows more of a finding than was decided about.
    Later,
    /// AWS did not do it.
    Failed,
}

impl Look {
    fn and(self, other: Self) -> Self {
        if self as u8 >= other as u8 { self } else { other }
    }
}

/// What is to be written about one finding.
struct Due {
    finding: Finding,
    to: Vec<BackTo>,
}

impl BackWriter {
    /// From what the ledger has of the time for which findings are kept. None when nothing is to be written back.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(
        write_back: WriteBack,
        is_pursued: bool,
        hub: Hub,
        ledger: Ledger,
        alerts: Arc<Alerts>,
    ) -> Result<Option<Self>, LedgerError> {
        if write_back.is_off() {
            return Ok(None);
        }
        let reader = ledger.reader()?;
        let seq = reader.last_before(Timestamp::now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN))?;
        Ok(Some(Self { write_back, is_pursued, hub, ledger, reader, alerts, seq, waiting: BTreeMap::new() }))
    }

    /// Goes on until `stop` is cancelled.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), LedgerError> {
        let mut ticks = tokio::time::interval(ROUND);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Some(round) = stop.run_until_cancelled(self.round()).await {
                round?;
            }
        }
        Ok(())
    }

    /// Looks at each incident of which something is new, or whose time has come.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn round(&mut self) -> Result<(), LedgerError> {
        let last = self.reader.last()?;
        let now = Instant::now();
        for incident in self.reader.incidents_after(self.seq)? {
            // What failed a moment ago has its own time.
            let known = self.waiting.get(&incident).filter(|waiting| waiting.failures > 0).copied();
            self.waiting.insert(incident, known.unwrap_or(Waiting { at: now, failures: 0 }));
        }
        self.seq = last;
        let due: Vec<(String, u32)> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.at <= now)
            .map(|(id, waiting)| (id.clone(), waiting.failures))
            .collect();
        for (incident, failures) in due {
            match self.look(&incident).await? {
                Look::Done => drop(self.waiting.remove(&incident)),
                Look::Later => {
                    self.waiting.insert(incident, Waiting { at: Instant::now() + OPEN, failures: 0 });
                }
                Look::Failed => {
                    let failures = failures.saturating_add(1);
                    let at = Instant::now() + BACKOFF.after(failures);
                    self.waiting.insert(incident, Waiting { at, failures });
                }
            }
        }
        Ok(())
    }

    async fn look(&self, incident: &str) -> Result<Look, LedgerError> {
        let now = self.hub.clock().now();
        let Some(incident) = Incident::read(&self.reader, incident, now)? else { return Ok(Look::Done) };
        let revoked: Vec<&str> = incident
            .remediations
            .iter()
            .filter(|one| one.state == State::Revoked)
            .map(|one| one.remediation.as_str())
            .collect();
        if revoked.is_empty() {
            return Ok(Look::Done);
        }
        if incident.state != IncidentState::Closed {
            return Ok(Look::Later);
        }
        let mut look = Look::Done;
        for id in revoked {
            let remediation = self.reader.remediation(id)?;
            let is_recent = |at: Timestamp| now.duration_since(at) < UNTIL_READ;
            if self.is_pursued && remediation.accepted_at().is_some_and(is_recent) {
                return Ok(Look::Later);
            }
            let mut by_region: BTreeMap<Region, Vec<Due>> = BTreeMap::new();
            for due in self.due(&remediation)? {
                by_region.entry(due.finding.region.clone()).or_default().push(due);
            }
            for (region, due) in by_region {
                for batch in due.chunks(BATCH) {
                    look = look.and(self.write(&remediation, &region, batch).await?);
                }
            }
        }
        Ok(look)
    }

    /// The findings that the remediation takes care of, each as it was decided about last, and what is not yet written
    /// about that.
    fn due(&self, remediation: &Remediation) -> Result<Vec<Due>, LedgerError> {
        let mut latest: BTreeMap<String, Finding> = BTreeMap::new();
        let attached = self.reader.attached(&remediation.id)?;
        for finding in attached.into_iter().chain([remediation.finding.clone()]) {
            let is_later = latest.get(&finding.id).is_none_or(|known| known.updated_at < finding.updated_at);
            if finding.cause.is_guardduty() && !finding.sample && is_later {
                latest.insert(finding.id.clone(), finding);
            }
        }
        let mut done: BTreeSet<(String, String, &'static str)> = BTreeSet::new();
        for entry in self.reader.steps_of(&remediation.id)? {
            if let (Event::WrittenBack(back), Some(finding)) = (entry.event, entry.subject.finding) {
                done.insert((finding, back.updated_at, back.to.words()));
            }
        }
        let wanted = [
            (BackTo::SecurityHub, self.write_back.updates_security_hub()),
            (BackTo::Guardduty, self.write_back.archives()),
        ];
        let mut all = Vec::new();
        for finding in latest.into_values() {
            let is_due = |to: BackTo| {
                !done.contains(&(finding.id.clone(), finding.updated_at_text.clone(), to.words()))
            };
            let to: Vec<BackTo> = wanted
                .iter()
                .filter(|(to, is_wanted)| *is_wanted && is_due(*to))
                .map(|(to, _)| *to)
                .collect();
            if !to.is_empty() && self.is_settled(&finding)? {
                all.push(Due { finding, to });
            }
        }
        Ok(all)
    }

    /// Every actor of this update of the finding is revoked: a sequence has several, and some may be held.
    fn is_settled(&self, finding: &Finding) -> Result<bool, LedgerError> {
        let mut by_occurrence: BTreeMap<String, Option<String>> = BTreeMap::new();
        for entry in self.reader.decisions_about(&finding.id)? {
            let care = entry.takes_care().map(str::to_owned);
            if let Event::Decision { occurrence, .. } = entry.event {
                by_occurrence.insert(occurrence, care);
            }
        }
        let is_of_update = |occurrence: &str| {
            let parts: Option<Vec<serde_json::Value>> = serde_json::from_str(occurrence).ok();
            parts.is_some_and(|parts| {
                parts.get(1).and_then(serde_json::Value::as_str) == Some(&finding.updated_at_text)
            })
        };
        for (_, care) in by_occurrence.iter().filter(|(occurrence, _)| is_of_update(occurrence)) {
            let Some(care) = care else { return Ok(false) };
            if self.reader.state(care)? != State::Revoked {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes about findings of one region, as GuardDuty has them now.
    async fn write(
        &self,
        remediation: &Remediation,
        region: &Region,
        batch: &[Due],
    ) -> Result<Look, LedgerError> {
        let asked = async {
            let Some(detector) = self.hub.detector(region).await? else { return Ok(None) };
            let ids = batch.iter().map(|due| due.finding.id.clone()).collect();
            Ok(Some((self.hub.get_findings(region, &detector, ids).await?, detector)))
        };
        let (bytes, detector) = match asked.await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(Look::Done),
            Err(error) => return self.failed(&error).await,
        };
        let truths: Vec<Finding> = decode_answer(&bytes).into_iter().flatten().flatten().collect();
        let mut look = Look::Done;
        for due in batch {
            // What GuardDuty does not have any more is written nowhere.
            let Some(truth) = truths.iter().find(|truth| truth.id == due.finding.id) else { continue };
            // The thief goes on: that is decided first.
            if truth.updated_at > due.finding.updated_at {
                look = look.and(Look::Later);
                continue;
            }
            for to in &due.to {
                if *to == BackTo::Guardduty && truth.archived {
                    // By a call of our own, perhaps, whose answer was lost.
                    if self.reader.is_archived_here(&truth.id)? {
                        self.ledger.append(written_to(*to, remediation, region, truth)).await?;
                    }
                    continue;
                }
                look = look.and(self.write_to(*to, remediation, region, &detector, truth).await?);
            }
        }
        Ok(look)
    }

    /// Writes one thing: the intent, the call, the outcome.
    async fn write_to(
        &self,
        to: BackTo,
        remediation: &Remediation,
        region: &Region,
        detector: &str,
        truth: &Finding,
    ) -> Result<Look, LedgerError> {
        let subject = subject(remediation, region, truth);
        let back = WrittenBack { to, updated_at: truth.updated_at_text.clone(), problem: None };
        let draft = |event| Draft { subject: subject.clone(), event };
        self.ledger.append(draft(Event::WritingBack(back.clone()))).await?;
        let scope = CallScope { remediation: Some(remediation.id.clone()), finding: Some(truth.id.clone()) };
        let written = match to {
            BackTo::Guardduty => {
                let ids = vec![truth.id.clone()];
                self.hub.archive_findings(region, detector, ids, &scope).await.map(|()| None)
            }
            BackTo::SecurityHub => self.update(remediation, region, truth, &scope).await,
        };
        let problem = match written {
            Ok(None) => None,
            Ok(Some((code, problem))) if FOR_GOOD.contains(&code.as_str()) => Some(problem),
            Ok(Some((_, problem))) => {
                tracing::warn!(
                    remediation = remediation.id,
                    finding = truth.id,
                    "not written back: {problem}"
                );
                return Ok(Look::Failed);
            }
            Err(error) => return self.failed(&error).await,
        };
        self.ledger.append(draft(Event::WrittenBack(WrittenBack { problem, ..back }))).await?;
        Ok(Look::Done)
    }

    /// Updates a finding in Security Hub. Gives the code and why, when it is not taken.
    async fn update(
        &self,
        remediation: &Remediation,
        region: &Region,
        truth: &Finding,
        scope: &CallScope,
    ) -> Result<Option<(String, String)>, CallError> {
        let detail: Option<serde_json::Value> =
            truth.detail.as_deref().and_then(|detail| serde_json::from_str(detail).ok());
        let Some(arn) = detail.as_ref().and_then(|detail| detail["arn"].as_str()) else {
            return Ok(Some((FOR_GOOD[2].to_owned(), "the finding's ARN is not known".to_owned())));
        };
        let partition = Partition::of_region(region);
        let id = HubFindingId {
            arn: arn.to_owned(),
            product_arn: format!("arn:{partition}:securityhub:{region}::product/aws/guardduty"),
        };
        let cutoff = remediation.change.as_ref().map_or_else(String::new, |change| {
            format!(", sessions issued before {} are denied", change.cutoff)
        });
        let proof = remediation.rung().map_or_else(String::new, |rung| format!(" (proof: {rung})"));
        let note = format!("rescind: {} is {}{proof}{cutoff}.", remediation.id, remediation.state);
        let resolve = self.write_back.security_hub == SecurityHubBack::Resolve;
        let refused = self.hub.update_security_hub(region, &id, &note, resolve, scope).await?;
        Ok(refused.map(|one| (one.code.clone(), format!("{}: {}", one.code, one.message))))
    }

    async fn failed(&self, error: &CallError) -> Result<Look, LedgerError> {
        tracing::warn!("not written back: {error}");
        if error.kind == ErrorKind::Denied {
            let text = format!(
                "findings are not written back: AWS does not let the hub's role call {}",
                error.action()
            );
            let what_to_do = format!(
                "Allow {} to it (`rescind policies print hub-role`), or take the key out of [write_back]. It is tried again.",
                error.action()
            );
            self.alerts.raise_alert(Alert::of_service(AlertCode::NotWrittenBack, text, what_to_do)).await?;
        }
        Ok(Look::Failed)
    }
}

fn subject(remediation: &Remediation, region: &Region, truth: &Finding) -> Subject {
    Subject { finding: Some(truth.id.clone()), region: Some(region.clone()), ..remediation.subject() }
}

/// The outcome of a call whose answer nobody recorded.
fn written_to(to: BackTo, remediation: &Remediation, region: &Region, truth: &Finding) -> Draft {
    let back = WrittenBack { to, updated_at: truth.updated_at_text.clone(), problem: None };
    Draft { subject: subject(remediation, region, truth), event: Event::WrittenBack(back) }
}
