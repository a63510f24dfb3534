//! A remediation: where it stands, how far that is proved, and what a person can do.

use super::advice::Advice;
use super::facts::facts;
use super::page::{Done, Frame};
use super::policy::Changed;
use super::question::Question;
use super::words::{Tone, When, Words, nested};
use crate::config::{Config, WebRole};
use crate::desk::{self, DeskError, Shown, may_release};
use crate::ledger::Reader;
use crate::remediation::{Event, State, describe, short};
use crate::remedy::aftercare;
use crate::web::access::Places;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, Query, State as Has};
use axum::response::Response;
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
    /// The same in a sentence.
    standing: &'static str,
    proof: String,
    incident: Option<String>,
    why: String,
    to_do: Vec<Advice>,
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

struct Step {
    entry: i64,
    at: When,
    after: String,
    text: String,
}

pub(super) async fn page(
    Has(app): Has<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let frame = Frame::of(&app, &caller, "/remediations", String::new()).with(&done);
    let config = app.current();
    let read = move |frame, reader: &Reader, places: &Places| {
        let found = desk::find_among(reader, &id, |account| places.show(Some(account)));
        let found = found.map_err(|error| match error {
            DeskError::NotFound(_) => Problem::not_found(format!("no remediation matches {id:?}")),
            other => other.into(),
        })?;
        let shown = Shown::read(reader, &found)?;
        let organization = reader.organization()?;
        let account = organization.as_ref().and_then(|all| all.account(&shown.whole.target.account));
        let name = account.map(|one| one.name.clone()).unwrap_or_default();
        Ok(RemediationPage::of(frame, &shown, places, name, &config))
    };
    frame.filled(&app, read).await
}

/// A control plane that takes no changes, and what contains the theft meanwhile.
type Outage = (String, Vec<(String, Vec<String>)>);

impl RemediationPage {
    fn of(mut frame: Frame, shown: &Shown, places: &Places, account_name: String, config: &Config) -> Self {
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
            standing: standing(r.state, r.quarantine().is_some()),
            proof: r.rung().map(|rung| rung.to_string()).unwrap_or_default(),
            incident: shown.incident.clone(),
            why: refused.map(|one| one.reason.clone()).or(r.why().map(str::to_owned)).unwrap_or_default(),
            to_do: refused.map(|one| Advice::of(&one.what_to_do)).unwrap_or_default(),
            asked: Question::of(r, config),
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

/// Where a remediation stands, in a sentence.
fn standing(state: State, is_quarantined: bool) -> &'static str {
    match state {
        State::Revoked | State::Unverified | State::Verifying if is_quarantined => {
            "The stolen sessions are denied, and every other session until the quarantine is lifted."
        }
        State::Revoked => "The stolen sessions are denied.",
        State::Unverified => "The deny is in place; IAM's simulator does not confirm it.",
        State::Verifying => "AWS accepted the deny; it was not seen in place yet.",
        State::Held => "It waits for an answer: nothing is revoked.",
        State::Queued | State::Approved => "It is about to be revoked.",
        State::Revoking => "It is being revoked.",
        State::Lost => "The deny was removed or altered: it is put back.",
        State::Contested => "The deny is removed again and again: rescind puts it back each time.",
        State::Retrying => "Not revoked yet: it failed, and is tried again.",
        State::Blocked => "Not revoked: a person must change something first.",
        State::Failed => "Not revoked: it was refused for good.",
        State::Rejected => "Not revoked: it was rejected.",
        State::Superseded => "Another remediation has revoked these sessions.",
        State::DoneByHand => "A person did it by hand.",
        State::Releasing => "It is being released.",
        State::Released => "Released: the released sessions work again until they expire.",
        State::Expired => "Every session that it denies has expired.",
        State::Retiring => "No longer needed: the deny is being removed.",
        State::Retired => "No longer needed: the deny was removed.",
    }
}
