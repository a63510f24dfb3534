//! What a run did, read from the ledger.

use super::Exit;
use super::output::{BAD, DIM, GOOD, Screen, WARN, clean, short, styled, utc};
use crate::config::Config;
use crate::finding::Finding;
use crate::ledger::{Entry, Event, LedgerError, NOBODY, Remediation, State};
use crate::remedy::{Proof, Who};
use crate::service::{Seen, Service};
use serde::Serialize;
use std::collections::BTreeSet;

/// How many occurrences that had been seen before are shown to a person.
const SHOWN: usize = 10;

/// Closes the service, and tells what was done since it started.
pub async fn finish(
    service: Service,
    screen: &Screen,
    done: Result<Seen, LedgerError>,
    interrupted: bool,
) -> anyhow::Result<Exit> {
    let told = match &done {
        Ok(seen) => tell(&service, screen, seen),
        Err(_) => Ok(Exit::Ledger),
    };
    let stopped = service.stop(if interrupted { "interrupted" } else { "done" }).await;
    done?;
    stopped?;
    let exit = told?;
    Ok(if interrupted { Exit::Interrupted } else { exit })
}

/// Closes a service that was asked to stop. What it did stands in its log; here only what is left.
pub async fn finish_service(
    service: Service,
    screen: &Screen,
    done: Result<(), LedgerError>,
) -> anyhow::Result<Exit> {
    let left = service.reader().unfinished();
    let stopped = service.stop("done").await;
    done?;
    stopped?;
    let (held, left): (Vec<_>, Vec<_>) = left?.into_iter().partition(|one| one.state == State::Held);
    screen.json(&serde_json::json!({ "stopped": { "not_finished": left.len(), "held": held.len() } }))?;
    let of = |count: usize, what: &str| if count == 0 { String::new() } else { format!(" {count} {what}.") };
    screen.line(format!(
        "Stopped.{}{}",
        of(left.len(), "not finished: taken up at the next start"),
        of(held.len(), "held for approval: `rescind status` lists them")
    ));
    Ok(Exit::Done)
}

#[derive(Serialize, Default)]
struct Counts {
    remediated: usize,
    not_confirmed: usize,
    observed: usize,
    skipped: usize,
    undecodable: usize,
    unconfirmed: usize,
    seen_before: usize,
    not_revoked: usize,
    held: usize,
    need_person: usize,
    put_off: usize,
    not_decided: usize,
    alerts: usize,
    failed_feeds: usize,
}

fn tell(service: &Service, screen: &Screen, seen: &Seen) -> anyhow::Result<Exit> {
    let reader = service.reader();
    let mut counts = Counts { seen_before: seen.count, ..Counts::default() };
    let mut touched = BTreeSet::new();
    reader.each_since(service.started_at(), |entry| {
        if let Some(id) = &entry.subject.remediation {
            touched.insert(id.clone());
        }
        tell_entry(&entry, screen, &mut counts)
    })?;
    for id in &touched {
        let remediation = reader.remediation(id)?;
        let is_doubted = remediation.proof().is_some_and(Proof::is_contradicted);
        counts.remediated += usize::from(remediation.state.is_in_place() && !is_doubted);
        counts.not_confirmed += usize::from(remediation.state.is_in_place() && is_doubted);
        counts.held += usize::from(remediation.state == State::Held);
        counts.not_revoked += usize::from(needs_person(&remediation) && remediation.state != State::Held);
        tell_remediation(&remediation, service.config(), screen)?;
    }
    for finding in seen.findings.iter().take(if screen.is_text() { SHOWN } else { usize::MAX }) {
        tell_seen(service, finding, screen)?;
    }
    for finding in &seen.findings {
        match is_left_open(service, finding, &touched)? {
            Some(true) => counts.held += 1,
            Some(false) => counts.not_revoked += 1,
            None => {}
        }
    }
    if seen.count > SHOWN {
        screen.line(format!("          … and {} more: `rescind list --decisions`", seen.count - SHOWN));
    }
    screen.json(&serde_json::json!({ "summary": counts }))?;
    screen.line(sentence(&counts));
    if counts.put_off > 0 {
        screen.line(
            "What was there before the first poll is only observed: `rescind run --backlog` acts on it.",
        );
    }
    let bad = counts.not_revoked
        + counts.not_confirmed
        + counts.held
        + counts.need_person
        + counts.put_off
        + counts.alerts
        + counts.undecodable
        + counts.unconfirmed
        + counts.failed_feeds;
    Ok(if bad > 0 { Exit::NeedsPerson } else { Exit::Done })
}

