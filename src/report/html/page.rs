//! HTML: one page for people, by itself. Nothing is loaded, and nothing in it runs.
//!
//! The templates are in `templates/report/`. They escape what they show, and what they give passes
//! [`Cleaned`].

use super::chart::{Bar, Chart, chart, rungs};
use super::diff::{policy_diff, shortened};
use super::scan::Prepared;
use super::story::{Story, Written};
use super::summary::{Part, Spread};
use super::{Head, ReportError, Sheet, Summary};
use crate::ledger::tree::Hash;
use crate::ledger::{Paths, State};
use crate::safe::Cleaned;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;

const STYLE: &str = include_str!("../../templates/report/style.css");

/// So many accounts and units are listed, those with the most decisions.
const LISTED: usize = 50;

/// Maximum number of characters that are shown of one text of a finding, a person or AWS.
const LONGEST: usize = 2_000;

pub(super) struct Page<'a> {
    prepared: &'a Prepared<'a>,
    /// How many entries are signed for, and the ways to that root.
    signed: Option<(u64, Paths<'a>)>,
    archived: u64,
    count: u64,
}

#[derive(Template)]
#[template(path = "report/head.html")]
struct HeadPage<'a> {
    style: &'static str,
    period: String,
    about: String,
    kpis: Vec<Kpi>,
    spreads: Vec<SpreadRow>,
    summary: &'a Summary,
    chart: Chart,
    rungs: Vec<Bar>,
    rungs_height: usize,
    rungs_description: String,
    reasons: Vec<(&'static str, &'a str, u64)>,
    groups: Vec<Group<'a>>,
}

#[derive(Template)]
#[template(path = "report/story.html")]
struct StoryPage<'a> {
    s: &'a Story,
    opened: String,
    to_deny: String,
    facts: Vec<(&'static str, String)>,
    changes: Vec<Diffed<'a>>,
    steps: Vec<StepRow>,
    proof: Proof,
}

#[derive(Template)]
#[template(path = "report/foot.html")]
struct FootPage<'a> {
    count: u64,
    generated: String,
    version: &'a str,
    entries: i64,
    unsigned: u64,
    archived: u64,
    note: &'a str,
}

struct Kpi {
    label: &'static str,
    value: String,
    note: String,
    class: &'static str,
}

struct SpreadRow {
    label: &'static str,
    count: u64,
    median: String,
    p90: String,
    worst: String,
}

struct Group<'a> {
    heading: &'static str,
    what: &'static str,
    rows: Vec<(&'a str, &'a Part)>,
    more: usize,
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
struct Proof {
    size: u64,
    /// The entry, its leaf hash, and which hashes are on its way, from the leaf upwards.
    entries: Vec<(i64, String, String)>,
    nodes: Vec<(usize, String)>,
}

impl<'a> Page<'a> {
    pub fn of(prepared: &'a Prepared<'a>) -> Self {
        let signed =
            prepared.head.checkpoint.as_ref().map(|one| (one.entries, prepared.reader.paths(one.entries)));
        Self { prepared, signed, archived: 0, count: 0 }
    }

