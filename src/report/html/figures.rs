//! The figures at the head of the page.

use super::shown::Shown;
use crate::plural::counted;
use crate::remediation::{InForceTotal, State, VerdictName, span};
use crate::report::spread::Spread;
use crate::report::summary::Summary;

pub(super) struct Kpi {
    pub label: &'static str,
    pub value: String,
    pub note: String,
    pub class: &'static str,
}

pub(super) struct SpreadRow {
    pub label: &'static str,
    pub count: u64,
    pub median: String,
    pub p90: String,
    pub worst: String,
}

fn bad(count: u64) -> &'static str {
    if count > 0 { "bad" } else { "" }
}

pub(super) fn kpis(summary: &Summary) -> Vec<Kpi> {
    let kpi = |label, value: String, note: String| Kpi { label, value, note, class: "" };
    let of = |verdict| summary.by_verdict.get(&verdict).copied().unwrap_or(0);
    let rate = &summary.remediation_rate;
    let share = rate.share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
    let verdict = &summary.verdict;
    let by = &verdict.by_containment;
    let closed: u64 = by.iter().filter(|(one, _)| one.is_closed()).map(|(_, count)| count).sum();
    let needs = summary.needs_person.len() as u64 + summary.needs_person_more;
    let beside = [
        (summary.undecided, "undecided"),
        (summary.unreadable, "unreadable"),
        (summary.unconfirmed, "unconfirmed"),
    ];
    let beside = beside.iter().filter(|(count, _)| *count > 0);
    let beside: Vec<String> = beside.map(|(count, what)| format!("{count} {what}")).collect();
    let again: u64 = summary.recurrences.values().sum();
    let again = if again > 0 { format!(", {again} recurring") } else { String::new() };
    let (observed, skipped) = (of(VerdictName::Observe), of(VerdictName::Skip));
    let oldest = summary.oldest_unanswered.as_ref();
    let waiting = summary.by_state.get("held").copied().unwrap_or(0);
    vec![
        kpi(
            "thefts",
            verdict.thefts.to_string(),
            format!("{}{again}", counted(summary.remediations, "remediation")),
        ),
        Kpi {
            class: bad(verdict.thefts - closed),
            ..kpi("contained or over", closed.to_string(), format!("of {}", counted(verdict.thefts, "theft")))
        },
        Kpi {
            class: bad(needs),
            ..kpi("need attention", needs.to_string(), format!("{waiting} wait for an answer"))
        },
        Kpi {
            class: bad(u64::from(oldest.is_some())),
            ..kpi(
                "oldest unanswered",
                oldest.map_or_else(|| "–".to_owned(), |one| span(one.seconds)),
                oldest.map_or_else(String::new, |one| format!("since {}", Shown::time(&one.since))),
            )
        },
        kpi(
            "finding to deny, median",
            summary.seconds_to_deny.map_or_else(|| "–".to_owned(), |one| span(one.median)),
            match (summary.seconds_to_deny, summary.not_timed) {
                (_, 1..) => format!("without {} that GuardDuty dates after the deny", summary.not_timed),
                (Some(one), 0) => format!("worst {}", span(one.worst)),
                (None, 0) => String::new(),
            },
        ),
        in_force(summary),
        kpi("remediation rate", share, format!("{} of {}", rate.remediated, rate.actionable)),
        kpi("findings decided", summary.decisions.to_string(), {
            let not_acted = format!("{observed} observed, {skipped} skipped");
            [vec![not_acted], beside].concat().join(", ")
        }),
    ]
}

fn in_force(summary: &Summary) -> Kpi {
    let total = summary.in_force.as_ref();
    let gaps = total.map_or(0, |one| one.gaps);
    Kpi {
        label: "denies in force",
        value: total.map_or_else(|| "–".to_owned(), InForceTotal::percent),
        note: total.map_or_else(String::new, |_| {
            format!("of the time since the first put; {}", counted(gaps, "gap"))
        }),
        class: bad(gaps),
    }
}

pub(super) fn spreads(summary: &Summary) -> Vec<SpreadRow> {
    vec![
        spread("finding to deny", summary.seconds_to_deny),
        spread("deny in force", summary.seconds_in_force),
        spread("asked to answered", summary.seconds_to_answer),
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

/// What was not acted on, or is not in place, by its reason or state.
pub(super) fn reasons(summary: &Summary) -> Vec<(&'static str, String, u64)> {
    let mut all = Vec::new();
    for (verdict, counts) in [
        ("held now", &summary.held_by_reason),
        ("observed", &summary.observed_by_reason),
        ("skipped", &summary.skipped_by_reason),
        ("no rule is for it", &summary.without_rule),
    ] {
        let is_type = verdict == "no rule is for it";
        let words = |reason: &String| if is_type { reason.clone() } else { Shown::spaced(reason) };
        all.extend(counts.iter().map(|(reason, count)| (verdict, words(reason), *count)));
    }
    let is_undone = |state: &State| {
        !matches!(state, State::Held | State::DoneByHand | State::Superseded)
            && !state.is_in_place()
            && !matches!(state, State::Expired | State::Retiring | State::Retired)
            && !matches!(state, State::Releasing | State::Released)
    };
    let undone =
        summary.by_state.iter().filter(|(state, _)| state.parse().is_ok_and(|state| is_undone(&state)));
    all.extend(undone.map(|(state, count)| ("not revoked now", Shown::spaced(state), *count)));
    all
}
