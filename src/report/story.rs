//! One remediation, put together from its entries.
//!
//! Most entries are AWS calls, and of a finding and a decision much is of no interest here: of those
//! only what is needed is read.

use super::told::told;
use crate::audit::canonical::Members;
use crate::finding::{Evidence, Principal};
use crate::ident::{AccountId, Region};
use crate::ledger::Stands;
use crate::remediation::{
    AlertCode, Answer, Change, Event, NOBODY, Recurrence, Rung, Sign, Standing, State, Target, Who,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One remediation with its whole story.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "A remediation in a report")]
pub struct Story {
    /// Its id.
    pub remediation: String,
    /// Where it stands, as in `rescind list`.
    pub state: State,
    /// How far it is proved: the highest rung that was reached since the latest change was begun. What is lost is not
    /// proved.
    pub proof: Option<Rung>,
    /// Its deny was seen in place, now or earlier.
    pub acted: bool,
    /// The affected account.
    pub account: String,
    /// The account's name, as the organization told it last.
    pub account_name: Option<String>,
    /// The organizational units above the account and the root, as they were read last; empty when that was not asked.
    pub ous: Vec<String>,
    /// The AWS partition.
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
    pub finding: Found,
    /// How many later occurrences it is also for.
    pub also_for: u64,
    /// What was decided, and why.
    pub decision: Decided,
    /// The earlier remediation that should have ended this.
    pub recurrence: Option<Recurring>,
    /// Each time that a person was asked.
    pub held: Vec<Held>,
    /// What was written, the latest last.
    pub changes: Vec<Written>,
    /// When AWS accepted the change that was then seen in place.
    pub denied_at: Option<Timestamp>,
    /// From the last activity that GuardDuty saw until then; none when that is dated later, which cannot be.
    pub seconds_to_deny: Option<f64>,
    /// The rungs of the proof, as they were reached for the first time since the latest change.
    pub rungs: Vec<Reached>,
    /// Why it was not carried out, each time.
    pub refusals: Vec<Refusal>,
    /// Each time its deny was found gone or altered.
    pub drifts: Vec<Drift>,
    /// Each time its release was asked for.
    pub releases: Vec<Release>,
    /// When what was written was taken back.
    pub undone_at: Option<Timestamp>,
    /// When no token that it denies could be alive any more.
    pub expired_at: Option<Timestamp>,
    /// The remediation that has revoked the same sessions.
    pub superseded_by: Option<String>,
    /// Whom the deny concerns.
    pub impact: Option<Concerned>,
    /// What a person was told to look at.
    pub alerts: Vec<Alert>,
    /// What a person must do now; none when nothing.
    pub to_do: Option<String>,
    /// What those must do who use the principal, and who answer for what leaked it, while a deny is in force.
    pub aftercare: Vec<String>,
    /// The AWS calls.
    pub calls: Calls,
    /// Every other entry, in order.
    pub steps: Vec<Step>,
}

impl Found {
    /// How long after the last activity it was; none when GuardDuty dates that later than when the finding
    /// was recorded: nothing can be counted from it.
    #[must_use]
    pub fn since_activity(&self, at: Timestamp) -> Option<SignedDuration> {
        let last = self.last_activity.filter(|last| self.seen_at.is_none_or(|seen| *last <= seen))?;
        Some(at.duration_since(last))
    }
}

/// A finding.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// The entry that recorded it.
    pub entry: i64,
    /// When it was recorded.
    pub seen_at: Option<Timestamp>,
    /// GuardDuty's type.
    #[serde(rename = "type")]
    pub finding_type: String,
    /// Its region.
    pub region: String,
    /// 0.1 to 10.
    pub severity: Option<f64>,
    /// GuardDuty's title.
    pub title: Option<String>,
    /// When GuardDuty first made it.
    pub created_at: Option<Timestamp>,
    /// When GuardDuty last wrote it.
    pub updated_at: Option<Timestamp>,
    /// The first activity.
    pub first_activity: Option<Timestamp>,
    /// The last activity that GuardDuty saw.
    pub last_activity: Option<Timestamp>,
    /// How often it was seen.
    pub count: Option<u64>,
    /// The stolen access key's id.
    pub access_key: Option<String>,
    /// The principal id: for a role its id, a colon and the session's name.
    pub principal_id: Option<String>,
    /// The call that was seen.
    pub api: Option<String>,
    /// The error that the caller got.
    pub error_code: Option<String>,
    /// Where the call came from.
    pub remote_ip: Option<String>,
    /// Its country.
    pub remote_country: Option<String>,
    /// Its network operator.
    pub remote_organization: Option<String>,
    /// The AWS account that the call came from.
    pub remote_account: Option<String>,
    /// The instance that the credentials were made for.
    pub instance: Option<String>,
    /// SHA-256 of the finding's canonical JSON as it was received.
    pub sha256: String,
}

