//! A remediation as reports show it: what the one view says of it, its timeline and its calls.

use super::attention::Attention;
use super::containment::{Containment, raised};
use super::finding::ReportedFinding;
use super::timeline::{Calls, Step, Timeline};
use crate::remediation::{
    AlertRaised, Asked, ChangeMade, DriftSeen, Impact, InForce, NOBODY, Proof, Quarantine, ReasonCode,
    Recorded, Recurrence, Refused, ReleaseRun, Remediation, Rung, State, VerdictName, Who, describe_proof,
    incident_opened_by, span,
};
use crate::remedy::aftercare;
use crate::trail::Activity;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A remediation in a report.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "A remediation in a report")]
pub struct RemediationReport {
    /// Id of the remediation.
    pub remediation: String,
    /// Id of the incident that it belongs to.
    pub incident: String,
    /// Where it stands, as in `rescind list`.
    pub state: State,
    /// How far it is proved: the highest rung that was reached since the latest change was begun. What is lost is not
    /// proved.
    pub proof: Option<Rung>,
    /// The highest rung that was ever reached, also of what was since released, lost or retired.
    pub highest_proof: Option<Rung>,
    /// How far the theft behind it is contained.
    pub containment: Containment,
    /// Since when and why it needs a person; none when it does not. `to_do` has what to do.
    pub attention: Option<Attention>,
    /// Its deny was seen in place, now or earlier.
    pub acted: bool,
    /// Id of the affected account.
    pub account: String,
    /// The account's name, as it was last in the organization.
    pub account_name: Option<String>,
    /// The organizational units above the account and the root, as they were read last; empty when that was not asked.
    pub ous: Vec<String>,
    /// The AWS partition: `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
    pub partition: String,
    /// `role`, `user` or `other`.
    pub principal_kind: String,
    /// The principal's name; what it is, for one that rescind can do nothing about.
    pub principal: String,
    /// Its ARN, as far as it is known.
    pub principal_arn: String,
    /// The `aws:userid` of the only session that is denied; none when all are.
    pub session: Option<String>,
    /// The finding that led to it.
    pub finding: ReportedFinding,
    /// How many later occurrences it is also for.
    pub also_for: u64,
    /// What was decided, and why.
    pub decision: ReportedDecision,
    /// The earlier remediation that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// Each time that a person was asked.
    pub held: Vec<Asked>,
    /// What was written, the latest last.
    pub changes: Vec<ChangeMade>,
    /// When AWS accepted the change that was seen in place for the first time.
    pub denied_at: Option<Timestamp>,
    /// From the last activity that GuardDuty saw until then; none when that is dated later, which cannot be.
    pub seconds_to_deny: Option<f64>,
    /// How long the deny was seen in place since AWS accepted it for the first time, and when it was not.
    pub in_force: Option<InForce>,
    /// Each time that the quarantine was attached beside the deny, oldest first.
    pub quarantines: Vec<Quarantine>,
    /// The rungs of the proof, as they were reached since the latest change was begun: AWS's acceptance first.
    pub rungs: Vec<RungReached>,
    /// The rungs that were reached before and do not hold any more: of what was since released, lost, retired or
    /// replaced.
    pub earlier_rungs: Vec<EarlierRung>,
    /// Why it was not carried out, each time.
    pub refusals: Vec<Recorded<Refused>>,
    /// Each time its deny was found gone or altered.
    pub drifts: Vec<DriftSeen>,
    /// Each time its release was asked for.
    pub releases: Vec<ReleaseRun>,
    /// When what was written was removed.
    pub undone_at: Option<Timestamp>,
    /// When no token that it denies could be alive any more.
    pub expired_at: Option<Timestamp>,
    /// The remediation that has revoked the same sessions.
    pub superseded_by: Option<String>,
    /// What the deny affects.
    pub impact: Option<ReportedImpact>,
    /// What the credentials were used for, as far as CloudTrail shows it and it matters.
    pub activities: Vec<Activity>,
    /// The alerts that were raised about it.
    pub alerts: Vec<Recorded<AlertRaised>>,
    /// What a person must do now; none when nothing.
    pub to_do: Option<String>,
    /// What those must do who use the principal, and who answer for what leaked it, while a deny is in force.
    pub aftercare: Vec<String>,
    /// CloudTrail was searched for what was done with the credentials.
    pub is_searched: bool,
    /// The AWS calls that were made for it.
    pub calls: Calls,
    /// Every other entry, in order.
    pub steps: Vec<Step>,
}

/// A decision about a finding.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportedDecision {
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided: `remediate` or `hold`.
    pub verdict: VerdictName,
    /// The code of the reason.
    pub code: ReasonCode,
    /// The reason in words.
    pub reason: String,
    /// The rule that was followed.
    pub rule: Option<String>,
    /// The opt-outs that applied, by name.
    pub opt_outs: Vec<String>,
}

