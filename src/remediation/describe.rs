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
        Event::Settled { seconds } => format!(
            "settled: the deny has stayed for {}",
            short(SignedDuration::from_secs(i64::try_from(*seconds).unwrap_or(i64::MAX)))
        ),
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
        other => describe_service(other),
    }
}

/// What an entry says that is about rescind, its feeds or its ledger.
fn describe_service(event: &Event) -> String {
    match event {
        Event::Started { version, command, mode, .. } => {
            format!("rescind {version} started: `rescind {command}`, mode {mode}")
        }
        Event::Stopped { reason } => format!("rescind stopped: {reason}"),
        Event::TookOver { host, epoch } => format!("{host} leads from now on, as number {epoch}"),
        Event::Connected { hub_account, hub_arn } => {
            format!("connected to AWS as {hub_arn}, hub account {hub_account}")
        }
        Event::Organization { accounts, active, .. } => {
            format!("the organization was read: {}, {active} active", counted(accounts, "account"))
        }
        Event::Watching => "the region is watched from now on".to_owned(),
        Event::RegionSkipped { reason } => format!("the region is not read: {reason}"),
        Event::FeedFailed { error, .. } => format!("NOT READ: {error}"),
        Event::FileRead { file, findings, .. } => {
            format!("the file {file} was read: {}", counted(findings, "finding"))
        }
        Event::OptOuts { in_force, added, changed, removed, .. } => {
            let counts = [(added.len(), "added"), (changed.len(), "changed"), (removed.len(), "removed")];
            let what = counts.into_iter().filter(|(count, _)| *count > 0);
            let what: Vec<String> = what.map(|(count, word)| format!("{count} {word}")).collect();
            let what = if what.is_empty() { "nothing changed".to_owned() } else { what.join(", ") };
            format!("the opt-outs were read: {} in effect; {what}", in_force.len())
        }
        Event::OptOutsRefused { error } => {
            format!("the opt-outs' file was rejected, the previous version stays in effect: {error}")
        }
        Event::Reloaded { mode, needs_restart, .. } => {
            let rest = if needs_restart.is_empty() {
                String::new()
            } else {
                format!("; after a restart: {}", needs_restart.join(", "))
            };
            format!("the configuration was read again, mode {mode}{rest}")
        }
        Event::ReloadRefused { error } => {
            format!("the configuration was rejected, the previous version stays in effect: {error}")
        }
        Event::Finding { origin, finding, .. } => {
            format!("finding from {origin}: {} {}", finding.finding_type, finding.id)
        }
        Event::HandedIn { origin, os_user, .. } => format!("a finding was handed in by {os_user}: {origin}"),
        Event::Undecodable { origin, undecodable } => {
            format!("not a readable finding, from {origin}: {undecodable}")
        }
        Event::Unconfirmed { origin, why, .. } => {
            format!("a finding that GuardDuty does not confirm, from {origin}: {why}")
        }
        Event::SigningKey { public_key, .. } => format!("checkpoints are signed with the key {public_key}"),
        Event::KeyOffered { host, public_key, .. } => {
            format!("{host} offers its key {public_key}, for which no key has signed yet")
        }
        Event::Witnessed { size, object, .. } => {
            format!("the checkpoint over {} stands at {object}", entries(*size))
        }
        Event::Cosigned { witness, size, .. } => {
            format!("{witness} cosigned the checkpoint over {}", entries(*size))
        }
        Event::Archive { file, entries: moved, .. } => {
            format!("{} moved to the archive {file}", entries(u64::try_from(*moved).unwrap_or(u64::MAX)))
        }
        Event::Report(report) => {
            let who = report.identity.as_ref().map_or_else(|| report.os_user.clone(), ToString::to_string);
            format!(
                "report made by {who}: {}, {}",
                report.format,
                counted(report.remediations, "remediation")
            )
        }
        Event::Drill(drill) => {
            let result = if drill.passed { "passed" } else { "NOT passed" };
            format!("fire drill with {} in {}: {result}", drill.role, drill.account)
        }
        other => other.kind().to_owned(),
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
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
        (None, Some(at)) => format!("from {since} for {}", short(at.duration_since(one.since))),
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
