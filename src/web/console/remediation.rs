//! A remediation: where it stands, how far that is proved, and what a person can do.

use super::page::{Done, Frame, html};
use super::policy::Changed;
use super::words::{Tone, When, Words, nested};
use crate::config::WebRole;
use crate::desk::{self, DeskError, Kind, Shown, may_answer, may_release};
use crate::ident::AccountId;
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::{
    Event, InForce, Remediation, State, describe, describe_in_force, describe_proof, describe_quarantine,
    short,
};
use crate::remedy::aftercare;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, Query, State as Has};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "console/remediation.html")]
struct RemediationPage {
    frame: Frame,
    id: String,
    principal: String,
    account: String,
    account_name: String,
    state: State,
    tone: Tone,
    proof: String,
    incident: Option<String>,
    why: String,
    to_do: String,
    /// What is asked of a person.
    asked: Option<Question>,
    facts: Vec<(&'static str, String)>,
    opened: When,
    /// What happened when the credentials were last seen, and when.
    last_seen: (&'static str, When),
    answered: Option<(String, When)>,
    approvals: Vec<String>,
    rungs: Vec<(String, When, String)>,
    change: Option<Changed>,
    outage: Option<Outage>,
    /// A quarantine is attached beside a deny.
    quarantines: bool,
    impact: Vec<(String, Vec<String>)>,
    can_look_up: bool,
    aftercare: Vec<(String, Vec<String>)>,
    can_release: bool,
    /// What the times of the timeline are counted from.
    beginning: &'static str,
    steps: Vec<Step>,
    calls: Vec<(i64, String)>,
    /// Whoever asks may answer or release.
    may_answer: bool,
    may_release: bool,
}

/// What is asked of a person, and what they can answer.
pub(super) struct Question {
    pub why: String,
    /// Approving does nothing as long as what forbids it is there.
    pub is_forbidden: bool,
    pub change: Option<Changed>,
    pub problem: String,
    /// Number of the entry with the plan that is judged.
    pub plan: i64,
    pub answer_by: Option<When>,
    pub is_over: bool,
    pub can_approve: bool,
    pub can_reject: bool,
    pub can_be_done: bool,
    /// What only a person can do.
    pub by_hand: String,
}

struct Step {
    entry: i64,
    at: When,
    after: String,
    text: String,
}

/// The remediation that somebody may see.
///
/// # Errors
/// When there is none, or they may not see it.
pub(super) fn visible(reader: &Reader, id: &str, caller: &Caller) -> Result<(Shown, Places), Problem> {
    let places = caller.access.places(reader)?;
    let found = desk::find_among(reader, id, |account| places.show(Some(account)));
    let found = found.map_err(|error| match error {
        DeskError::NotFound(_) => Problem::not_found(format!("no remediation matches {id:?}")),
        other => other.into(),
    })?;
    Ok((Shown::read(reader, &found)?, places))
}

pub(super) async fn page(
    Has(app): Has<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/remediations", String::new()).with(&done);
    let settings = (app.config.approval_timeout, !app.config.quarantine.is_zero());
    let read = move |reader: &Reader| {
        let (shown, places) = visible(reader, &id, &caller)?;
        let name = account_name(reader, &shown.whole.target.account)?;
        Ok::<_, Problem>(RemediationPage::of(frame, &shown, &places, name, settings))
    };
    html(&app.read(read).await?)
}

/// The account's name, as it was last in the organization.
pub(super) fn account_name(reader: &Reader, account: &AccountId) -> Result<String, Problem> {
    let organization = reader.organization()?;
    Ok(organization.and_then(|all| all.account(account).map(|one| one.name.clone())).unwrap_or_default())
}

impl Question {
    /// What is asked about a remediation; none when nothing is.
    pub fn of(r: &Remediation, timeout: SignedDuration) -> Option<Self> {
        let can = |kind| may_answer(r, kind).is_ok();
        let (can_approve, can_reject) = (can(Kind::Approve), can(Kind::Reject));
        let can_be_done = can(Kind::Done);
        let is_held = r.state == State::Held;
        if !(can_approve || can_reject || can_be_done || is_held) {
            return None;
        }
        let held = r.held_why();
        let proposal = r.proposal.as_ref();
        let answer_by = r.answer_by(timeout).filter(|_| is_held);
        Some(Self {
            why: held.map(|(_, why)| why.to_owned()).unwrap_or_default(),
            is_forbidden: is_held
                && r.target.is_supported()
                && held.is_none_or(|(code, _)| !code.is_for_approval()),
            change: proposal.and_then(|one| one.change.as_ref()).map(|one| Changed::of(&r.target, one)),
            problem: proposal.and_then(|one| one.problem.clone()).unwrap_or_default(),
            plan: proposal.map_or(0, |one| one.seq),
            is_over: answer_by.is_some_and(|until| until < Timestamp::now()),
            answer_by: answer_by.map(When::of),
            can_approve,
            can_reject,
            can_be_done,
            by_hand: if r.target.is_supported() {
                String::new()
            } else {
                r.what_to_do.clone().unwrap_or_default()
            },
        })
    }
}

/// A control plane that takes no changes, and what contains the theft meanwhile.
type Outage = (String, Vec<(String, Vec<String>)>);

impl RemediationPage {
    fn of(
        mut frame: Frame,
        shown: &Shown,
        places: &Places,
        account_name: String,
        (timeout, quarantines): (SignedDuration, bool),
    ) -> Self {
        let r = &shown.whole;
        let account = &r.target.account;
        let principal = r.target.principal();
        frame.title = format!("{principal} in {account}");
        let is_approver = places.allow(WebRole::Approver, account);
        let instance = r.finding.evidence.instance_id.as_deref();
        let impact = r.impact.as_ref().map(|impact| r.impact_lines(impact));
        let is_recurring = r.recurrence.is_some();
        let advice =
            if r.state.is_in_place() { aftercare(&r.target, instance, is_recurring) } else { Vec::new() };
        let outage = shown.outage.as_ref().map(|outage| {
            let title = format!("{} takes no changes: {}: {}", outage.service(), outage.call, outage.error);
            (title, nested(shown.regional.as_deref().unwrap_or_default()))
        });
        let (calls, steps): (Vec<_>, Vec<_>) =
            shown.entries.iter().partition(|entry| matches!(entry.event, Event::Call(_)));
        let approvals = r.approvals.iter().filter(|_| r.state == State::Held);
        let refused = r.refused();
        Self {
            proof: r.rung().map(|rung| rung.to_string()).unwrap_or_default(),
            incident: shown.incident.clone(),
            why: refused.map(|one| one.reason.clone()).or(r.why().map(str::to_owned)).unwrap_or_default(),
            to_do: refused.map(|one| one.what_to_do.clone()).unwrap_or_default(),
            asked: Question::of(r, timeout),
            facts: facts(shown),
            opened: When::of(r.opened_at),
            last_seen: (r.finding.cause.time_name(), When::of(r.finding.last_seen())),
            answered: r.answer.as_ref().map(|given| {
                let (how, answer) = (Words::spaced(given.how), &given.answer);
                (format!("{how} by {}: {}", answer.by, answer.reason), When::of(given.at))
            }),
            approvals: approvals.map(|one| format!("{}: {}", one.by, one.reason)).collect(),
            rungs: shown
                .remediation
                .rungs
                .iter()
                .map(|one| (one.rung.clone(), When::of(one.at), one.evidence.clone()))
                .collect(),
            change: r.change.as_ref().map(|change| Changed::of(&r.target, change)),
            outage,
            quarantines,
            impact: nested(&impact.unwrap_or_default()),
            can_look_up: is_approver && r.target.role_with_id().is_some(),
            aftercare: nested(&advice),
            can_release: may_release(r).is_ok(),
            steps: steps
                .into_iter()
                .map(|entry| Step {
                    entry: entry.seq,
                    at: When::of(entry.time),
                    after: r.since_activity(entry.time).map(short).unwrap_or_default(),
                    text: describe(&entry.event),
                })
                .collect(),
            calls: calls.into_iter().map(|entry| (entry.seq, describe(&entry.event))).collect(),
            may_answer: is_approver,
            may_release: places.allow(WebRole::Operator, account),
            state: r.state,
            tone: Tone::of(r.state),
            id: r.id.clone(),
            account: account.to_string(),
            account_name,
            principal,
            beginning: r.finding.cause.beginning(),
            frame,
        }
    }
}

fn facts(shown: &Shown) -> Vec<(&'static str, String)> {
    let r = &shown.whole;
    let (finding, evidence) = (&r.finding, &r.finding.evidence);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let order = finding.cause.order();
    let from = [&evidence.remote_ip, &evidence.remote_organization, &evidence.remote_country];
    let from: Vec<&str> = from.into_iter().filter_map(|one| one.as_deref()).collect();
    let key = finding.principal.as_ref().and_then(|one| one.access_key_id.as_deref());
    let session = finding.principal.as_ref().and_then(|one| one.principal_id.as_deref());
    let in_force = shown.known_until.and_then(|until| r.in_force(until));
    let also = shown.attached.len();
    let all = [
        ("Only this session", text(r.target.session().map(|one| one.user_id.as_str()))),
        ("Access key", text(key)),
        ("Session", text(session)),
        ("Used from", from.join(", ")),
        ("Call seen", text(evidence.api.as_deref())),
        ("Instance", text(evidence.instance_id.as_deref())),
        ("Time to deny", r.to_deny().map(short).unwrap_or_default()),
        ("In force", in_force.as_ref().map(in_force_text).unwrap_or_default()),
        ("Quarantine", r.history.quarantines.last().map(describe_quarantine).unwrap_or_default()),
        ("Proof", r.proof().map(describe_proof).unwrap_or_default()),
        ("Recurring", r.recurrence.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("Superseded by", text(r.history.superseded_by.as_deref())),
        ("Ordered by", order.map(|order| order.from.to_string()).unwrap_or_default()),
        ("Reason of the order", order.map(|order| order.reason.clone()).unwrap_or_default()),
        ("Decision", format!("{}: {}", Words::spaced(r.decision.verdict), r.decision.reason)),
        ("Rule", text(r.rule.as_deref())),
        ("Opt-outs", r.opt_outs.join(", ")),
        ("Finding", format!("{} in {}", finding.id, finding.region)),
        ("Type", finding.finding_type.clone()),
        ("Also covers", if also > 0 { counted(also, "later occurrence") } else { String::new() }),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn in_force_text(one: &InForce) -> String {
    format!("{} ({})", one.percent(), describe_in_force(one))
}
