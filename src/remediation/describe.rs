//! What an entry says, in words.

use super::{CallRecord, CallResult, Event, InForce, NOBODY, Proof, Quarantine, SimulatedDecision, Trace};
use crate::plural::counted;
use jiff::{SignedDuration, Unit};

/// What an entry about a remediation says.
#[must_use]
pub fn describe(event: &Event) -> String {
    match event {
        Event::Decision { verdict, reason, .. } => format!("decision: {verdict}: {reason}"),
        Event::Proposed { change: Some(change), .. } => {
            format!("proposed: deny {}", change.denied())
        }
        Event::Proposed { problem, .. } => {
            format!(
                "proposed; the change could not be determined: {}",
                problem.as_deref().unwrap_or_default()
            )
        }
        Event::Approved(answer) => format!("approved by {}: {}", answer.by, answer.reason),
        Event::ApprovalGiven(answer) => {
            format!("approved by {}, others must as well: {}", answer.by, answer.reason)
        }
        Event::AlertAcknowledged { alert, answer } => {
            format!("alert {alert} acknowledged by {}: {}", answer.by, answer.reason)
        }
        Event::LoggedIn(one) => format!("logged in: {} from {}", one.identity, one.from),
        Event::RequestRefused(one) => {
            let who = one.identity.as_ref().map(ToString::to_string).or(one.claim.clone());
            format!("refused: {} by {}: {}", one.request, who.unwrap_or_default(), one.why)
        }
        Event::Rejected(answer) if answer.by == NOBODY => "rejected automatically (no answer)".to_owned(),
        Event::Rejected(answer) => format!("rejected by {}: {}", answer.by, answer.reason),
        Event::Reheld { reason, .. } => format!("held: {reason}"),
        Event::Cleared { reason } => format!("not held any more: {reason}"),
        Event::Superseded { by } => format!("superseded: {by} has revoked these sessions"),
        Event::Alert { text, .. } => format!("ALERT: {text}"),
        Event::Intent { change } => format!("intent: deny {}", change.denied()),
        Event::Accepted { found_in_place: false, .. } => "accepted by AWS".to_owned(),
        Event::Accepted { found_in_place: true, .. } => "accepted: found in place".to_owned(),
        Event::NotApplied { found } => format!("not applied: found {found}"),
        Event::Uncertain { error } => format!("uncertain: {error}"),
        Event::Reopened { by } => format!("tried again, by {by}"),
        Event::Refused(refused) => format!("refused: {}", refused.reason),
        Event::Proof(one) => format!("proof: {}", describe_proof(one)),
        Event::Call(one) => call(one),
        Event::Impact(impact) => format!(
            "impact gathered: {} in {}",
            counted(impact.instances.len(), "instance"),
            counted(impact.regions.len(), "region")
        ),
        Event::Trace(trace) => describe_trace(trace),
        Event::PursuitAsked(answer) => format!("pursuit requested by {}: {}", answer.by, answer.reason),
        Event::DoorsClosed(closed) => format!(
            "{} closed by {}: {}",
            counted(closed.doors.len(), "door"),
            closed.answer.by,
            closed.answer.reason
        ),
        Event::Drift { what, .. } => format!("TAKEN AWAY: {what}"),
        Event::Contested { removals, since } => {
            format!("CONTESTED: taken away {removals} times since {}", since.strftime("%H:%M:%SZ"))
        }
        Event::Quarantining { .. } => "quarantine: about to be attached".to_owned(),
        Event::Quarantined { .. } => "quarantine: attached, every session is denied".to_owned(),
        Event::NotQuarantined { reason, .. } => format!("quarantine: not attached: {reason}"),
        Event::Lifting { .. } => "quarantine: about to be detached".to_owned(),
        Event::Lifted { note: None } => "quarantine: lifted".to_owned(),
        Event::Lifted { note: Some(note) } => format!("quarantine: lifted: {note}"),
        Event::Settled { seconds } => format!("settled: the deny has stayed for {seconds} s"),
        Event::ReleaseAsked(asked) => {
            let forced = if asked.force { ", forced" } else { "" };
            format!("release requested by {}{forced}: {}", asked.answer.by, asked.answer.reason)
        }
        Event::Undoing { undo } => match &undo.leave {
            None => format!("undoing: {} is removed", undo.policy_name),
            Some(_) => format!("undoing: {} becomes what it was without this", undo.policy_name),
        },
        Event::Undone { note, .. } => {
            let note = note.as_deref().map_or_else(String::new, |note| format!(" ({note})"));
            format!("released: the previous state is restored{note}")
        }
        Event::NotReleased { why, .. } => format!("not released: {why}"),
        Event::Expired { reason } => format!("expired: {reason}"),
        Event::WritingBack(back) => format!("the finding is about to be {}", back.to.words()),
        Event::WrittenBack(back) => match &back.problem {
            None => format!("the finding is {}", back.to.words()),
            Some(problem) => format!("the finding is NOT {}: {problem}", back.to.words()),
        },
        Event::Ticket(ticket) => ticket.to_string(),
        Event::DoneByHand(answer) => format!("done by hand ({}): {}", answer.by, answer.reason),
        other => other.kind().to_owned(),
    }
}

