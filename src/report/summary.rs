//! The figures of a report.

use super::containment::Containment;
use super::glance::{GLANCE, Glance};
use super::open_item::OpenItem;
use super::opt_out_use::OptOutUse;
use super::remediation::RemediationReport;
use super::scan::{CountedDecision, Met, Prepared, ReportError};
use super::spread::Spread;
use super::tally::{Tally, Week, Weeks, severity_word};
use super::thefts::Thefts;
use super::verdict::{Beside, Verdict};
use crate::remediation::{InForceTotal, ReasonCode, State, VerdictName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Maximum number of remediations that are listed as needing a person; more are counted.
const NAMED: usize = 500;

/// The figures over all selected remediations.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// How many thefts there were, how far they are contained, and whether anything is open.
    pub verdict: Verdict,
    /// Decisions about findings; with `states`, `proofs` or `remediations` in the selection only those that began a remediation.
    pub decisions: u64,
    /// How many decisions there were of each verdict.
    pub by_verdict: BTreeMap<VerdictName, u64>,
    /// What was skipped, by the reason's name.
    pub skipped_by_reason: BTreeMap<String, u64>,
    /// Of these, what no rule is for, by the type of the finding.
    pub without_rule: BTreeMap<String, u64>,
    /// What was only observed, by the reason's name.
    pub observed_by_reason: BTreeMap<String, u64>,
    /// Remediations in the state `held`, by the name of the reason for which a person is asked now.
    pub held_by_reason: BTreeMap<String, u64>,
    /// Findings that are not decided yet, in the whole organization.
    pub undecided: u64,
    /// What came and could not be read, in the whole organization.
    pub unreadable: u64,
    /// Claims that GuardDuty did not confirm, in the whole organization.
    pub unconfirmed: u64,
    /// Entries of the period that are in an archive: they are in no figure.
    pub archived: u64,
    /// Remediations that the selection covers.
    pub remediations: u64,
    /// Remediations, by their state.
    pub by_state: BTreeMap<String, u64>,
    /// Remediations, by how far the theft behind each is contained.
    pub by_containment: BTreeMap<Containment, u64>,
    /// Remediations whose deny was seen in place, now or earlier.
    pub acted: u64,
    /// Remediations that failed for good.
    pub failed: u64,
    /// Remediations that were never in place and are not finished.
    pub open: u64,
    /// They, by how far they are proved: `enforced`, `simulated`, `present`, `none`.
    pub by_proof: BTreeMap<String, u64>,
    /// They, by the highest rung that was ever reached, also of what was since released, lost or retired.
    pub by_highest_proof: BTreeMap<String, u64>,
    /// From the last activity that GuardDuty saw to AWS's acceptance of the deny that was then seen in place.
    pub seconds_to_deny: Option<Spread>,
    /// Remediations whose deny was seen in place and that are in no duration: GuardDuty dates the last activity
    /// after the deny, which cannot be.
    pub not_timed: u64,
    /// How long each deny was seen in place, until it ended or until the last entry of the ledger.
    pub seconds_in_force: Option<Spread>,
    /// How long persons who were asked took to answer.
    pub seconds_to_answer: Option<Spread>,
    /// How often nobody answered in time.
    pub unanswered: u64,
    /// The remediation that waits longest for an answer now.
    pub oldest_unanswered: Option<OldestUnanswered>,
    /// What was remediated, of what could have been.
    pub remediation_rate: RemediationRate,
    /// Remediations that follow another one that should have ended it: `new_key`, `same_key`.
    pub recurrences: BTreeMap<String, u64>,
    /// Seconds in which the denies were seen in place, of the seconds since each was put for the first time; none
    /// when none was put.
    pub in_force: Option<InForceTotal>,
    /// How often a deny was found gone or altered.
    pub drifts: u64,
    /// Releases that were carried out.
    pub released: u64,
    /// The opt-outs that applied to a decision, or that end soon.
    pub opt_outs: Vec<OptOutUse>,
    /// The figures by account, by its id.
    pub by_account: BTreeMap<String, Part>,
    /// By organizational unit; an account counts in each one that it is in.
    pub by_ou: BTreeMap<String, Part>,
    /// The figures by day (UTC).
    pub by_day: BTreeMap<String, Part>,
    /// The figures by week (UTC), by its Monday; also weeks without a decision.
    pub by_week: BTreeMap<String, Week>,
    /// Remediations by GuardDuty's severity of the finding: `critical` (from 9), `high` (from 7), `medium` (from 4), `low`
    /// (from 1), `informational`, `unknown`.
    pub by_severity: BTreeMap<String, Tally>,
    /// Remediations by the type of the finding.
    pub by_finding_type: BTreeMap<String, Tally>,
    /// What needs a person now, the oldest first.
    pub needs_person: Vec<OpenItem>,
    /// More of the same, which are not named.
    pub needs_person_more: u64,
    /// All remediations, when they are few enough for a table.
    #[serde(skip)]
    pub(super) glance: Vec<Glance>,
}