fn tell_entry(entry: &Entry, screen: &Screen, counts: &mut Counts) -> anyhow::Result<()> {
    match &entry.event {
        Event::Decision { verdict, code, reason, what_to_do, .. }
            if verdict == "skip" || verdict == "observe" =>
        {
            counts.need_person += usize::from(what_to_do.is_some());
            counts.put_off += usize::from(code == "first_run");
            if verdict == "skip" {
                counts.skipped += 1;
            } else {
                counts.observed += 1;
            }
            let label =
                if verdict == "skip" { styled(DIM, "skipped   ") } else { styled(WARN, "observed  ") };
            screen.line(format!("{label}  {}  {}", subject(entry), clean(reason)));
            if let Some(to_do) = what_to_do {
                screen.line(format!("            {} {}", styled(BAD, "a person must act:"), clean(to_do)));
            }
            screen.json(entry)?;
        }
        Event::Alert { code, text, what_to_do } => {
            counts.alerts += 1;
            counts.not_decided += usize::from(code == "id_taken");
            screen.line(format!(
                "{}  {}  {}\n            to do: {}",
                styled(BAD, "ALERT     "),
                entry.subject.account.as_ref().map_or("the organization", crate::ident::AccountId::as_str),
                clean(text),
                clean(what_to_do)
            ));
            screen.json(entry)?;
        }
        Event::Undecodable { source, undecodable } => {
            counts.undecodable += 1;
            screen.line(format!(
                "{}  {}: {}",
                styled(BAD, "unreadable"),
                clean(source),
                clean(&undecodable.to_string())
            ));
            screen.json(entry)?;
        }
        Event::Unconfirmed { source, why, .. } => {
            counts.unconfirmed += 1;
            screen.line(format!(
                "{}  {}  {}: {}",
                styled(WARN, "not so    "),
                subject(entry),
                clean(source),
                clean(&why.to_string())
            ));
            screen.json(entry)?;
        }
        Event::RegionSkipped { reason } => {
            screen.line(format!("{}  {}", styled(DIM, "skipped   "), clean(reason)));
            screen.json(entry)?;
        }
        Event::FeedFailed { error, what_to_do } => {
            counts.failed_feeds += 1;
            screen.line(format!(
                "{}  {}\n            {}",
                styled(BAD, "not read  "),
                clean(error),
                clean(what_to_do)
            ));
            screen.json(entry)?;
        }
        _ => {}
    }
    Ok(())
}

fn subject(entry: &Entry) -> String {
    let finding = entry.subject.finding.as_deref().unwrap_or("-");
    let account = entry.subject.account.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{account}  {}", clean(finding))
}

fn tell_remediation(remediation: &Remediation, config: &Config, screen: &Screen) -> anyhow::Result<()> {
    screen.json(&RemediationLine::from(remediation))?;
    let is_doubted = remediation.proof().is_some_and(Proof::is_contradicted);
    let is_revoked = remediation.state.is_in_place() && !is_doubted;
    let word = if is_revoked { "revoked".to_owned() } else { remediation.state.to_string() };
    let label = styled(style(remediation.state), format!("{word:<10}"));
    let target = &remediation.target;
    let principal = clean(&target.principal());
    screen.line(format!("{label}  {}  {principal} in {}", remediation.id, target.account));
    if remediation.state.is_in_place() {
        if let (Some(change), Some(accepted)) = (&remediation.change, remediation.accepted_at) {
            let cutoff = utc(change.cutoff.time());
            let what = change
                .session
                .as_deref()
                .map_or_else(|| "sessions".to_owned(), |session| format!("sessions of {}", clean(session)));
            screen.line(format!(
                "            {what} issued before {cutoff} are denied (proof: {})",
                remediation.state
            ));
            if is_doubted {
                let warning = styled(BAD, "NOT confirmed:");
                screen.line(format!("            {warning} IAM's simulator still allows the old session"));
            }
            if let Some(key) = &change.key {
                screen.line(format!("            access key {} is inactive", clean(&key.id)));
            }
            screen.line(match remediation.since_activity(accepted) {
                Some(took) => format!(
                    "            accepted by AWS {} after the last activity that GuardDuty saw",
                    short(took)
                ),
                None => {
                    "            accepted by AWS; GuardDuty's time of the activity is ahead of this clock"
                        .to_owned()
                }
            });
        }
        if let Some(recurrence) = &remediation.recurrence {
            screen.line(format!(
                "            {}: {}",
                styled(BAD, "RECURRING"),
                clean(&recurrence.to_string())
            ));
        }
        if let Some(text) = remediation.impact.as_ref().and_then(|impact| impact.can_take_away()) {
            screen.line(format!("            {} {}", styled(WARN, "WARNING:"), clean(&text)));
        }
        let note = remediation.proof().and_then(|p| p.note.as_deref());
        for note in [remediation.change.as_ref().and_then(|c| c.note.as_deref()), note].into_iter().flatten()
        {
            screen.line(format!("            note: {}", clean(note)));
        }
    } else if remediation.state == State::Held {
        let why = remediation.held_why.as_ref().map_or("", |(_, why)| why);
        screen.line(format!("            {}", clean(why)));
        let until = remediation.answer_by(config.approval_timeout).map(utc).unwrap_or_default();
        let id = &remediation.id;
        screen.line(format!("            a person must judge it until {until}: `rescind show {id}`, then"));
        if matches!(target.who, Who::Beyond { .. }) {
            let what = remediation.what_to_do.as_deref().unwrap_or_default();
            screen.line(format!("            by hand: {}", clean(what)));
            screen.line(format!("            and then `rescind done {id} --by NAME --reason TEXT`"));
        } else {
            screen.line(format!(
                "            `rescind approve {id} --by NAME --reason TEXT`, or `rescind reject {id} …`"
            ));
        }
    } else if is_ended(remediation.state) {
        screen.line(format!("            `rescind show {}` tells the story", remediation.id));
    } else if remediation.state == State::Superseded {
        screen.line("            another remediation of the role has revoked these sessions");
    } else if let (State::Rejected, Some((_, answer))) = (remediation.state, &remediation.answer) {
        screen.line(format!("            rejected by {}: {}", clean(&answer.by), clean(&answer.reason)));
    } else if let Some(refused) =
        remediation.refused.as_ref().filter(|_| !remediation.state.has_fixed_cutoff())
    {
        screen.line(format!("            {}", clean(&refused.reason)));
        screen.line(format!("            to do: {}", clean(&refused.what_to_do)));
    } else {
        let why = remediation.uncertain.as_deref().unwrap_or("not finished");
        screen.line(format!("            {}", clean(why)));
        screen.line("            it is taken up again by a running service, or at the next start");
    }
    Ok(())
}

