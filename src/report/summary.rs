//! The figures of a report.

use super::remediation::RemediationReport;
use super::scan::{CountedDecision, Met, Prepared, ReportError};
use crate::config::SOON_DAYS;
use crate::remediation::{InForceTotal, State, VerdictName};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Maximum number of remediations that are listed as needing a person; more are counted.
const NAMED: usize = 500;

/// The figures over all selected remediations.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Summary {
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
    /// Remediations whose deny was seen in place, now or earlier.
    pub acted: u64,
    /// Remediations that failed for good.
    pub failed: u64,
    /// Remediations that were never in place and are not finished.
    pub open: u64,
    /// They, by how far they are proved: `enforced`, `simulated`, `present`, `none`.
    pub by_proof: BTreeMap<String, u64>,
    /// From the last activity that GuardDuty saw to AWS's acceptance of the deny that was then seen in place.
    pub seconds_to_deny: Option<Spread>,
    /// Remediations whose deny was seen in place and that are in no duration: GuardDuty dates the last activity
    /// after the deny, which cannot be.
    pub not_timed: u64,
    /// How long persons who were asked took to answer.
    pub seconds_to_answer: Option<Spread>,
    /// How often nobody answered in time.
    pub unanswered: u64,
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
    /// What needs a person now.
    pub needs_person: Vec<OpenItem>,
    /// More of the same, which are not named.
    pub needs_person_more: u64,
}

/// How durations spread, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// Number of durations measured.
    pub count: u64,
    /// Half of them took so long at most.
    pub median: f64,
    /// Nine of ten took so long at most.
    pub p90: f64,
    /// The longest of them.
    pub worst: f64,
}

impl Spread {
    /// The spread of durations in seconds. Of an even number of them the median is the mean of the two in the middle;
    /// the 90th percentile is the smallest that is not below nine of ten (nearest rank).
    #[must_use]
    pub fn of(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        let upper = *all.get(all.len() / 2)?;
        let lower = *all.get(all.len().saturating_sub(1) / 2)?;
        let p90 = *all.get((all.len() * 9).div_ceil(10).saturating_sub(1))?;
        let median = f64::midpoint(lower, upper);
        Some(Self { count: all.len() as u64, median, p90, worst: *all.last()? })
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

/// An opt-out and how often it applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OptOutUse {
    /// Name of the opt-out.
    pub name: String,
    /// To how many decisions it applied.
    pub decisions: u64,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why there is one.
    pub reason: Option<String>,
    /// The last day on which it applies; none when it is permanent, or gone.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// `in force`, `ends soon`, `expired` or `gone`.
    pub status: String,
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

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenItem {
    /// Id of the remediation.
    pub remediation: String,
    /// State of the remediation.
    pub state: State,
    /// Id of the affected account.
    pub account: String,
    /// The principal, in words.
    pub principal: String,
    /// Since when it needs a person.
    pub since: Timestamp,
    /// Why it needs a person.
    pub why: String,
    /// What that person should do.
    pub what_to_do: String,
}

/// What is not to be kept in the figures themselves.
#[derive(Default)]
struct Durations {
    to_deny: Vec<f64>,
    to_answer: Vec<f64>,
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
        summary.opt_outs(prepared, durations.opt_outs)?;
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
            }
            VerdictName::Observe => {
                count(&mut self.observed_by_reason, decision.code.name());
                self.remediation_rate.actionable += u64::from(is_own);
            }
            VerdictName::Remediate | VerdictName::Hold => {}
        }
        if let Some(incident) = incident {
            self.remediation(incident, durations);
        }
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

    fn remediation(&mut self, incident: &RemediationReport, durations: &mut Durations) {
        let state = incident.state;
        self.remediations += 1;
        count(&mut self.by_state, &state.to_string());
        self.acted += u64::from(incident.acted);
        self.failed += u64::from(state == State::Failed);
        self.open += u64::from(!incident.acted && state.is_open());
        self.remediation_rate.actionable += u64::from(state != State::Superseded || incident.acted);
        self.remediation_rate.remediated += u64::from(incident.acted || state == State::DoneByHand);
        count(&mut self.by_proof, &incident.proof.map_or("none".to_owned(), |rung| rung.to_string()));
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
        }
        self.drifts += incident.drifts.len() as u64;
        self.released += u64::from(state == State::Released);
        let held = incident.held.last().filter(|_| state == State::Held);
        if let Some(held) = held {
            count(&mut self.held_by_reason, held.code.name());
        }
        if let Some(what_to_do) = &incident.to_do {
            if self.needs_person.len() == NAMED {
                self.needs_person_more += 1;
                return;
            }
            let refused = incident.refused();
            let lost = incident.drifts.last().filter(|_| matches!(state, State::Lost | State::Contested));
            let (since, why) = match (held, lost, refused) {
                (Some(held), ..) => (held.since, held.reason.clone()),
                (_, Some(drift), _) => (drift.at, drift.what.clone()),
                (.., Some(refusal)) => (refusal.at, refusal.what.reason.clone()),
                _ => (incident.decision.at, incident.decision.reason.clone()),
            };
            self.needs_person.push(OpenItem {
                remediation: incident.remediation.clone(),
                state,
                account: incident.account.clone(),
                principal: incident.who(),
                since,
                why,
                what_to_do: what_to_do.clone(),
            });
        }
    }

    fn opt_outs(
        &mut self,
        prepared: &Prepared<'_>,
        mut used: BTreeMap<String, u64>,
    ) -> Result<(), ReportError> {
        let today = prepared.head.generated_at.to_zoned(TimeZone::UTC).date();
        let soon = today.checked_add(jiff::Span::new().days(SOON_DAYS)).unwrap_or(Date::MAX);
        for (name, opt_out) in prepared.reader.opt_outs()? {
            let status = match opt_out.expires {
                Some(day) if day < today => "expired",
                Some(day) if day <= soon => "ends soon",
                _ => "in force",
            };
            let decisions = used.remove(&name).unwrap_or(0);
            if decisions > 0 || status == "ends soon" {
                self.opt_outs.push(OptOutUse {
                    name,
                    decisions,
                    owner: Some(opt_out.owner),
                    reason: Some(opt_out.reason),
                    expires: opt_out.expires,
                    status: status.to_owned(),
                });
            }
        }
        let gone = used.into_iter().map(|(name, decisions)| OptOutUse {
            name,
            decisions,
            owner: None,
            reason: None,
            expires: None,
            status: "gone".to_owned(),
        });
        self.opt_outs.extend(gone);
        Ok(())
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_a_median_a_percentile_and_a_worst() {
        assert_eq!(Spread::of(Vec::new()), None);
        let one = Spread::of(vec![3.0]).expect("one");
        assert!((one.median, one.p90, one.worst) == (3.0, 3.0, 3.0) && one.count == 1);
        let ten = Spread::of((1..=10).map(f64::from).rev().collect()).expect("ten");
        assert!((ten.median, ten.p90, ten.worst) == (5.5, 9.0, 10.0), "{ten:?}");
    }
}