/// The remediation that waits longest for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OldestUnanswered {
    /// Id of the remediation.
    pub remediation: String,
    /// Since when a person is asked.
    pub since: Timestamp,
    /// Seconds since then, until the report was made.
    pub seconds: f64,
}

impl OldestUnanswered {
    /// The older one of what was found so far and what waits since then.
    fn older(found: Option<Self>, (remediation, since): (&str, Timestamp), now: Timestamp) -> Option<Self> {
        if found.as_ref().is_some_and(|found| found.since <= since) {
            return found;
        }
        let seconds = now.duration_since(since).as_secs_f64().max(0.0);
        Some(Self { remediation: remediation.to_owned(), since, seconds })
    }
}

/// What was remediated, of what could have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct RemediationRate {
    /// Remediations whose deny was seen in place, now or earlier, or that a person has done by hand.
    pub remediated: u64,
    /// Remediations that were not superseded; and decisions to observe, or to skip because somebody
    /// wants it so: an opt-out, a tag, a rule, the mode, or because the principal is protected.
    pub actionable: u64,
    /// The one divided by the other; none when there was nothing to act on.
    pub share: Option<f64>,
}

/// One account's, unit's or day's part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Part {
    /// Name of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of decisions about findings.
    pub decisions: u64,
    /// Remediations whose deny was seen in place.
    pub acted: u64,
    /// Remediations that were not in place: held, failed, not finished.
    pub not_acted: u64,
    /// What was only observed.
    pub observed: u64,
    /// Findings that were skipped.
    pub skipped: u64,
}

/// What is not to be kept in the figures themselves.
#[derive(Default)]
struct Durations {
    to_deny: Vec<f64>,
    to_answer: Vec<f64>,
    in_force: Vec<f64>,
    weeks: Weeks,
    thefts: Thefts,
    beside: Beside,
    opt_outs: BTreeMap<String, u64>,
}