/// A state, in its colour.
pub fn label(state: State) -> String {
    styled(style(state), state)
}

fn style(state: State) -> anstyle::Style {
    match state {
        State::Proved(_) => GOOD,
        State::Blocked | State::Failed | State::Rejected | State::Lost => BAD,
        State::Superseded | State::ByHand | State::Released | State::Expired | State::Retired => DIM,
        State::Held
        | State::Decided
        | State::Applying
        | State::Accepted
        | State::Retrying
        | State::Releasing
        | State::Retiring => WARN,
    }
}

/// It was taken back, or nothing needs it any more.
fn is_ended(state: State) -> bool {
    matches!(state, State::ByHand | State::Released | State::Expired | State::Retired)
}

/// It is not revoked, and nobody has said that this is all right.
fn needs_person(remediation: &Remediation) -> bool {
    match (remediation.state, &remediation.answer) {
        (State::Proved(_) | State::Superseded, _) => false,
        (state, _) if is_ended(state) => false,
        (State::Rejected, Some((_, answer))) => answer.by == NOBODY,
        _ => true,
    }
}

/// Whether a theft that was seen before, and may be acted on, is left open: held (true), or not
/// revoked for another reason.
fn is_left_open(
    service: &Service,
    finding: &Finding,
    told: &BTreeSet<String>,
) -> anyhow::Result<Option<bool>> {
    let decision = service.reader().decided(&finding.occurrence())?.and_then(|d| d.decision);
    let Some(entry) = decision else { return Ok(None) };
    Ok(match (entry.takes_care(), &entry.event) {
        (Some(id), _) if told.contains(id) => None,
        (Some(id), _) => {
            let remediation = service.reader().remediation(id)?;
            needs_person(&remediation).then_some(remediation.state == State::Held)
        }
        (None, Event::Decision { code, what_to_do, .. }) => {
            let open = what_to_do.is_some() || (is_put_off(code) && service.would_act_on(finding));
            open.then_some(false)
        }
        _ => None,
    })
}

/// Only observed because of when it came, not because somebody wants it so.
fn is_put_off(code: &str) -> bool {
    matches!(code, "mode_observe" | "first_run")
}

fn tell_seen(service: &Service, finding: &Finding, screen: &Screen) -> anyhow::Result<()> {
    let reader = service.reader();
    let Some(decided) = reader.decided(&finding.occurrence())? else { return Ok(()) };
    let decision = match &decided.decision {
        Some(entry) => match (entry.takes_care(), &entry.event) {
            (Some(id), _) => match reader.remediation(id)?.state {
                state if state.is_in_place() => format!("nothing more to do: {id} is {state}"),
                state => format!("{id} is {state}: `rescind show {id}`"),
            },
            (None, Event::Decision { code, .. }) if is_put_off(code) && service.would_act_on(finding) => {
                "only observed so far: `rescind run --backlog` acts on it".to_owned()
            }
            (None, Event::Decision { verdict, reason, .. }) => format!("{verdict}: {reason}"),
            _ => "not decided yet".to_owned(),
        },
        None => "not decided yet".to_owned(),
    };
    let at = utc(decided.seen.time);
    screen.json(&serde_json::json!({
        "seen_before": finding.id, "account": finding.account, "entry": decided.seen.seq, "decision": decision,
    }))?;
    screen.line(format!(
        "{}  {}  {}\n            recorded {at} (entry {}); {}",
        styled(DIM, "seen      "),
        finding.account,
        clean(&finding.id),
        decided.seen.seq,
        clean(&decision)
    ));
    Ok(())
}