/// A rung of the proof.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RungReached {
    /// `accepted`, `present`, `simulated` or `enforced`.
    pub rung: String,
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// When the rung was reached.
    pub at: Timestamp,
    /// Since the last activity that GuardDuty saw; none when that is later than when the finding was recorded.
    pub seconds_after_finding: Option<f64>,
    /// What the proof rests on, in words.
    pub evidence: String,
}

/// A rung of the proof that does not hold any more.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EarlierRung {
    /// The rung as it was reached.
    #[serde(flatten)]
    pub rung: RungReached,
    /// Until when it held, as far as the ledger knows.
    pub ended_at: Timestamp,
    /// The kind of the entry that ended it, such as `undone`, `drift` or `intent`.
    pub ended_by: String,
}

/// What the deny affects.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportedImpact {
    /// The instances with the role.
    pub instances: Vec<String>,
    /// When the last revoked token is dead for sure.
    pub surely_dead: Timestamp,
    /// The actions by which the role could remove the deny.
    pub can_undo: Option<Vec<String>>,
    /// The actions by which the role could make credentials that the deny does not reach.
    pub can_make: Option<Vec<String>>,
    /// The principals in the trust policy by which a thief may get a new session.
    pub second_doors: Vec<String>,
    /// All of it in words.
    pub lines: Vec<String>,
}

impl ReportedImpact {
    fn of(impact: &Impact, lines: Vec<String>) -> Self {
        Self {
            instances: impact.instances.iter().map(|instance| instance.id.clone()).collect(),
            surely_dead: impact.surely_dead,
            can_undo: impact.can_undo.clone(),
            can_make: impact.can_make.clone(),
            second_doors: impact.second_doors.clone(),
            lines,
        }
    }
}

/// Where an account is, by what the organization said last.
#[derive(Debug, Clone, Default)]
pub(super) struct AccountPlace {
    pub name: Option<String>,
    pub ous: Vec<String>,
}

impl RemediationReport {
    pub(super) fn of(
        view: Remediation,
        timeline: Timeline,
        incident: String,
        place: AccountPlace,
        also_for: u64,
        until: Timestamp,
    ) -> Self {
        let raised = raised(&view, &timeline.seen_to);
        let containment = Containment::of(&view, raised.is_some(), until);
        let attention = Attention::of(&view, containment, raised);
        let earlier_rungs = earlier_rungs(&view, &timeline);
        let reached = timeline.proofs.iter().map(|reached| reached.proof.what.rung);
        let instance = view.finding.evidence.instance_id.as_deref();
        let aftercare = if view.state.is_in_place() {
            aftercare(&view.target, instance, view.recurrence.is_some())
        } else {
            Vec::new()
        };
        let impact = view.impact.as_deref().map(|impact| {
            let lines = view.impact_lines(impact);
            ReportedImpact::of(impact, lines)
        });
        let (principal_kind, principal) = match &view.target.who {
            Who::Role { role, .. } => ("role", role.to_string()),
            Who::User { user, .. } => ("user", user.to_string()),
            Who::Root { .. } => ("root", "root".to_owned()),
            Who::Federated { federated_user } => ("federated_user", federated_user.clone()),
            Who::Unsupported { principal } => ("other", principal.clone()),
        };
        Self {
            incident,
            state: view.state,
            proof: view.rung(),
            highest_proof: reached.max(),
            containment,
            acted: view.has_acted() && !view.history.is_contested,
            in_force: view.in_force(until),
            quarantines: view.history.quarantines.clone(),
            account: view.target.account.to_string(),
            account_name: place.name,
            ous: place.ous,
            partition: view.target.partition.to_string(),
            principal_kind: principal_kind.to_owned(),
            principal,
            principal_arn: view.target.arn(),
            session: view.target.session().map(|one| one.user_id.clone()),
            also_for,
            seconds_to_deny: view.to_deny().map(|took| took.as_secs_f64()),
            rungs: rungs(&view),
            impact,
            to_do: attention.as_ref().map(|one| one.what_to_do.clone()),
            attention,
            earlier_rungs,
            is_searched: timeline.is_searched || !view.history.activities.is_empty(),
            aftercare,
            calls: timeline.calls,
            steps: timeline.steps,
            undone_at: view.undone.map(|(at, _)| at),
            denied_at: view.history.denied_at,
            decision: ReportedDecision {
                entry: view.decision.entry,
                at: view.opened_at,
                verdict: view.decision.verdict,
                code: view.decision.code,
                reason: view.decision.reason,
                rule: view.rule,
                opt_outs: view.opt_outs,
            },
            finding: ReportedFinding::of(view.finding, view.finding_entry, view.seen_at),
            remediation: view.id,
            recurrence: view.recurrence,
            held: view.history.asked,
            changes: view.history.changes,
            refusals: view.history.refusals,
            drifts: view.history.drifts,
            releases: view.history.releases,
            expired_at: view.history.expired_at,
            superseded_by: view.history.superseded_by,
            activities: view.history.activities,
            alerts: view.history.alerts,
        }
    }

