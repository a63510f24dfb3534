//! The head of the page: what the report is about, and the figures.

use super::chart::{Bar, Chart, chart, rungs};
use super::shown::Shown;
use crate::plural::counted;
use crate::remediation::{InForceTotal, State, VerdictName, span};
use crate::report::head::Head;
use crate::report::summary::{Part, Spread, Summary};
use askama::Template;
use jiff::Timestamp;
use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../templates/report/style.css");

/// Maximum number of accounts and units that are listed: those with the most decisions.
const LISTED: usize = 50;

#[derive(Template)]
#[template(path = "report/head.html")]
pub(super) struct HeadPage<'a> {
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

impl<'a> HeadPage<'a> {
    pub fn of(head: &Head, summary: &'a Summary) -> Self {
        let rungs = rungs(summary);
        Self {
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
        }
    }
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
    format!("{only}Made {} from {} entries of the ledger.", Shown::time(&head.generated_at), head.entries)
}

fn kpis(summary: &Summary) -> Vec<Kpi> {
    let kpi = |label, count: u64, note: String| Kpi { label, value: count.to_string(), note, class: "" };
    let of = |verdict| summary.by_verdict.get(&verdict).copied().unwrap_or(0);
    let rate = &summary.remediation_rate;
    let share = rate.share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
    let in_force = summary.in_force.as_ref();
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
            label: "denies in force",
            value: in_force.map_or_else(|| "–".to_owned(), InForceTotal::percent),
            note: in_force.map_or_else(String::new, |one| {
                format!("of the time since the first put; {}", counted(one.gaps, "gap"))
            }),
            class: bad(in_force.map_or(0, |one| one.gaps)),
        },
        Kpi {
            label: "finding to deny, median",
            value: summary.seconds_to_deny.map_or_else(|| "–".to_owned(), |one| span(one.median)),
            note: not_timed,
            class: "",
        },
        kpi("held now", summary.by_state.get("held").copied().unwrap_or(0), String::new()),
        kpi("observed", of(VerdictName::Observe), String::new()),
        kpi("skipped", of(VerdictName::Skip), String::new()),
        Kpi { class: bad(summary.failed), ..kpi("failed", summary.failed, String::new()) },
        Kpi { class: bad(needs), ..kpi("need a person", needs, String::new()) },
    ]
}

fn spread(label: &'static str, spread: Option<Spread>) -> SpreadRow {
    let text = |of: fn(Spread) -> f64| spread.map_or_else(|| "–".to_owned(), |one| span(of(one)));
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
        ("no rule is for it", &summary.without_rule),
    ] {
        all.extend(counts.iter().map(|(reason, count)| (verdict, reason.as_str(), *count)));
    }
    let is_undone = |state: &State| {
        !matches!(state, State::Held | State::DoneByHand | State::Superseded)
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