impl Summary {
    /// Goes through the ledger once.
    pub(super) fn gather(
        prepared: &Prepared<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, ReportError> {
        let (mut summary, mut durations) = (Self::default(), Durations::default());
        prepared.each(true, progress, &mut |met| {
            summary.met(&met, &mut durations, prepared);
            Ok(())
        })?;
        let head = &prepared.head;
        let beside = prepared.reader.undecided_counts(&head.selection, head.entries)?;
        summary.archived = beside.archived;
        summary.undecided = beside.undecided;
        summary.unreadable = beside.unreadable;
        summary.unconfirmed = beside.unconfirmed;
        let rate = &mut summary.remediation_rate;
        #[allow(clippy::cast_precision_loss)] // a share of fewer than 2^52
        let share = rate.remediated as f64 / rate.actionable as f64;
        rate.share = (rate.actionable > 0).then_some(share);
        summary.seconds_to_deny = Spread::of(durations.to_deny);
        summary.seconds_to_answer = Spread::of(durations.to_answer);
        summary.seconds_in_force = Spread::of(durations.in_force);
        summary.by_week = durations.weeks.by_monday();
        summary.opt_outs = OptOutUse::all(prepared, durations.opt_outs)?;
        summary.needs_person.sort_by_key(|one| one.since);
        summary.verdict = durations.thefts.verdict(prepared)?;
        summary.verdict.conclude(&Beside {
            remediations: summary.remediations,
            undecided: beside.undecided,
            unreadable: beside.unreadable,
            unconfirmed: beside.unconfirmed,
            archived: beside.archived,
            is_partial: prepared.only_remediations(),
            ..durations.beside
        });
        for (account, part) in &mut summary.by_account {
            part.name = prepared.name(account).map(str::to_owned);
        }
        Ok(summary)
    }

    fn met(&mut self, met: &Met, durations: &mut Durations, prepared: &Prepared<'_>) {
        let Met { decision, incident } = met;
        self.decisions += 1;
        *self.by_verdict.entry(decision.verdict).or_default() += 1;
        for name in &decision.opt_outs {
            *durations.opt_outs.entry(name.clone()).or_default() += 1;
        }
        // What belongs to another remediation is counted there.
        let is_own = decision.covered_by.is_none();
        match decision.verdict {
            VerdictName::Skip => {
                count(&mut self.skipped_by_reason, decision.code.name());
                if let Some(kind) = &decision.without_rule {
                    count(&mut self.without_rule, kind);
                }
                let chosen = decision.code.is_by_choice();
                self.remediation_rate.actionable += u64::from(is_own && chosen);
                durations.beside.left_alone += u64::from(is_own && chosen);
                durations.beside.out_of_reach += u64::from(is_own && is_out_of_reach(decision.code));
            }
            VerdictName::Observe => {
                count(&mut self.observed_by_reason, decision.code.name());
                self.remediation_rate.actionable += u64::from(is_own);
                durations.beside.left_alone += u64::from(is_own);
            }
            VerdictName::Remediate | VerdictName::Hold => {}
        }
        if let Some(incident) = incident {
            self.remediation(incident, durations, prepared);
        }
        durations.weeks.add(decision.at, incident.as_deref());
        self.parts(decision, incident.as_deref(), prepared);
    }

    fn parts(
        &mut self,
        decision: &CountedDecision,
        incident: Option<&RemediationReport>,
        prepared: &Prepared<'_>,
    ) {
        let add = |part: &mut Part| {
            part.decisions += 1;
            part.acted += u64::from(incident.is_some_and(|incident| incident.acted));
            part.not_acted +=
                u64::from(incident.is_some_and(|one| !one.acted && one.state != State::DoneByHand));
            part.observed += u64::from(decision.verdict == VerdictName::Observe);
            part.skipped += u64::from(decision.verdict == VerdictName::Skip);
        };
        if let Some(account) = &decision.account {
            add(self.by_account.entry(account.clone()).or_default());
            for ou in prepared.ous(account) {
                add(self.by_ou.entry(ou.clone()).or_default());
            }
        }
        add(self.by_day.entry(decision.at.strftime("%Y-%m-%d").to_string()).or_default());
    }

    fn remediation(
        &mut self,
        incident: &RemediationReport,
        durations: &mut Durations,
        prepared: &Prepared<'_>,
    ) {
        let state = incident.state;
        self.remediations += 1;
        count(&mut self.by_state, &state.to_string());
        self.acted += u64::from(incident.acted);
        self.failed += u64::from(state == State::Failed);
        self.open += u64::from(!incident.acted && state.is_open());
        self.remediation_rate.actionable += u64::from(state != State::Superseded || incident.acted);
        self.remediation_rate.remediated += u64::from(incident.acted || state == State::DoneByHand);
        count(&mut self.by_proof, &incident.proof.map_or("none".to_owned(), |rung| rung.to_string()));
        count(
            &mut self.by_highest_proof,
            &incident.highest_proof.map_or("none".to_owned(), |rung| rung.to_string()),
        );
        *self.by_containment.entry(incident.containment).or_default() += 1;
        self.by_severity
            .entry(severity_word(incident.finding.severity).to_owned())
            .or_default()
            .add(incident);
        self.by_finding_type.entry(incident.finding.finding_type.clone()).or_default().add(incident);
        durations.thefts.add(incident);
        durations.beside.not_searched += u64::from(!incident.is_searched);
        durations.beside.by_hand += u64::from(state == State::DoneByHand);
        if self.glance.len() <= GLANCE {
            self.glance.push(Glance::of(incident));
        }
        durations.to_deny.extend(incident.seconds_to_deny);
        self.not_timed += u64::from(incident.acted && incident.seconds_to_deny.is_none());
        let (waited, nobody) = incident.waits();
        durations.to_answer.extend(waited);
        self.unanswered += nobody;
        if let Some(recurrence) = &incident.recurrence {
            count(&mut self.recurrences, &recurrence.sign.to_string());
        }
        if let Some(one) = &incident.in_force {
            self.in_force.get_or_insert_default().add(one);
            durations.in_force.push(one.seconds);
        }
        self.drifts += incident.drifts.len() as u64;
        self.released += u64::from(state == State::Released);
        let held = incident.held.last().filter(|_| state == State::Held);
        if let Some(held) = held {
            count(&mut self.held_by_reason, held.code.name());
        }
        if let Some(held) = held {
            let wait = (incident.remediation.as_str(), held.since);
            let now = prepared.head.generated_at;
            self.oldest_unanswered = OldestUnanswered::older(self.oldest_unanswered.take(), wait, now);
        }
        match OpenItem::of(incident) {
            Some(_) if self.needs_person.len() == NAMED => self.needs_person_more += 1,
            item => self.needs_person.extend(item),
        }
    }
}

/// It may be a theft, and rescind cannot act on it.
fn is_out_of_reach(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::OwnRole
            | ReasonCode::NoPrincipal
            | ReasonCode::NotARole
            | ReasonCode::NoRemedy
            | ReasonCode::AccountNotActive
            | ReasonCode::TooOld
    )
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}