    /// Its incident is more than it alone, or may be.
    pub(super) fn is_part(&self) -> bool {
        !self.activities.is_empty() || self.incident != incident_opened_by(&self.remediation)
    }

    /// The principal in words.
    #[must_use]
    pub fn who(&self) -> String {
        match self.principal_kind.as_str() {
            "other" => self.principal.clone(),
            "root" => "root user".to_owned(),
            "federated_user" => format!("federated user {}", self.principal),
            kind => format!("{kind} {}", self.principal),
        }
    }

    /// How long after the last activity it was; none when GuardDuty dates that later than when the finding
    /// was recorded: nothing can be counted from it.
    pub(super) fn since_activity(&self, at: Timestamp) -> Option<SignedDuration> {
        let finding = &self.finding;
        (finding.last_activity <= finding.seen_at).then(|| at.duration_since(finding.last_activity))
    }

    /// How long each person's answer took, in seconds; and how often nobody answered.
    pub(super) fn waits(&self) -> (Vec<f64>, u64) {
        let (mut waited, mut nobody) = (Vec::new(), 0);
        for asked in &self.held {
            let Some(end) = &asked.ended else { continue };
            match &end.answer {
                Some(answer) if answer.by == NOBODY => nobody += 1,
                // Clocks differ: what ended before it began is no duration, and belongs in no figure. What
                // nobody was asked about was not waited for.
                Some(_) if asked.since < end.at => {
                    waited.push(end.at.duration_since(asked.since).as_secs_f64());
                }
                _ => {}
            }
        }
        (waited, nobody)
    }

    /// The refusal because of which it is not carried out now.
    pub(super) fn refused(&self) -> Option<&Recorded<Refused>> {
        self.refusals.last().filter(|_| self.state.is_refused())
    }

    /// Its deny is in place now, as far as the ledger knows.
    pub(super) fn is_in_force(&self) -> bool {
        let is_whole = |one: &InForce| one.gaps.iter().all(|gap| gap.to.is_some());
        self.state.is_in_place() && self.in_force.as_ref().is_some_and(is_whole)
    }

    /// How long its deny was in force, in words, and whether it is; none when AWS never accepted one.
    pub(super) fn in_force_words(&self) -> Option<String> {
        let one = self.in_force.as_ref()?;
        let long = span(one.seconds);
        Some(match self.state {
            _ if self.is_in_force() => long,
            State::Revoking | State::Verifying => "not seen yet".to_owned(),
            State::Lost | State::Contested => format!("{long}, gone"),
            _ => format!("{long}, ended"),
        })
    }

    /// The latest quarantine beside its deny.
    pub(super) fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantines.last()
    }

    /// The numbers of its entries, the finding's too.
    pub(super) fn entries(&self) -> Vec<i64> {
        let steps = self.steps.iter().map(|step| step.entry);
        let calls = self.calls.requests.iter().map(|call| call.entry);
        let mut all: Vec<i64> = std::iter::once(self.finding.entry).chain(steps).chain(calls).collect();
        all.sort_unstable();
        all
    }
}

/// The rungs of the proof that were reached since the latest change was begun, AWS's acceptance first.
#[must_use]
pub fn rungs(view: &Remediation) -> Vec<RungReached> {
    let seconds_after = |at| view.since_activity(at).map(|since| since.as_secs_f64());
    // What AWS accepted before is no rung of a change that was begun since.
    let is_accepted = view.history.changes.last().is_some_and(|made| made.accepted_at.is_some());
    let accepted = view.accepted.filter(|_| is_accepted).map(|accepted| RungReached {
        rung: "accepted".to_owned(),
        entry: accepted.entry,
        at: accepted.at,
        seconds_after_finding: seconds_after(accepted.at),
        evidence: if accepted.found_in_place { "found in place" } else { "accepted by AWS" }.to_owned(),
    });
    let proofs = view.proofs.iter().map(|proof| rung(view, proof));
    accepted.into_iter().chain(proofs).collect()
}

fn rung(view: &Remediation, Recorded { entry, at, what: proof }: &Recorded<Proof>) -> RungReached {
    let at = proof.at.unwrap_or(*at);
    RungReached {
        rung: proof.rung.to_string(),
        entry: *entry,
        at,
        seconds_after_finding: view.since_activity(at).map(|since| since.as_secs_f64()),
        evidence: describe_proof(proof),
    }
}

fn earlier_rungs(view: &Remediation, timeline: &Timeline) -> Vec<EarlierRung> {
    let ended = timeline.proofs.iter().filter_map(|one| Some((&one.proof, one.ended.as_ref()?)));
    let earlier = ended.map(|(proof, (ended_at, ended_by))| EarlierRung {
        rung: rung(view, proof),
        ended_at: *ended_at,
        ended_by: ended_by.clone(),
    });
    earlier.collect()
}
