//! One remediation on the page, and the proof that its entries are in the ledger.

use super::shown::{Shown, nested};
use crate::ledger::Paths;
use crate::ledger::tree::Hash;
use crate::plural::counted;
use crate::remediation::{
    Asked, ChangeMade, InForce, ReleaseRun, describe_in_force, describe_quarantine, span,
};
use crate::report::diff::policy_diff;
use crate::report::finding::known;
use crate::report::remediation::RemediationReport;
use crate::report::scan::ReportError;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fmt::Display;

#[derive(Template)]
#[template(path = "report/remediation.html")]
pub(super) struct RemediationPage<'a> {
    s: &'a RemediationReport,
    opened: String,
    to_deny: String,
    in_force: String,
    details: Vec<(&'static str, String)>,
    changes: Vec<Diffed<'a>>,
    steps: Vec<StepRow>,
    impact: Vec<(String, Vec<String>)>,
    aftercare: Vec<(String, Vec<String>)>,
    proof: Proof,
}

struct Diffed<'a> {
    name: &'a str,
    outcome: String,
    arn: &'a str,
    entry: i64,
    /// The cutoff, or that there is none.
    until: String,
    key: &'a str,
    note: &'a str,
    diff: Vec<(&'static str, String)>,
}

struct StepRow {
    entry: String,
    time: String,
    after: String,
    text: String,
}

/// The ways of all entries of a incident to the root. They share most of it.
#[derive(Default)]
pub(super) struct Proof {
    size: u64,
    /// The entry, its leaf hash, and which hashes are on its way, from the leaf upwards.
    entries: Vec<(i64, String, String)>,
    nodes: Vec<(usize, String)>,
}

impl<'a> RemediationPage<'a> {
    pub fn of(incident: &'a RemediationReport, proof: Proof) -> Self {
        Self {
            s: incident,
            opened: Shown::time(&incident.decision.at),
            to_deny: incident.seconds_to_deny.map(span).unwrap_or_default(),
            in_force: incident.in_force.as_ref().map(InForce::percent).unwrap_or_default(),
            details: details(incident),
            changes: incident.changes.iter().map(diffed).collect(),
            steps: steps(incident),
            impact: incident.impact.as_ref().map(|impact| nested(&impact.lines)).unwrap_or_default(),
            aftercare: nested(&incident.aftercare),
            proof,
        }
    }
}

impl Proof {
    /// Of the entries of a incident among the first `size`, which are signed for.
    pub fn of(incident: &RemediationReport, size: u64, paths: &Paths<'_>) -> Result<Self, ReportError> {
        let mut proof = Self { size, ..Self::default() };
        let mut numbers: HashMap<Hash, usize> = HashMap::new();
        for seq in incident.entries().into_iter().filter(|seq| seq.unsigned_abs() <= size) {
            let (leaf, path) = paths.of(seq)?;
            let mut way = Vec::with_capacity(path.len());
            for node in path {
                let next = numbers.len() + 1;
                let number = *numbers.entry(node).or_insert_with(|| {
                    proof.nodes.push((next, BASE64.encode(node)));
                    next
                });
                way.push(number.to_string());
            }
            proof.entries.push((seq, BASE64.encode(leaf), way.join(" ")));
        }
        Ok(proof)
    }
}