    fn proof(&self, story: &Story) -> Result<Proof, ReportError> {
        let Some((size, paths)) = &self.signed else { return Ok(Proof::default()) };
        let mut proof = Proof { size: *size, ..Proof::default() };
        let mut numbers: HashMap<Hash, usize> = HashMap::new();
        for seq in story.entries().into_iter().filter(|seq| seq.unsigned_abs() <= *size) {
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

/// What the templates ask for.
impl Page<'_> {
    fn class(state: &str) -> &'static str {
        match state {
            "present" | "simulated" | "enforced" | "expired" | "retired" | "by_hand" => "acted",
            "held" | "blocked" | "failed" | "lost" | "retrying" | "applying" | "accepted" | "decided" => {
                "not_acted"
            }
            _ => "other",
        }
    }

    fn text(text: &str) -> String {
        shortened(text, LONGEST)
    }

    fn time(time: &Timestamp) -> String {
        time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}

fn render(page: &impl Template, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut cleaned = Cleaned { out, error: None };
    let rendered = page.render_into(&mut cleaned);
    match (rendered, cleaned.error) {
        (_, Some(error)) => Err(error.into()),
        (Err(error), None) => Err(std::io::Error::other(error).into()),
        (Ok(()), None) => Ok(()),
    }
}

impl Sheet for Page<'_> {
    fn begin(
        &mut self,
        head: &Head,
        summary: Option<&Summary>,
        out: &mut dyn Write,
    ) -> Result<(), ReportError> {
        let nothing = Summary::default();
        let summary = summary.unwrap_or(&nothing);
        self.archived = summary.archived;
        let rungs = rungs(summary);
        let page = HeadPage {
            style: STYLE,
            period: period(head),
            about: about(head),
            kpis: kpis(summary),
            spreads: vec![
                spread("finding to deny", summary.seconds_to_deny),
                spread("asked to answered", summary.seconds_to_answer),
            ],
            chart: chart(&summary.by_day),
            rungs_height: rungs.len() * 24,
            rungs_description: rungs
                .iter()
                .map(|bar| format!("{}: {}", bar.label, bar.count))
                .collect::<Vec<_>>()
                .join(", "),
            rungs,
            reasons: reasons(summary),
            groups: vec![
                group("By account", "account", &summary.by_account),
                group("By organizational unit", "unit", &summary.by_ou),
            ]
            .into_iter()
            .filter(|group| !group.rows.is_empty())
            .collect(),
            summary,
        };
        render(&page, out)
    }

    fn one(&mut self, story: &Story, out: &mut dyn Write) -> Result<(), ReportError> {
        self.count += 1;
        let page = StoryPage {
            s: story,
            opened: story.decision.at.as_ref().map(Page::time).unwrap_or_default(),
            to_deny: story.seconds_to_deny.map(short).unwrap_or_default(),
            facts: facts(story),
            changes: story.changes.iter().map(diffed).collect(),
            steps: steps(story),
            proof: self.proof(story)?,
        };
        render(&page, out)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ReportError> {
        let head = &self.prepared.head;
        let signed = head.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.entries);
        let page = FootPage {
            count: self.count,
            generated: Page::time(&head.generated_at),
            version: &head.version,
            entries: head.entries,
            unsigned: head.entries.unsigned_abs().saturating_sub(signed),
            archived: self.archived,
            note: head.checkpoint.as_ref().map_or("", |checkpoint| &checkpoint.note),
        };
        render(&page, out)
    }
}

/// A duration, in seconds.
fn short(seconds: f64) -> String {
    let duration = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
    super::short(duration)
}

fn period(head: &Head) -> String {
    let text = |time: Timestamp| {
        let midnight = time.strftime("%H:%M:%S%.f").to_string() == "00:00:00";
        time.strftime(if midnight { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%SZ" }).to_string()
    };
    match (head.selection.from, head.selection.to) {
        (None, None) => "All of the ledger".to_owned(),
        (Some(from), None) => format!("Since {}", text(from)),
        (None, Some(to)) => format!("Before {}", text(to)),
        (Some(from), Some(to)) => format!("{} to before {}", text(from), text(to)),
    }
}

fn about(head: &Head) -> String {
    let selection = &head.selection;
    let accounts: Vec<String> = selection.accounts.iter().map(ToString::to_string).collect();
    let mut parts = Vec::new();
    for (what, some) in [
        ("account", &accounts),
        ("organizational unit", &selection.ous),
        ("state", &selection.states),
        ("remediation", &selection.remediations),
    ] {
        if !some.is_empty() {
            parts.push(format!("{what} {}", some.join(", ")));
        }
    }
    let only = if parts.is_empty() { String::new() } else { format!("Only {}. ", parts.join("; ")) };
    format!("{only}Made {} from {} entries of the ledger.", Page::time(&head.generated_at), head.entries)
}

fn kpis(summary: &Summary) -> Vec<Kpi> {
    let kpi = |label, count: u64, note: String| Kpi { label, value: count.to_string(), note, class: "" };
    let of = |verdict: &str| summary.by_verdict.get(verdict).copied().unwrap_or(0);
    let rate = &summary.remediation_rate;
    let share = rate.share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
    let bad = |count: u64| if count > 0 { "bad" } else { "" };
    let needs = summary.needs_person.len() as u64 + summary.needs_person_more;
    let beside = [
        (summary.undecided, "undecided"),
        (summary.unreadable, "unreadable"),
        (summary.unconfirmed, "unconfirmed"),
    ];
    let beside: Vec<String> = beside
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let not_timed = match summary.not_timed {
        0 => String::new(),
        count => format!("without {count} that GuardDuty dates after the deny"),
    };
    let again: u64 = summary.recurrences.values().sum();
    let again = if again > 0 { format!("{again} recurring") } else { String::new() };
    vec![
        kpi("findings decided", summary.decisions, beside.join(", ")),
        kpi("acted: deny seen in place", summary.acted, again),
        Kpi {
            label: "remediation rate",
            value: share,
            note: format!("{} of {}", rate.remediated, rate.actionable),
            class: "",
        },
        Kpi {
            label: "finding to deny, median",
            value: summary.seconds_to_deny.map_or_else(|| "–".to_owned(), |one| short(one.median)),
            note: not_timed,
            class: "",
        },
        kpi("held now", summary.by_state.get("held").copied().unwrap_or(0), String::new()),
        kpi("observed", of("observe"), String::new()),
        kpi("skipped", of("skip"), String::new()),
        Kpi { class: bad(summary.failed), ..kpi("failed", summary.failed, String::new()) },
        Kpi { class: bad(needs), ..kpi("need a person", needs, String::new()) },
    ]
}

fn spread(label: &'static str, spread: Option<Spread>) -> SpreadRow {
    let text = |of: fn(Spread) -> f64| spread.map_or_else(|| "–".to_owned(), |one| short(of(one)));
    SpreadRow {
        label,
        count: spread.map_or(0, |one| one.count),
        median: text(|one| one.median),
        p90: text(|one| one.p90),
        worst: text(|one| one.worst),
    }
}

fn reasons(summary: &Summary) -> Vec<(&'static str, &str, u64)> {
    let mut all = Vec::new();
    for (verdict, counts) in [
        ("held now", &summary.held_by_reason),
        ("observed", &summary.observed_by_reason),
        ("skipped", &summary.skipped_by_reason),
    ] {
        all.extend(counts.iter().map(|(reason, count)| (verdict, reason.as_str(), *count)));
    }
    let is_undone = |state: &State| {
        !matches!(state, State::Held | State::ByHand | State::Superseded)
            && !state.is_in_place()
            && !matches!(state, State::Expired | State::Retiring | State::Retired)
            && !matches!(state, State::Releasing | State::Released)
    };
    let undone =
        summary.by_state.iter().filter(|(state, _)| state.parse().is_ok_and(|state| is_undone(&state)));
    all.extend(undone.map(|(state, count)| ("not revoked now", state.as_str(), *count)));
    all
}

fn group<'a>(heading: &'static str, what: &'static str, parts: &'a BTreeMap<String, Part>) -> Group<'a> {
    let mut rows: Vec<(&str, &Part)> = parts.iter().map(|(name, part)| (name.as_str(), part)).collect();
    rows.sort_by_key(|(_, part)| std::cmp::Reverse(part.decisions));
    let more = rows.len().saturating_sub(LISTED);
    rows.truncate(LISTED);
    Group { heading, what, rows, more }
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
            (Some(how), Some(at)) => format!("{how} {} by {by}: {answer}", Page::time(&at)),
            _ => format!("asked since {}: {}", Page::time(&held.since), held.reason),
        }
    });
    let refused = story.refusals.last().filter(|_| !story.acted).map(|one| one.reason.clone());
    let released = story.releases.last().map(|one| {
        let done = match (&one.done_at, &one.not_done) {
            (Some(at), _) => format!("done {}", Page::time(at)),
            (None, Some(why)) => format!("not done: {why}"),
            (None, None) => "not done yet".to_owned(),
        };
        format!("asked for by {}: {} ({done})", one.by, one.reason)
    });
    let drift = story.drifts.last().map(|one| format!("{} {}", Page::time(&one.at), one.what));
    let recurrence =
        story.recurrence.as_ref().map(|one| format!("{} of {}", one.sign.replace('_', " "), one.of));
    let all = [
        ("finding", format!("{} in {}", finding.id, finding.region)),
        ("type", finding.finding_type.clone()),
        ("title", text(&finding.title)),
        ("severity", finding.severity.map(|one| one.to_string()).unwrap_or_default()),
        ("last activity", finding.last_activity.as_ref().map(Page::time).unwrap_or_default()),
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
    said.map(|(name, text)| (name, Page::text(&text))).collect()
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
        cutoff: Page::time(&change.cutoff),
        key: change.deactivated_key.as_deref().unwrap_or_default(),
        note: change.note.as_deref().unwrap_or_default(),
        diff: diff.map(|(sign, line)| (class(sign), format!("{sign} {line}"))).collect(),
    }
}

fn steps(story: &Story) -> Vec<StepRow> {
    let finding = &story.finding;
    let row = |entry: i64, at: &Timestamp, text: &str| StepRow {
        entry: if entry > 0 { entry.to_string() } else { String::new() },
        time: Page::time(at),
        after: finding.since_activity(*at).map_or_else(String::new, |since| short(since.as_secs_f64())),
        text: Page::text(text),
    };
    let mut rows = Vec::new();
    rows.extend(finding.last_activity.map(|at| row(0, &at, "last activity that GuardDuty saw")));
    rows.extend(finding.seen_at.map(|at| row(finding.entry, &at, "the finding is recorded")));
    rows.extend(story.steps.iter().map(|step| row(step.entry, &step.at, &step.text)));
    rows
}
