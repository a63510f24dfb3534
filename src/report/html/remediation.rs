//! One remediation on the page.

use super::prose::Prose;
use super::shown::{Shown, nested};
use crate::plural::counted;
use crate::remediation::{
    Asked, ChangeMade, InForce, ReleaseRun, describe_in_force, describe_quarantine, span,
};
use crate::report::diff::policy_diff;
use crate::report::finding::known;
use crate::report::remediation::{RemediationReport, RungReached};
use crate::report::tally::severity_word;
use crate::report::timeline::Calls;
use askama::Template;
use jiff::Timestamp;
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "report/remediation.html")]
pub(super) struct RemediationPage<'a> {
    s: &'a RemediationReport,
    account: String,
    severity: &'static str,
    calls: String,
    opened: String,
    to_deny: String,
    in_force: String,
    attention: String,
    details: Vec<(&'static str, Prose)>,
    earlier: Vec<Earlier<'a>>,
    changes: Vec<Diffed<'a>>,
    steps: Vec<StepRow>,
    impact: Vec<(Prose, Vec<String>)>,
    aftercare: Vec<Care>,
    /// The remediation at which the same was said before: on paper it is not said again.
    said_at: String,
    /// Where the ids of its calls are.
    has_appendix: bool,
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

/// Rungs of the proof that do not hold any more.
struct Earlier<'a> {
    until: String,
    rungs: Vec<&'a RungReached>,
}

/// What to do after a revocation.
struct Care {
    text: Prose,
    commands: Vec<Command>,
    /// It was said before, at another remediation.
    is_again: bool,
}

/// What was said at which remediation first: most of it is the same for all of them.
#[derive(Debug, Default)]
pub(super) struct Said(HashMap<String, String>);

impl Said {
    /// Maximum number of texts that are remembered.
    const MOST: usize = 200;

    /// Where a text was said before; it is remembered otherwise.
    fn before(&mut self, text: &str, at: &str) -> Option<&str> {
        if !self.0.contains_key(text) {
            if self.0.len() < Self::MOST {
                self.0.insert(text.to_owned(), at.to_owned());
            }
            return None;
        }
        self.0.get(text).map(String::as_str)
    }
}

/// A command, and where it is for.
struct Command {
    line: String,
    note: String,
}

struct StepRow {
    entry: String,
    time: String,
    after: String,
    text: Prose,
}

impl<'a> RemediationPage<'a> {
    pub fn of(incident: &'a RemediationReport, has_appendix: bool, said: &mut Said) -> Self {
        let (aftercare, said_at) = aftercare(incident, said);
        Self {
            s: incident,
            account: Shown::account(&incident.account, incident.account_name.as_deref()),
            severity: severity_word(incident.finding.severity),
            calls: calls(&incident.calls),
            opened: Shown::time(&incident.decision.at),
            to_deny: incident.seconds_to_deny.map(span).unwrap_or_default(),
            in_force: incident.in_force.as_ref().map(|one| in_force(incident, one)).unwrap_or_default(),
            attention: incident
                .attention
                .as_ref()
                .map(|one| format!("since {}: {}", Shown::time(&one.since), one.why))
                .unwrap_or_default(),
            earlier: earlier(incident),
            details: details(incident),
            changes: incident.changes.iter().map(diffed).collect(),
            steps: steps(incident),
            impact: incident.impact.as_ref().map(|impact| nested(&impact.lines)).unwrap_or_default(),
            aftercare,
            said_at,
            has_appendix,
        }
    }
}

fn calls(calls: &Calls) -> String {
    let failed = if calls.failed > 0 { format!(", {} failed", calls.failed) } else { String::new() };
    format!("{}{failed}", counted(calls.count, "AWS call"))
}

/// How long the deny was in force, and for which share of the time if there were gaps.
fn in_force(report: &RemediationReport, one: &InForce) -> String {
    let share = if one.gaps.is_empty() { String::new() } else { format!(" ({} of the time)", one.percent()) };
    format!("in force: {}{share}", report.in_force_words().unwrap_or_default())
}

/// What was proved before, by what ended it.
fn earlier(report: &RemediationReport) -> Vec<Earlier<'_>> {
    let mut all: Vec<Earlier<'_>> = Vec::new();
    for one in &report.earlier_rungs {
        let what = match one.ended_by.as_str() {
            "undone" | "undoing" | "release_asked" => "until it was taken away",
            "drift" => "until the deny was found gone or altered",
            "intent" => "until the deny was written anew",
            _ => "until",
        };
        let until = format!("{what}, {}", Shown::time(&one.ended_at));
        match all.last_mut().filter(|last| last.until == until) {
            Some(last) => last.rungs.push(&one.rung),
            None => all.push(Earlier { until, rungs: vec![&one.rung] }),
        }
    }
    all
}

/// What to do, and where the same was said before.
fn aftercare(report: &RemediationReport, said: &mut Said) -> (Vec<Care>, String) {
    let at = format!("{} ({})", report.who(), report.remediation);
    let mut said_at = String::new();
    let cares = nested(&report.aftercare).into_iter().map(|(text, below)| {
        let before = said.before(text.as_str(), &at);
        if let Some(before) = before.filter(|_| said_at.is_empty()) {
            before.clone_into(&mut said_at);
        }
        Care { is_again: before.is_some(), text, commands: below.into_iter().map(command).collect() }
    });
    (cares.collect(), said_at)
}

/// A command, with what stands in brackets far behind it.
fn command(line: String) -> Command {
    match line.rsplit_once("   (").and_then(|(line, note)| Some((line, note.strip_suffix(')')?))) {
        Some((line, note)) => Command { line: line.trim_end().to_owned(), note: note.to_owned() },
        None => Command { line, note: String::new() },
    }
}

fn details(incident: &RemediationReport) -> Vec<(&'static str, Prose)> {
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
    let recurrence = recurrence.map(|one| format!("{} of {}", Shown::spaced(one.sign), one.of));
    let also_for = (incident.also_for > 0).then(|| incident.also_for.to_string());
    let order = finding.cause.order();
    let all = [
        ("finding", format!("{} in {}", finding.id, finding.region)),
        ("type", finding.finding_type.clone()),
        ("ordered by", order.map(|order| order.from.to_string()).unwrap_or_default()),
        (if order.is_some() { "reason" } else { "title" }, text(known(finding.title.as_ref()))),
        (
            "severity",
            finding.severity.map(|one| format!("{one} ({})", severity_word(Some(one)))).unwrap_or_default(),
        ),
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
    said.map(|(name, text)| (name, Shown::prose(&text))).collect()
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
    format!("{} {} by {by}: {reason}", Shown::spaced(end.how), Shown::time(&end.at))
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
        outcome: Shown::spaced(made.outcome),
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
        text: Shown::prose(text),
    };
    let mut rows = vec![
        row(0, &finding.last_activity, finding.cause.beginning()),
        row(finding.entry, &finding.seen_at, "the finding is recorded"),
    ];
    rows.extend(incident.steps.iter().map(|step| row(step.entry, &step.at, &step.text)));
    rows
}