fn details(incident: &RemediationReport) -> Vec<(&'static str, String)> {
    let (finding, evidence) = (&incident.finding, &incident.finding.evidence);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let from = [
        finding.remote_ip(),
        known(evidence.remote_organization.as_ref()),
        known(evidence.remote_country.as_ref()),
    ];
    let mut from: Vec<String> = from.into_iter().flatten().map(str::to_owned).collect();
    // The victim's own account says nothing of where the thief is.
    let account = known(evidence.remote_account.as_ref()).filter(|account| *account != incident.account);
    from.extend(account.map(|account| format!("account {account}")));
    let refused = incident.refused().map(|one| one.what.reason.clone());
    let drift = incident.drifts.last().map(|one| format!("{} {}", Shown::time(&one.at), one.what));
    let recurrence = incident.recurrence.as_ref();
    let recurrence = recurrence.map(|one| format!("{} of {}", spaced(one.sign), one.of));
    let also_for = (incident.also_for > 0).then(|| incident.also_for.to_string());
    let order = finding.cause.order();
    let all = [
        ("finding", format!("{} in {}", finding.id, finding.region)),
        ("type", finding.finding_type.clone()),
        ("ordered by", order.map(|order| order.from.to_string()).unwrap_or_default()),
        (if order.is_some() { "reason" } else { "title" }, text(known(finding.title.as_ref()))),
        ("severity", finding.severity.map(|one| one.to_string()).unwrap_or_default()),
        ("last activity", Shown::time(&finding.last_activity)),
        ("access key", text(finding.access_key())),
        ("session", text(finding.principal_id())),
        ("only this session", text(incident.session.as_deref())),
        ("used from", from.join(", ")),
        ("call seen", text(known(evidence.api.as_ref()))),
        ("instance", text(finding.instance())),
        ("also for later occurrences", also_for.unwrap_or_default()),
        ("decision", format!("{}: {}", incident.decision.verdict, incident.decision.reason)),
        ("rule", text(incident.decision.rule.as_deref())),
        ("opt-outs", incident.decision.opt_outs.join(", ")),
        ("recurring", recurrence.unwrap_or_default()),
        ("asked", incident.held.last().map(asked).unwrap_or_default()),
        ("refused", refused.unwrap_or_default()),
        ("removed", drift.unwrap_or_default()),
        ("in force", incident.in_force.as_ref().map(describe_in_force).unwrap_or_default()),
        ("quarantine", incident.quarantine().map(describe_quarantine).unwrap_or_default()),
        ("opened and made", opened_and_made(incident)),
        ("release", incident.releases.last().map(released).unwrap_or_default()),
        ("superseded by", text(incident.superseded_by.as_deref())),
    ];
    let said = all.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name, Shown::text(&text))).collect()
}

/// How much of it there is: the incident has all of it.
fn opened_and_made(remediation: &RemediationReport) -> String {
    match remediation.activities.iter().filter(|one| one.worked()).count() {
        0 => String::new(),
        count => format!("{} that matter: incident {}", counted(count, "call"), remediation.incident),
    }
}

fn asked(asked: &Asked) -> String {
    let Some(end) = &asked.ended else {
        return format!("asked since {}: {}", Shown::time(&asked.since), asked.reason);
    };
    let (by, reason) = end.answer.as_ref().map_or(("–", ""), |answer| (&answer.by, &answer.reason));
    format!("{} {} by {by}: {reason}", spaced(end.how), Shown::time(&end.at))
}

fn released(release: &ReleaseRun) -> String {
    let done = match (&release.done_at, &release.not_done) {
        (Some(at), _) => format!("done {}", Shown::time(at)),
        (None, Some(why)) => format!("not done: {why}"),
        (None, None) => "not done yet".to_owned(),
    };
    let answer = &release.asked.answer;
    format!("requested by {}: {} ({done})", answer.by, answer.reason)
}

/// A name in words.
fn spaced(name: impl Display) -> String {
    name.to_string().replace('_', " ")
}

fn diffed(made: &ChangeMade) -> Diffed<'_> {
    let class = |sign| match sign {
        '-' => "del",
        '+' => "add",
        _ => "same",
    };
    let change = &made.change;
    let key = change.key.as_ref().filter(|key| key.was_active);
    let diff = policy_diff(change.before.as_deref(), Some(&change.after)).into_iter();
    Diffed {
        name: &change.policy_name,
        outcome: spaced(made.outcome),
        arn: &change.arn,
        entry: made.entry,
        until: if change.is_timeless() {
            "until it is released".to_owned()
        } else {
            format!("cutoff {}", Shown::time(&change.cutoff.time()))
        },
        key: key.map_or("", |key| &key.id),
        note: change.note.as_deref().unwrap_or_default(),
        diff: diff.map(|(sign, line)| (class(sign), format!("{sign} {line}"))).collect(),
    }
}

fn steps(incident: &RemediationReport) -> Vec<StepRow> {
    let finding = &incident.finding;
    let row = |entry: i64, at: &Timestamp, text: &str| StepRow {
        entry: if entry > 0 { entry.to_string() } else { String::new() },
        time: Shown::time(at),
        after: incident.since_activity(*at).map_or_else(String::new, |since| span(since.as_secs_f64())),
        text: Shown::text(text),
    };
    let mut rows = vec![
        row(0, &finding.last_activity, finding.cause.beginning()),
        row(finding.entry, &finding.seen_at, "the finding is recorded"),
    ];
    rows.extend(incident.steps.iter().map(|step| row(step.entry, &step.at, &step.text)));
    rows
}
