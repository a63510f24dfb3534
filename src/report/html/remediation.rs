//! One remediation on the page, and the proof that its entries are in the ledger.

use super::shown::{Shown, short};
use crate::ledger::Paths;
use crate::ledger::tree::Hash;
use crate::report::diff::policy_diff;
use crate::report::scan::ReportError;
use crate::report::story::{Story, Written};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "report/story.html")]
pub(super) struct StoryPage<'a> {
    s: &'a Story,
    opened: String,
    to_deny: String,
    facts: Vec<(&'static str, String)>,
    changes: Vec<Diffed<'a>>,
    steps: Vec<StepRow>,
    proof: Proof,
}

struct Diffed<'a> {
    name: &'a str,
    outcome: String,
    arn: &'a str,
    entry: i64,
    cutoff: String,
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

/// The ways of all entries of a story to the root. They share most of it.
#[derive(Default)]
pub(super) struct Proof {
    size: u64,
    /// The entry, its leaf hash, and which hashes are on its way, from the leaf upwards.
    entries: Vec<(i64, String, String)>,
    nodes: Vec<(usize, String)>,
}

impl<'a> StoryPage<'a> {
    pub fn of(story: &'a Story, proof: Proof) -> Self {
        Self {
            s: story,
            opened: story.decision.at.as_ref().map(Shown::time).unwrap_or_default(),
            to_deny: story.seconds_to_deny.map(short).unwrap_or_default(),
            facts: facts(story),
            changes: story.changes.iter().map(diffed).collect(),
            steps: steps(story),
            proof,
        }
    }
}

impl Proof {
    /// Of the entries of a story among the first `size`, which are signed for.
    pub fn of(story: &Story, size: u64, paths: &Paths<'_>) -> Result<Self, ReportError> {
        let mut proof = Self { size, ..Self::default() };
        let mut numbers: HashMap<Hash, usize> = HashMap::new();
        for seq in story.entries().into_iter().filter(|seq| seq.unsigned_abs() <= size) {
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

fn facts(story: &Story) -> Vec<(&'static str, String)> {
    let finding = &story.finding;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let from =
        [&finding.remote_ip, &finding.remote_organization, &finding.remote_country, &finding.remote_account];
    let from: Vec<&str> = from.into_iter().filter_map(|one| one.as_deref()).collect();
    let held = story.held.last().map(|held| {
        let by = held.by.as_deref().unwrap_or("–");
        let answer = held.answer.as_deref().unwrap_or_default();
        match (&held.ended, held.until) {
            (Some(how), Some(at)) => format!("{how} {} by {by}: {answer}", Shown::time(&at)),
            _ => format!("asked since {}: {}", Shown::time(&held.since), held.reason),
        }
    });
    let refused = story.refusals.last().filter(|_| !story.acted).map(|one| one.reason.clone());
    let released = story.releases.last().map(|one| {
        let done = match (&one.done_at, &one.not_done) {
            (Some(at), _) => format!("done {}", Shown::time(at)),
            (None, Some(why)) => format!("not done: {why}"),
            (None, None) => "not done yet".to_owned(),
        };
        format!("asked for by {}: {} ({done})", one.by, one.reason)
    });
    let drift = story.drifts.last().map(|one| format!("{} {}", Shown::time(&one.at), one.what));
    let recurrence =
        story.recurrence.as_ref().map(|one| format!("{} of {}", one.sign.replace('_', " "), one.of));
    let all = [
        ("finding", format!("{} in {}", finding.id, finding.region)),
        ("type", finding.finding_type.clone()),
        ("title", text(&finding.title)),
        ("severity", finding.severity.map(|one| one.to_string()).unwrap_or_default()),
        ("last activity", finding.last_activity.as_ref().map(Shown::time).unwrap_or_default()),
        ("access key", text(&finding.access_key)),
        ("session", text(&finding.principal_id)),
        ("only this session", text(&story.session)),
        ("used from", from.join(", ")),
        ("call seen", text(&finding.api)),
        ("instance", text(&finding.instance)),
        (
            "also for later occurrences",
            if story.also_for > 0 { story.also_for.to_string() } else { String::new() },
        ),
        ("decision", format!("{}: {}", story.decision.verdict, story.decision.reason)),
        ("rule", text(&story.decision.rule)),
        ("opt-outs", story.decision.opt_outs.join(", ")),
        ("recurring", recurrence.unwrap_or_default()),
        ("asked", held.unwrap_or_default()),
        ("refused", refused.unwrap_or_default()),
        ("taken away", drift.unwrap_or_default()),
        ("release", released.unwrap_or_default()),
        ("superseded by", text(&story.superseded_by)),
    ];
    let said = all.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name, Shown::text(&text))).collect()
}

fn diffed(change: &Written) -> Diffed<'_> {
    let class = |sign| match sign {
        '-' => "del",
        '+' => "add",
        _ => "same",
    };
    let diff = policy_diff(change.before.as_deref(), Some(&change.after)).into_iter();
    Diffed {
        name: &change.policy_name,
        outcome: change.outcome.replace('_', " "),
        arn: &change.arn,
        entry: change.entry,
        cutoff: Shown::time(&change.cutoff),
        key: change.deactivated_key.as_deref().unwrap_or_default(),
        note: change.note.as_deref().unwrap_or_default(),
        diff: diff.map(|(sign, line)| (class(sign), format!("{sign} {line}"))).collect(),
    }
}

fn steps(story: &Story) -> Vec<StepRow> {
    let finding = &story.finding;
    let row = |entry: i64, at: &Timestamp, text: &str| StepRow {
        entry: if entry > 0 { entry.to_string() } else { String::new() },
        time: Shown::time(at),
        after: finding.since_activity(*at).map_or_else(String::new, |since| short(since.as_secs_f64())),
        text: Shown::text(text),
    };
    let mut rows = Vec::new();
    rows.extend(finding.last_activity.map(|at| row(0, &at, "last activity that GuardDuty saw")));
    rows.extend(finding.seen_at.map(|at| row(finding.entry, &at, "the finding is recorded")));
    rows.extend(story.steps.iter().map(|step| row(step.entry, &step.at, &step.text)));
    rows
}
