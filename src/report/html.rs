//! HTML: one page for people, by itself. Nothing is loaded, and nothing in it runs.
//!
//! The templates are in `templates/report/`. They escape what they show, and what they give passes
//! [`Cleaned`].

use super::safe::Cleaned;
use super::scan::Prepared;
use super::story::{Story, Written};
use super::summary::{Part, Spread};
use super::{Head, ReportError, Sheet, Summary};
use crate::ledger::Paths;
use crate::ledger::tree::Hash;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;

const STYLE: &str = include_str!("../../templates/report/style.css");

/// So many days are shown one by one; more are shown by month.
const DAYS: usize = 62;

/// So many accounts and units are listed, those with the most decisions.
const LISTED: usize = 50;

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

#[derive(Default)]
struct Chart {
    heading: &'static str,
    description: String,
    width: usize,
    bar_width: usize,
    ticks: Vec<Tick>,
    bars: Vec<DayBar>,
}

struct Tick {
    y: String,
    text_y: String,
    label: String,
}

struct DayBar {
    x: usize,
    middle: usize,
    label: String,
    parts: Vec<DayPart>,
}

struct DayPart {
    class: &'static str,
    y: String,
    height: String,
    title: String,
}

struct Bar {
    label: &'static str,
    class: &'static str,
    count: u64,
    y: usize,
    text_y: usize,
    text_x: String,
    width: String,
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
    let share =
        summary.coverage.share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
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
    let again: u64 = summary.recurrences.values().sum();
    let again = if again > 0 { format!("{again} recurring") } else { String::new() };
    vec![
        kpi("findings decided", summary.decisions, beside.join(", ")),
        kpi("acted: deny seen in place", summary.acted, again),
        Kpi {
            label: "coverage",
            value: share,
            note: format!("{} of {}", summary.coverage.acted, summary.coverage.actionable),
            class: "",
        },
        Kpi {
            label: "finding to deny, median",
            value: summary.seconds_to_deny.map_or_else(|| "–".to_owned(), |one| short(one.median)),
            note: String::new(),
            class: "",
        },
        kpi("held", of("hold"), String::new()),
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

/// A count as a length.
#[allow(clippy::cast_precision_loss)] // it is drawn
fn scaled(count: u64, most: u64, length: f64) -> f64 {
    if most == 0 { 0.0 } else { count as f64 / most as f64 * length }
}

fn chart(by_day: &BTreeMap<String, Part>) -> Chart {
    let mut periods: BTreeMap<&str, Part> = BTreeMap::new();
    let by_month = by_day.len() > DAYS;
    for (day, part) in by_day {
        let name = if by_month { day.get(..7).unwrap_or(day) } else { day };
        let sum = periods.entry(name).or_default();
        sum.decisions += part.decisions;
        sum.acted += part.acted;
        sum.not_acted += part.not_acted;
        sum.observed += part.observed;
        sum.skipped += part.skipped;
    }
    let heading = if by_month { "Decisions by month (UTC)" } else { "Decisions by day (UTC)" };
    let most = periods.values().map(|part| part.decisions).max().unwrap_or(0);
    let bar_width = if periods.len() > 31 { 14 } else { 26 };
    let step = bar_width + 8;
    // A label needs more room than a bar.
    let labelled = 52_usize.div_ceil(step);
    let bars: Vec<DayBar> = periods
        .iter()
        .enumerate()
        .map(|(index, (name, part))| {
            let x = 42 + index * step;
            let mut y = 150.0;
            let parts = [
                ("acted", part.acted),
                ("not_acted", part.not_acted),
                ("observed", part.observed),
                ("skipped", part.skipped),
            ];
            let parts = parts
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(class, count)| {
                    let height = scaled(count, most, 130.0);
                    y -= height;
                    let title = format!("{name}: {count} {}", class.replace('_', " "));
                    DayPart { class, y: format!("{y:.1}"), height: format!("{height:.1}"), title }
                })
                .collect();
            let short = name.get(if by_month { 0..7 } else { 5..10 }).unwrap_or(name);
            let label = if index % labelled == 0 { short.to_owned() } else { String::new() };
            DayBar { x, middle: x + bar_width / 2, label, parts }
        })
        .collect();
    let ticks = if most == 1 { vec![1] } else { vec![most.div_ceil(2), most] };
    let ticks = ticks
        .into_iter()
        .map(|count| {
            let y = 150.5 - scaled(count, most, 130.0);
            Tick { y: format!("{y:.1}"), text_y: format!("{:.1}", y + 4.0), label: count.to_string() }
        })
        .collect();
    let description = periods
        .iter()
        .map(|(name, part)| {
            format!(
                "{name}: {} acted, {} not acted, {} observed, {} skipped",
                part.acted, part.not_acted, part.observed, part.skipped
            )
        })
        .collect::<Vec<_>>()
        .join("; ");
    Chart { heading, description, width: (periods.len() * step + 60).max(320), bar_width, ticks, bars }
}

fn rungs(summary: &Summary) -> Vec<Bar> {
    let most = summary.rungs.values().copied().max().unwrap_or(0);
    let all = ["enforced", "simulated", "present", "accepted", "none"];
    let bars = all.iter().filter(|_| most > 0).enumerate().map(|(index, label)| {
        let count = summary.rungs.get(*label).copied().unwrap_or(0);
        let width = scaled(count, most, 190.0);
        let class = match *label {
            "none" => "skipped",
            "accepted" => "observed",
            _ => "acted",
        };
        let y = index * 24 + 3;
        Bar {
            label,
            class,
            count,
            y,
            text_y: y + 12,
            text_x: format!("{:.1}", 92.0 + width),
            width: format!("{width:.1}"),
        }
    });
    bars.collect()
}

fn reasons(summary: &Summary) -> Vec<(&'static str, &str, u64)> {
    let mut all = Vec::new();
    for (verdict, counts) in [
        ("held", &summary.held_by_reason),
        ("observed", &summary.observed_by_reason),
        ("skipped", &summary.skipped_by_reason),
    ] {
        all.extend(counts.iter().map(|(reason, count)| (verdict, reason.as_str(), *count)));
    }
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
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn diffed(change: &Written) -> Diffed<'_> {
    let lines = |policy: &str| super::policy_lines(policy);
    let (before, after) = (change.before.as_deref().map(lines).unwrap_or_default(), lines(&change.after));
    let diff = TextDiff::from_lines(&before, &after)
        .iter_all_changes()
        .map(|one| {
            let (class, sign) = match one.tag() {
                ChangeTag::Delete => ("del", '-'),
                ChangeTag::Insert => ("add", '+'),
                ChangeTag::Equal => ("same", ' '),
            };
            (class, format!("{sign} {}", one.value().trim_end_matches('\n')))
        })
        .collect();
    Diffed {
        name: &change.policy_name,
        outcome: change.outcome.replace('_', " "),
        arn: &change.arn,
        entry: change.entry,
        cutoff: Page::time(&change.cutoff),
        key: change.deactivated_key.as_deref().unwrap_or_default(),
        note: change.note.as_deref().unwrap_or_default(),
        diff,
    }
}

fn steps(story: &Story) -> Vec<StepRow> {
    let finding = &story.finding;
    let row = |entry: i64, at: &Timestamp, text: String| StepRow {
        entry: if entry > 0 { entry.to_string() } else { String::new() },
        time: Page::time(at),
        after: finding
            .last_activity
            .map_or_else(String::new, |last| short(at.duration_since(last).as_secs_f64())),
        text,
    };
    let mut rows = Vec::new();
    rows.extend(finding.last_activity.map(|at| row(0, &at, "last activity that GuardDuty saw".to_owned())));
    rows.extend(finding.seen_at.map(|at| row(finding.entry, &at, "the finding is recorded".to_owned())));
    rows.extend(story.steps.iter().map(|step| row(step.entry, &step.at, step.text.clone())));
    rows
}
