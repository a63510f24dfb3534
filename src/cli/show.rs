//! `rescind show ID`: a remediation with its whole story.

use super::Exit;
use super::exit::BadInput;
use super::output::{BAD, BOLD, DIM, GOOD, Screen, clean, short, styled, table, utc, when};
use super::summary::{RemediationLine, label};
use crate::aws::{CallRecord, CallResult};
use crate::config::Config;
use crate::ledger::{Entry, Event, Reader, Remediation};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A remediation's id or its beginning, or a finding's id.
    id: String,
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let ids = reader.matching(&args.id)?;
    let id = match ids.as_slice() {
        [id] => id,
        [] => {
            let text = format!("no remediation matches {:?}: `rescind list` names them", args.id);
            return Err(BadInput(text).into());
        }
        several => {
            let text = format!("{:?} matches several remediations: {}", args.id, several.join(", "));
            return Err(BadInput(text).into());
        }
    };
    let remediation = reader.remediation(id)?;
    let entries = reader.entries_of(id)?;
    screen.json(&serde_json::json!({
        "remediation": RemediationLine::from(&remediation), "finding": remediation.finding,
        "change": remediation.change, "entries": entries,
    }))?;
    if screen.is_text() {
        head(&remediation, screen);
        policy(&remediation, screen);
        timeline(&remediation, &entries, screen);
        aftercare(&remediation, screen);
    }
    Ok(Exit::Done)
}

fn head(r: &Remediation, screen: &Screen) {
    let (finding, evidence) = (&r.finding, &r.finding.evidence);
    let row = |name: &str, text: String| {
        if !text.is_empty() {
            screen.line(format!("  {:<14}{}", name, clean(&text)));
        }
    };
    screen.line(format!("{}  {}", styled(BOLD, &r.id), label(r.state)));
    row("role", format!("{} in {}", r.target.role, r.target.account));
    row("finding", format!("{} ({})", finding.id, finding.region));
    row("type", finding.finding_type.clone());
    let principal = finding.principal.as_ref();
    row("access key", principal.and_then(|p| p.access_key_id.clone()).unwrap_or_default());
    row("session", principal.and_then(|p| p.principal_id.clone()).unwrap_or_default());
    row(
        "used from",
        [&evidence.remote_ip, &evidence.remote_organization, &evidence.remote_country]
            .map(|o| o.as_deref().unwrap_or_default())
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
    );
    row("call seen", evidence.api.clone().unwrap_or_default());
    row("last seen", when(finding.last_seen()));
    if let Some(change) = &r.change {
        row("cutoff", change.cutoff.to_string());
    }
    if let (Some(accepted), true) = (r.accepted_at, r.state.is_in_place()) {
        row("deny after", short(accepted.duration_since(finding.last_seen())));
    }
    if let Some(proof) = &r.proof {
        row("proof", proof_text(proof));
    }
    if let (Some(refused), false) = (&r.refused, r.state.is_in_place()) {
        row("refused", refused.reason.clone());
        row("to do", refused.what_to_do.clone());
    }
}

fn proof_text(proof: &crate::remedy::Proof) -> String {
    let mut text = proof.rung.to_string();
    if let (Some(old), Some(new)) = (&proof.old_token, &proof.new_token) {
        text = format!("{text}: the simulator says {old} to an old token, {new} to a new one");
    }
    if let Some(note) = &proof.note {
        text = format!("{text} ({note})");
    }
    text
}

fn policy(r: &Remediation, screen: &Screen) {
    let Some(change) = &r.change else { return };
    screen.line(format!(
        "\n{}",
        styled(BOLD, format!("Inline policy {} of {}", change.policy_name, change.role_arn))
    ));
    match &change.before {
        Some(before) => screen.line(styled(BAD, format!("  - {}", clean(before)))),
        None => screen.line(styled(DIM, "  (there was none before)")),
    }
    screen.line(styled(GOOD, format!("  + {}", clean(&change.after))));
}

fn timeline(r: &Remediation, entries: &[Entry], screen: &Screen) {
    screen.line(format!("\n{}", styled(BOLD, "Timeline (UTC)")));
    let mut rows = table(&["entry", "time", "after", "what"]);
    rows.add_row([
        String::new(),
        utc(r.finding.last_seen()),
        String::new(),
        "last activity that GuardDuty saw".to_owned(),
    ]);
    for entry in entries {
        rows.add_row([
            entry.seq.to_string(),
            utc(entry.time),
            short(entry.time.duration_since(r.finding.last_seen())),
            clean(&what(entry)),
        ]);
    }
    screen.line(rows.trim_fmt());
}

fn what(entry: &Entry) -> String {
    match &entry.event {
        Event::Decision { verdict, reason, .. } => format!("decision: {verdict}: {reason}"),
        Event::Intent { change } => format!("intent: deny sessions issued before {}", change.cutoff),
        Event::Accepted { found_in_place: false } => "accepted by AWS".to_owned(),
        Event::Accepted { found_in_place: true } => "accepted: found in place".to_owned(),
        Event::NotApplied { found } => format!("not applied: found {found}"),
        Event::Uncertain { error } => format!("uncertain: {error}"),
        Event::Reopened { by } => format!("tried again, by {by}"),
        Event::Refused(refused) => format!("refused: {}", refused.reason),
        Event::Proof(proof) => format!("proof: {}", proof_text(proof)),
        Event::Call(call) => call_text(call),
        other => other.kind().to_owned(),
    }
}

fn call_text(call: &CallRecord) -> String {
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

fn aftercare(r: &Remediation, screen: &Screen) {
    if !r.state.is_in_place() {
        return;
    }
    let instance = r.finding.evidence.instance_id.as_deref();
    screen.line(format!("\n{}", styled(BOLD, "What to do now")));
    screen.line("  - The source still leaks until it is closed: isolate or stop the instance.");
    if let Some(instance) = instance {
        screen.line(format!(
            "    {} also lost its session. Stop and start it, or associate its profile again, for a fresh one.",
            clean(instance)
        ));
    }
    screen.line("  - Rightful users of the role need a fresh session. The AWS CLI caches the old one:");
    screen.line("      rm -r ~/.aws/cli/cache                       (Linux, macOS)");
    screen.line("      del /s /q %UserProfile%\\.aws\\cli\\cache        (Windows)");
    screen.line(
        "  - Sessions that the thief opened in other roles meanwhile are not revoked: look for AssumeRole",
    );
    screen.line("    by this access key in CloudTrail.");
}