/// A decision.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Decided {
    /// Its entry.
    pub entry: i64,
    /// When.
    pub at: Option<Timestamp>,
    /// `remediate` or `hold`.
    pub verdict: String,
    /// The reason's name.
    pub code: String,
    /// The reason in words.
    pub reason: String,
    /// The rule that was followed.
    pub rule: Option<String>,
    /// The opt-outs that applied, by name.
    pub opt_outs: Vec<String>,
}

/// It follows an earlier remediation that should have ended this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recurring {
    /// The earlier remediation.
    pub of: String,
    /// `new_key`: the source still leaks. `same_key`: the deny does not work.
    pub sign: String,
}

/// A time in which a person was asked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Held {
    /// Since when.
    pub since: Timestamp,
    /// The reason's name.
    pub code: String,
    /// The reason in words.
    pub reason: String,
    /// Until when; none when a person is asked now.
    pub until: Option<Timestamp>,
    /// What ended it: `approved`, `rejected`, `done_by_hand`, `cleared` or `superseded`.
    pub ended: Option<String>,
    /// Who answered, as they say; `nobody` when nobody answered in time.
    pub by: Option<String>,
    /// Their reason.
    pub answer: Option<String>,
    /// The user of the operating system.
    pub os_user: Option<String>,
    /// The AWS identity.
    pub aws_identity: Option<String>,
    /// The entry of what was judged.
    pub judged: Option<i64>,
}

/// A change that was begun.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Written {
    /// The entry of its intent.
    pub entry: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// What became of it: `pending`, `accepted`, `not_applied`, `uncertain` or `refused`.
    pub outcome: String,
    /// When AWS accepted it.
    pub accepted_at: Option<Timestamp>,
    /// The principal's ARN, with the path.
    pub arn: String,
    /// The inline policy.
    pub policy_name: String,
    /// Its text before; none when there was none.
    pub before: Option<String>,
    /// Its text after.
    pub after: String,
    /// Sessions whose token was issued before this are denied.
    pub cutoff: Timestamp,
    /// The access key that was deactivated.
    pub deactivated_key: Option<String>,
    /// Something that a reader should know.
    pub note: Option<String>,
}

/// A rung of the proof.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reached {
    /// `accepted`, `present`, `simulated` or `enforced`.
    pub rung: String,
    /// The entry.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// Since the last activity that GuardDuty saw; none when that is later than when the finding was read.
    pub seconds_after_finding: Option<f64>,
    /// What was seen.
    pub evidence: String,
}

/// It was not carried out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refusal {
    /// The entry.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// The reason's name.
    pub code: String,
    /// The reason in words.
    pub reason: String,
    /// What a person must do.
    pub what_to_do: String,
}

/// The deny was found gone or altered.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Drift {
    /// The entry.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// What differs.
    pub what: String,
    /// Who did it, where CloudTrail tells.
    pub by: Option<String>,
}

/// A release.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Release {
    /// The entry that asked for it.
    pub entry: i64,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who asked.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Also over a change that somebody else made since.
    pub force: bool,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// Why it was not done.
    pub not_done: Option<String>,
}

/// Whom the deny concerns.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Concerned {
    /// The entry.
    pub entry: i64,
    /// The instances with the role.
    pub instances: Vec<String>,
    /// When the last revoked token is dead for sure.
    pub surely_dead: Timestamp,
    /// The actions by which the role could take the deny away.
    pub can_undo: Option<Vec<String>>,
    /// All of it in words.
    pub lines: Vec<String>,
}

/// A person was told to look at something.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Alert {
    /// The entry.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// Its name.
    pub code: String,
    /// What happened.
    pub text: String,
    /// What to do about it.
    pub what_to_do: String,
}