fn sentence(counts: &Counts) -> String {
    let parts = [
        (counts.remediated, "revoked"),
        (counts.not_confirmed, "denied, NOT confirmed by the simulator"),
        (counts.observed, "observed"),
        (counts.skipped, "skipped"),
        (counts.undecodable, "unreadable"),
        (counts.unconfirmed, "not confirmed by GuardDuty"),
        (counts.seen_before, "seen before"),
        (counts.held, "held for approval"),
        (counts.not_revoked, "NOT revoked"),
        (counts.not_decided, "NOT decided"),
        (counts.need_person, "that only a person can deal with"),
        (counts.failed_feeds, "failed read(s) of a region or the organization"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { "Nothing new.".to_owned() } else { format!("{}.", parts.join(", ")) }
}

/// A remediation in one line of JSON.
#[derive(Serialize)]
pub struct RemediationLine<'a> {
    remediation: &'a str,
    state: String,
    account: &'a str,
    principal: String,
    role: Option<&'a str>,
    session: Option<&'a str>,
    recurrence: Option<&'a crate::triage::Recurrence>,
    finding: &'a str,
    #[serde(rename = "type")]
    finding_type: &'a str,
    rule: Option<&'a str>,
    opt_outs: &'a [String],
    opened_at: jiff::Timestamp,
    held_at: Option<jiff::Timestamp>,
    held_why: Option<&'a str>,
    answer: Option<&'a crate::ledger::Answer>,
    accepted_at: Option<jiff::Timestamp>,
    cutoff: Option<String>,
    seconds_to_deny: Option<f64>,
    refused: Option<&'a crate::ledger::Refused>,
    proof: Option<&'a crate::remedy::Proof>,
    rungs: Vec<Reached>,
}

/// A rung of the proof, and how long after the finding it was reached.
#[derive(Serialize)]
pub struct Reached {
    /// `accepted`, `present`, `simulated` or `enforced`.
    pub rung: String,
    /// When.
    pub at: jiff::Timestamp,
    /// Since the last activity that GuardDuty saw.
    pub seconds_after_finding: Option<f64>,
}

/// The rungs that were reached since the change was made last.
pub fn rungs(r: &Remediation) -> Vec<Reached> {
    let reached = |rung: String, at: jiff::Timestamp| {
        let seconds_after_finding = r.since_activity(at).map(|since| since.as_secs_f64());
        Reached { rung, at, seconds_after_finding }
    };
    let accepted = r.accepted_at.map(|at| reached("accepted".to_owned(), at));
    let proofs = r.proofs.iter().map(|(at, proof)| reached(proof.rung.to_string(), proof.at.unwrap_or(*at)));
    accepted.into_iter().chain(proofs).collect()
}

impl<'a> From<&'a Remediation> for RemediationLine<'a> {
    fn from(r: &'a Remediation) -> Self {
        Self {
            remediation: &r.id,
            state: r.state.to_string(),
            account: r.target.account.as_str(),
            principal: r.target.name(),
            role: match &r.target.who {
                Who::Role { role, .. } => Some(role.as_str()),
                Who::User { .. } | Who::Beyond { .. } => None,
            },
            session: r.change.as_ref().map_or_else(
                || r.target.session().map(|one| one.user_id.as_str()),
                |change| change.session.as_deref(),
            ),
            recurrence: r.recurrence.as_ref(),
            finding: &r.finding.id,
            finding_type: &r.finding.finding_type,
            rule: r.rule.as_deref(),
            opt_outs: &r.opt_outs,
            opened_at: r.opened_at,
            held_at: r.held_at,
            held_why: r.held_why.as_ref().filter(|_| r.state == State::Held).map(|(_, why)| why.as_str()),
            answer: r.answer.as_ref().map(|(_, answer)| answer),
            accepted_at: r.accepted_at,
            cutoff: r.change.as_ref().map(|c| c.cutoff.to_string()),
            seconds_to_deny: r
                .accepted_at
                .filter(|_| r.state.is_in_place())
                .and_then(|at| r.since_activity(at))
                .map(|since| since.as_secs_f64()),
            refused: if r.state.is_in_place() { None } else { r.refused.as_ref() },
            proof: r.proof(),
            rungs: rungs(r),
        }
    }
}