/// What CloudTrail has of an access key.
fn describe_trace(trace: &Trace) -> String {
    let worked = trace.activities.iter().filter(|activity| activity.worked());
    let found: Vec<String> = worked
        .map(|activity| format!("{} {}", activity.thing, activity.object.as_deref().unwrap_or("?")))
        .collect();
    let calls: u64 = trace.read.iter().flat_map(|read| read.calls.values()).map(|count| count.all()).sum();
    let unread: Vec<&str> = trace.unread.iter().map(|unread| unread.region.as_str()).collect();
    let parts = [
        (!found.is_empty()).then(|| format!("FOUND: {}", found.join(", "))),
        (calls > 0).then(|| counted(usize::try_from(calls).unwrap_or(usize::MAX), "call")),
        (!unread.is_empty()).then(|| format!("NOT READABLE: {}", unread.join(", "))),
        trace.ended.then(|| "read to the end of the key".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let said = if parts.is_empty() { "nothing new".to_owned() } else { parts.join("; ") };
    format!("CloudTrail, key {}: {said}", trace.access_key)
}

/// For how long a deny was in force of the time since it was put first, and until when that is known.
#[must_use]
pub fn describe_in_force(one: &InForce) -> String {
    let (spent, until) = (span(one.seconds), one.until.strftime("%Y-%m-%d %H:%M:%SZ"));
    match one.gaps.len() {
        0 => format!("{spent} without a gap, known until {until}"),
        gaps => {
            let of = span(one.of_seconds);
            format!("{spent} of {of}, with {}, known until {until}", counted(gaps, "gap"))
        }
    }
}

/// Seconds, in words.
#[must_use]
pub fn span(seconds: f64) -> String {
    short(SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX))
}

/// Since when the quarantine is attached, and until when it was.
#[must_use]
pub fn describe_quarantine(one: &Quarantine) -> String {
    let since = one.since.strftime("%Y-%m-%d %H:%M:%SZ");
    match (&one.not_attached, one.lifted_at) {
        (Some(why), _) => format!("not attached: {why}"),
        (None, None) => format!("since {since}: every session is denied, legitimate ones as well"),
        (None, Some(at)) => format!("from {since} for {:.0} s", at.duration_since(one.since).as_secs_f64()),
    }
}

fn call(call: &CallRecord) -> String {
    let result = match &call.result {
        CallResult::Ok => "ok".to_owned(),
        CallResult::Error { code, message } => match code {
            Some(code) => format!("{code}: {message}"),
            None => message.clone(),
        },
    };
    let id = call.request_id.as_deref().unwrap_or("no request id");
    let tries = if call.attempts > 1 { format!(", {} attempts", call.attempts) } else { String::new() };
    format!("{}:{} {result} ({} ms{tries}, {id})", call.service, call.operation, call.duration_ms)
}

/// How far it is proved, and by what.
#[must_use]
pub fn describe_proof(proof: &Proof) -> String {
    let mut text = proof.rung.to_string();
    if let (Some(old), Some(new)) = (&proof.old_token, &proof.new_token) {
        text = format!("{text}: old sessions {}, new sessions {}", simulated(*old), simulated(*new));
    }
    if let Some(other) = proof.other_session {
        text = format!("{text}, other old sessions {}", simulated(other));
    }
    if let Some(denied) = &proof.denied {
        let api = denied.api.as_deref().unwrap_or("a call");
        let at = denied.at.strftime("%Y-%m-%d %H:%M:%SZ");
        text = format!(
            "{text}: {api} with {} was answered {} at {at} ({} {})",
            denied.access_key, denied.error_code, denied.source, denied.id
        );
    }
    if let Some(note) = &proof.note {
        text = format!("{text} ({note})");
    }
    text
}

/// What IAM's simulator decided, in words.
fn simulated(decision: SimulatedDecision) -> &'static str {
    match decision {
        SimulatedDecision::Allowed => "allowed",
        SimulatedDecision::ImplicitDeny => "not allowed",
        SimulatedDecision::ExplicitDeny => "denied",
        SimulatedDecision::Mixed => "mixed",
    }
}

/// A duration in its largest unit or two.
#[must_use]
pub fn short(duration: SignedDuration) -> String {
    let duration = duration.round(Unit::Millisecond).unwrap_or(duration);
    let seconds = duration.as_secs();
    match seconds {
        ..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
