//! The head of the page: what the report is about, and the figures.

use super::chart::{Bar, Chart, chart, rungs};
use super::figures::{Kpi, SpreadRow, kpis, reasons, spreads};
use super::shown::Shown;
use crate::remediation::span;
use crate::report::glance::{GLANCE, Glance};
use crate::report::head::Head;
use crate::report::open_item::OpenItem;
use crate::report::summary::{Part, Summary};
use crate::report::tally::{SEVERITIES, Tally, Week, severity_word};
use askama::Template;
use jiff::Timestamp;
use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../templates/report/style.css");

/// Maximum number of accounts and units that are listed: those with the most decisions.
const LISTED: usize = 50;

/// Maximum number of weeks in the table of the trend: the latest.
const WEEKS: usize = 26;

#[derive(Template)]
#[template(path = "report/head.html")]
pub(super) struct HeadPage<'a> {
    style: &'static str,
    period: String,
    about: String,
    tone: &'static str,
    attention: u64,
    items: Vec<Item<'a>>,
    kpis: Vec<Kpi>,
    spreads: Vec<SpreadRow>,
    summary: &'a Summary,
    chart: Chart,
    weeks: Vec<(&'a str, &'a Week)>,
    weeks_more: usize,
    glance: Vec<Row<'a>>,
    rungs: Vec<Bar>,
    rungs_height: usize,
    rungs_description: String,
    reasons: Vec<(&'static str, String, u64)>,
    groups: Vec<Group<'a>>,
    tallies: Vec<Tallied<'a>>,
}

/// What needs attention.
struct Item<'a> {
    one: &'a OpenItem,
    account: String,
    severity: &'static str,
    waits: String,
}

/// A remediation in the table.
struct Row<'a> {
    one: &'a Glance,
    decided: String,
    account: String,
    to_deny: String,
    in_force: String,
}

/// Remediations by something.
struct Tallied<'a> {
    heading: &'static str,
    what: &'static str,
    rows: Vec<(&'a str, &'a Tally)>,
    more: usize,
}

struct Group<'a> {
    heading: &'static str,
    what: &'static str,
    rows: Vec<(&'a str, &'a Part)>,
    more: usize,
}

impl<'a> HeadPage<'a> {
    pub fn of(head: &Head, summary: &'a Summary, known: Timestamp) -> Self {
        let rungs = rungs(summary);
        let weeks_more = summary.by_week.len().saturating_sub(WEEKS);
        let glance = if summary.glance.len() > GLANCE { &[][..] } else { &summary.glance };
        Self {
            style: STYLE,
            period: period(head),
            about: about(head, known),
            tone: match &summary.verdict {
                verdict if verdict.needs_attention() => "bad",
                verdict if verdict.is_open() => "warn",
                _ => "good",
            },
            attention: summary.needs_person.len() as u64 + summary.needs_person_more,
            items: summary.needs_person.iter().map(|one| item(one, head.generated_at)).collect(),
            kpis: kpis(summary),
            spreads: spreads(summary),
            chart: chart(&summary.by_day),
            weeks: summary.by_week.iter().skip(weeks_more).map(|(day, week)| (day.as_str(), week)).collect(),
            weeks_more,
            glance: glance.iter().map(row).collect(),
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
            tallies: vec![
                tallied("By severity", "severity", &summary.by_severity, |name| {
                    SEVERITIES.iter().position(|one| *one == name).unwrap_or(SEVERITIES.len()) as u64
                }),
                tallied("By type of finding", "type", &summary.by_finding_type, |name| {
                    u64::MAX - summary.by_finding_type.get(name).map_or(0, |tally| tally.remediations)
                }),
            ]
            .into_iter()
            .filter(|tallied| !tallied.rows.is_empty())
            .collect(),
            summary,
        }
    }
}

fn item(one: &OpenItem, now: Timestamp) -> Item<'_> {
    Item {
        account: Shown::account(&one.account, one.account_name.as_deref()),
        severity: severity_word(one.severity),
        waits: span(now.duration_since(one.since).as_secs_f64().max(0.0)),
        one,
    }
}

fn row(one: &Glance) -> Row<'_> {
    Row {
        decided: one.decided_at.strftime("%Y-%m-%d %H:%MZ").to_string(),
        account: Shown::account(&one.account, one.account_name.as_deref()),
        to_deny: one.seconds_to_deny.map_or_else(|| "–".to_owned(), span),
        in_force: one.in_force.clone().unwrap_or_else(|| "–".to_owned()),
        one,
    }
}

fn tallied<'a>(
    heading: &'static str,
    what: &'static str,
    tallies: &'a BTreeMap<String, Tally>,
    order: impl Fn(&str) -> u64,
) -> Tallied<'a> {
    let mut rows: Vec<(&str, &Tally)> = tallies.iter().map(|(name, tally)| (name.as_str(), tally)).collect();
    rows.sort_by_key(|(name, _)| order(name));
    let more = rows.len().saturating_sub(LISTED);
    rows.truncate(LISTED);
    Tallied { heading, what, rows, more }
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

fn about(head: &Head, known: Timestamp) -> String {
    let selection = &head.selection;
    let accounts: Vec<String> = selection.accounts.iter().map(ToString::to_string).collect();
    let mut parts = Vec::new();
    let states: Vec<String> = selection.states.iter().map(ToString::to_string).collect();
    let proofs: Vec<String> = selection.proofs.iter().map(ToString::to_string).collect();
    for (what, some) in [
        ("account", &accounts),
        ("organizational unit", &selection.ous),
        ("state", &states),
        ("proof", &proofs),
        ("remediation", &selection.remediations),
    ] {
        if !some.is_empty() {
            parts.push(format!("{what} {}", some.join(", ")));
        }
    }
    let only = if parts.is_empty() { String::new() } else { format!("Only {}. ", parts.join("; ")) };
    format!(
        "{only}Made {} from {} entries of the ledger, the last of {}.",
        Shown::time(&head.generated_at),
        head.entries,
        Shown::time(&known)
    )
}

fn group<'a>(heading: &'static str, what: &'static str, parts: &'a BTreeMap<String, Part>) -> Group<'a> {
    let mut rows: Vec<(&str, &Part)> = parts.iter().map(|(name, part)| (name.as_str(), part)).collect();
    rows.sort_by_key(|(_, part)| std::cmp::Reverse(part.decisions));
    let more = rows.len().saturating_sub(LISTED);
    rows.truncate(LISTED);
    Group { heading, what, rows, more }
}