/// The AWS calls.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// How many of them AWS did not do.
    pub failed: u64,
    /// Each, with what finds it in CloudTrail.
    pub requests: Vec<Request>,
}

/// An AWS call that was made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names)] // AWS's own word for it
pub struct Request {
    /// The entry.
    pub entry: i64,
    /// `iam:PutRolePolicy`.
    pub call: String,
    /// AWS's id of it.
    pub request_id: Option<String>,
    /// AWS did it.
    pub ok: bool,
}

/// An entry that is no call.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Step {
    /// Its number.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// Its kind, as in docs/ledger.md.
    pub kind: String,
    /// What it says.
    pub text: String,
}

/// What is needed of a decision's data.
#[derive(Deserialize)]
pub(super) struct DecisionData {
    pub occurrence: String,
    pub verdict: String,
    pub code: String,
    reason: String,
    what_to_do: Option<String>,
    rule: Option<String>,
    pub opt_outs: Vec<String>,
    target: Option<Target>,
    pub covered_by: Option<String>,
    #[serde(default)]
    recurrence: Option<Recurrence>,
}

#[derive(Deserialize)]
struct FindingData {
    finding: FindingPart,
}

#[derive(Deserialize)]
struct FindingPart {
    id: String,
    region: Region,
    #[serde(rename = "type")]
    finding_type: String,
    severity: Option<f64>,
    title: Option<String>,
    created_at: Option<Timestamp>,
    updated_at: Timestamp,
    principal: Option<Principal>,
    evidence: Evidence,
    sha256: String,
}

/// The data of an entry, as far as `T` asks. The text is read once, and not what nobody asks for.
pub(super) fn data<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    let raw = Members::of(body).and_then(|members| members.raw("data"));
    let raw = raw.ok_or_else(|| "its text is not canonical JSON".to_owned())?;
    serde_json::from_str(raw).map_err(|error| error.to_string())
}

/// What an entry says. With its kind before its data it is read in one go.
fn event(kind: &str, body: &[u8]) -> Result<Event, String> {
    let raw = Members::of(body).and_then(|members| members.raw("data"));
    let tag = serde_json::Value::from(kind);
    let text = match raw {
        Some(raw) => format!("{{\"kind\":{tag},\"data\":{raw}}}"),
        None => format!("{{\"kind\":{tag}}}"),
    };
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// A story that is being put together.
pub(super) struct Telling {
    id: String,
    finding: Option<Found>,
    story: Option<Story>,
    /// What cannot be read.
    pub broken: Option<(i64, String)>,
}

impl Telling {
    pub fn of(id: &str) -> Self {
        Self { id: id.to_owned(), finding: None, story: None, broken: None }
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: Stands<'_>) {
        if self.broken.is_some() {
            return;
        }
        if let Err(why) = self.next(entry) {
            self.broken = Some((entry.seq, why));
        }
    }

    fn next(&mut self, entry: Stands<'_>) -> Result<(), String> {
        let time = || entry.time.parse::<Timestamp>().map_err(|error| error.to_string());
        match (entry.kind, &mut self.story) {
            ("finding", _) if self.finding.is_none() => {
                let FindingData { finding } = data(entry.body)?;
                self.finding = Some(found(entry.seq, time()?, finding));
            }
            ("decision", story @ None) => {
                *story = begun(&self.id, self.finding.take(), entry.seq, time()?, data(entry.body)?);
            }
            ("call", Some(story)) => story.call(entry.seq, entry.body),
            (_, Some(story)) => {
                let event = event(entry.kind, entry.body)?;
                let before = Standing { state: story.state, proof: story.proof };
                // A step that cannot be is for `ledger verify` to find.
                if let Ok(Some(next)) = Standing::after(Some(before), &event, &self.id) {
                    (story.state, story.proof) = (next.state, next.proof);
                }
                story.step(entry.seq, time()?, entry.kind, event);
            }
            _ => {}
        }
        Ok(())
    }

    /// The story; none when there is no decision that began it.
    pub fn end(self) -> Option<Story> {
        let mut story = self.story?;
        story.to_do = to_do(&story);
        if !story.state.is_in_place() {
            story.aftercare.clear();
        }
        Some(story)
    }
}

/// The seconds between two times; none when the second one is the earlier one. Clocks differ, and a finding
/// may say anything: such a time is no duration, and belongs in no figure.
fn elapsed(from: Timestamp, to: Timestamp) -> Option<f64> {
    (from <= to).then(|| to.duration_since(from).as_secs_f64())
}

fn found(entry: i64, seen_at: Timestamp, finding: FindingPart) -> Found {
    // Every field is foreign text; one that is empty says no more than one that is missing.
    let known = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let FindingPart { principal, evidence, .. } = finding;
    let last_activity = Some(evidence.last_seen.unwrap_or(finding.updated_at));
    Found {
        id: finding.id,
        entry,
        seen_at: Some(seen_at),
        finding_type: finding.finding_type,
        region: finding.region.to_string(),
        severity: finding.severity,
        title: known(finding.title),
        created_at: finding.created_at,
        updated_at: Some(finding.updated_at),
        first_activity: evidence.first_seen,
        last_activity,
        count: evidence.count,
        access_key: known(principal.as_ref().and_then(|p| p.access_key_id.clone())),
        principal_id: known(principal.and_then(|p| p.principal_id)),
        api: known(evidence.api),
        error_code: known(evidence.error_code),
        remote_ip: known(evidence.remote_ip),
        remote_country: known(evidence.remote_country),
        remote_organization: known(evidence.remote_organization),
        remote_account: known(evidence.remote_account),
        instance: known(evidence.instance_id),
        sha256: finding.sha256,
    }
}

fn begun(
    id: &str,
    finding: Option<Found>,
    entry: i64,
    at: Timestamp,
    decision: DecisionData,
) -> Option<Story> {
    let target = decision.target?;
    let held = decision.verdict == "hold";
    let (principal_kind, principal) = match &target.who {
        Who::Role { role, .. } => ("role", role.to_string()),
        Who::User { user, .. } => ("user", user.to_string()),
        Who::Beyond { principal } => ("other", principal.clone()),
    };
    let sign = |sign| match sign {
        Sign::NewKey => "new_key".to_owned(),
        Sign::SameKey => "same_key".to_owned(),
    };
    let instance = finding.as_ref().and_then(|finding| finding.instance.as_deref());
    let aftercare = crate::remedy::aftercare(&target, instance, decision.recurrence.is_some());
    let mut story = Story {
        aftercare,
        remediation: id.to_owned(),
        state: if held { State::Held } else { State::Queued },
        proof: None,
        acted: false,
        account: target.account.to_string(),
        account_name: None,
        ous: Vec::new(),
        partition: target.partition.to_string(),
        principal_kind: principal_kind.to_owned(),
        principal,
        principal_arn: target.arn(),
        session: target.session().map(|one| one.user_id.clone()),
        finding: finding.unwrap_or_default(),
        also_for: 0,
        recurrence: decision.recurrence.map(|one| Recurring { of: one.of, sign: sign(one.sign) }),
        held: Vec::new(),
        changes: Vec::new(),
        denied_at: None,
        seconds_to_deny: None,
        rungs: Vec::new(),
        refusals: Vec::new(),
        drifts: Vec::new(),
        releases: Vec::new(),
        undone_at: None,
        expired_at: None,
        superseded_by: None,
        impact: None,
        alerts: Vec::new(),
        to_do: decision.what_to_do,
        calls: Calls::default(),
        steps: Vec::new(),
        decision: Decided {
            entry,
            at: Some(at),
            verdict: decision.verdict,
            code: decision.code,
            reason: decision.reason,
            rule: decision.rule,
            opt_outs: decision.opt_outs,
        },
    };
    let text = format!("{}: {}", story.decision.verdict, story.decision.reason);
    story.steps.push(Step { entry, at, kind: "decision".to_owned(), text });
    if held {
        story.ask(at, story.decision.code.clone(), story.decision.reason.clone());
    }
    Some(story)
}

/// What a person must do now.
fn to_do(story: &Story) -> Option<String> {
    match story.state {
        State::Held => Some(match (&story.to_do, story.principal_kind.as_str()) {
            (Some(by_hand), "other") => by_hand.clone(),
            _ => format!("Judge it: `rescind show {0}`, then approve or reject.", story.remediation),
        }),
        State::Blocked | State::Failed => story.refusals.last().map(|refusal| refusal.what_to_do.clone()),
        State::Lost => Some("Find out who takes the deny away: it is put back.".to_owned()),
        _ => None,
    }
}

impl Story {
    fn ask(&mut self, since: Timestamp, code: String, reason: String) {
        self.held.push(Held {
            since,
            code,
            reason,
            until: None,
            ended: None,
            by: None,
            answer: None,
            os_user: None,
            aws_identity: None,
            judged: None,
        });
    }

    fn end_asking(&mut self, at: Timestamp, how: &str, answer: Option<Answer>) {
        let Some(held) = self.held.last_mut() else { return };
        if held.until.is_none() {
            held.until = Some(at);
        } else if answer.is_none() {
            return;
        }
        // Who rejected can think better of it: then the later answer counts.
        held.ended = Some(how.to_owned());
        if let Some(answer) = answer {
            held.by = Some(answer.by);
            held.answer = Some(answer.reason);
            held.os_user = Some(answer.os_user);
            held.aws_identity = answer.aws_identity;
            held.judged = answer.judged;
        }
    }

    fn call(&mut self, entry: i64, body: &[u8]) {
        let text = |data: &Members<'_>, name| {
            data.raw(name).and_then(|raw| serde_json::from_str::<String>(raw).ok())
        };
        let members = Members::of(body);
        let data = members.as_ref().and_then(|members| members.raw("data"));
        let Some(data) = data.and_then(|data| Members::of(data.as_bytes())) else { return };
        let ok = data.is("result", Some("ok"));
        self.calls.count += 1;
        self.calls.failed += u64::from(!ok);
        let call = format!(
            "{}:{}",
            text(&data, "service").unwrap_or_default(),
            text(&data, "operation").unwrap_or_default()
        );
        self.calls.requests.push(Request { entry, call, request_id: text(&data, "request_id"), ok });
    }

    fn since_finding(&self, at: Timestamp) -> Option<f64> {
        self.finding.since_activity(at).map(|since| since.as_secs_f64())
    }

    fn reach(&mut self, rung: &str, entry: i64, at: Timestamp, evidence: String) {
        let seconds_after_finding = self.since_finding(at);
        self.rungs.push(Reached { rung: rung.to_owned(), entry, at, seconds_after_finding, evidence });
    }

    fn outcome(&mut self, outcome: &str) {
        if let Some(change) = self.changes.last_mut() {
            outcome.clone_into(&mut change.outcome);
        }
    }

    #[allow(clippy::too_many_lines)] // a line or three for each kind
    fn step(&mut self, entry: i64, at: Timestamp, kind: &str, event: Event) {
        self.steps.push(Step { entry, at, kind: kind.to_owned(), text: told(&event) });
        match event {
            Event::Returned { code, reason } => self.ask(at, code, reason),
            Event::Reopened { .. } if self.held.last().is_some_and(|held| held.ended.is_some()) => {
                let held = self.held.last().map(|held| (held.code.clone(), held.reason.clone()));
                if let (Some((code, reason)), true) = (held, self.changes.is_empty()) {
                    self.ask(at, code, reason);
                }
            }
            Event::Approved(answer) => self.end_asking(at, "approved", Some(answer)),
            Event::Rejected(answer) => self.end_asking(at, "rejected", Some(answer)),
            Event::DoneByHand(answer) => self.end_asking(at, "done_by_hand", Some(answer)),
            Event::Cleared { .. } => self.end_asking(at, "cleared", None),
            Event::Superseded { by } => {
                self.end_asking(at, "superseded", None);
                self.superseded_by = Some(by);
            }
            Event::Intent { change } => self.changes.push(written(entry, at, change)),
            Event::Accepted { found_in_place, aws_time } => {
                let at = aws_time.unwrap_or(at);
                self.outcome("accepted");
                if let Some(change) = self.changes.last_mut() {
                    change.accepted_at = Some(at);
                }
                self.rungs.clear();
                let how = if found_in_place { "found in place" } else { "AWS said yes" };
                self.reach("accepted", entry, at, how.to_owned());
            }
            Event::NotApplied { .. } => self.outcome("not_applied"),
            Event::Uncertain { .. } => self.outcome("uncertain"),
            Event::Proof(proof) => {
                let rung = proof.rung.to_string();
                self.reach(&rung, entry, proof.at.unwrap_or(at), super::told::proof(&proof));
                if !self.acted && !proof.is_contradicted() {
                    self.acted = true;
                    self.denied_at = self.changes.last().and_then(|change| change.accepted_at);
                    self.seconds_to_deny = self.denied_at.and_then(|at| self.since_finding(at));
                }
            }
            Event::Refused(refused) => {
                if self.changes.last().is_some_and(|change| change.outcome == "pending") {
                    self.outcome("refused");
                }
                let crate::remediation::Refused { code, reason, what_to_do, .. } = refused;
                self.refusals.push(Refusal { entry, at, code, reason, what_to_do });
            }
            Event::Drift { what, .. } => self.drifts.push(Drift { entry, at, what, by: None }),
            Event::ReleaseAsked(asked) => self.releases.push(Release {
                entry,
                at,
                by: asked.answer.by,
                reason: asked.answer.reason,
                force: asked.force,
                done_at: None,
                not_done: None,
            }),
            Event::Undone { .. } => {
                self.undone_at = Some(at);
                if let Some(release) = self.releases.last_mut() {
                    release.done_at = Some(at);
                }
            }
            Event::NotReleased { why, .. } => {
                if let Some(release) = self.releases.last_mut() {
                    release.not_done = Some(why);
                }
            }
            Event::Expired { .. } => self.expired_at = Some(at),
            Event::Impact(impact) => {
                self.impact = Some(Concerned {
                    entry,
                    instances: impact.instances.iter().map(|instance| instance.id.clone()).collect(),
                    surely_dead: impact.surely_dead,
                    can_undo: impact.can_undo.clone(),
                    lines: impact.lines(),
                });
            }
            Event::Alert { code, text, what_to_do } => {
                if let (true, Some(drift)) = (code == AlertCode::DenyRemovedBy, self.drifts.last_mut()) {
                    drift.by = Some(text.clone());
                }
                self.alerts.push(Alert { entry, at, code: code.to_string(), text, what_to_do });
            }
            _ => {}
        }
    }

    /// The principal in words.
    #[must_use]
    pub fn who(&self) -> String {
        match self.principal_kind.as_str() {
            "other" => self.principal.clone(),
            kind => format!("{kind} {}", self.principal),
        }
    }

    /// How long each person's answer took, in seconds; and how often nobody answered.
    pub(super) fn waits(&self) -> (Vec<f64>, u64) {
        let answered = self
            .held
            .iter()
            .filter(|held| matches!(held.ended.as_deref(), Some("approved" | "rejected" | "done_by_hand")));
        let (nobody, somebody): (Vec<_>, Vec<_>) =
            answered.partition(|held| held.by.as_deref() == Some(NOBODY));
        let waited = |held: &&Held| elapsed(held.since, held.until?);
        (somebody.iter().filter_map(waited).collect(), nobody.len() as u64)
    }

    /// Fills in what the organization told.
    pub(super) fn place(&mut self, name: Option<&str>, ous: Option<&Vec<String>>) {
        self.account_name = name.map(str::to_owned);
        self.ous = ous.cloned().unwrap_or_default();
    }

    /// The account, as an id.
    pub(super) fn account_id(&self) -> Option<AccountId> {
        self.account.parse().ok()
    }

    /// The numbers of its entries, the finding's too.
    pub(super) fn entries(&self) -> Vec<i64> {
        let finding = (self.finding.entry > 0).then_some(self.finding.entry);
        let calls = self.calls.requests.iter().map(|call| call.entry);
        let mut all: Vec<i64> =
            finding.into_iter().chain(self.steps.iter().map(|step| step.entry)).chain(calls).collect();
        all.sort_unstable();
        all
    }
}

fn written(entry: i64, at: Timestamp, change: Change) -> Written {
    Written {
        entry,
        at,
        outcome: "pending".to_owned(),
        accepted_at: None,
        arn: change.arn,
        policy_name: change.policy_name,
        before: change.before,
        after: change.after,
        cutoff: change.cutoff.time(),
        deactivated_key: change.key.filter(|key| key.was_active).map(|key| key.id),
        note: change.note,
    }
}
