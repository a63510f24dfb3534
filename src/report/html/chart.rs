//! The page's charts, as SVG: how high each bar is, and where its text stands.

use super::period::Unit;
use crate::report::summary::{Part, Summary};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Maximum number of bars.
const BARS: usize = 200;

#[derive(Default)]
pub(super) struct Chart {
    pub heading: &'static str,
    pub description: String,
    pub width: usize,
    pub bar_width: usize,
    pub ticks: Vec<Tick>,
    pub bars: Vec<DayBar>,
}

pub(super) struct Tick {
    pub y: String,
    pub text_y: String,
    pub label: String,
}

pub(super) struct DayBar {
    pub x: usize,
    pub middle: usize,
    pub label: String,
    pub parts: Vec<DayPart>,
}

pub(super) struct DayPart {
    pub class: &'static str,
    pub y: String,
    pub height: String,
    pub title: String,
}

pub(super) struct Bar {
    pub label: &'static str,
    pub class: &'static str,
    pub count: u64,
    pub y: usize,
    pub text_y: usize,
    pub text_x: String,
    pub width: String,
}

/// A count as a length.
#[allow(clippy::cast_precision_loss)] // it is drawn
fn scaled(count: u64, most: u64, length: f64) -> f64 {
    if most == 0 { 0.0 } else { count as f64 / most as f64 * length }
}

/// The periods of the chart, also those in which nothing was decided: a gap is seen as one.
fn periods(unit: Unit, by_day: &BTreeMap<Date, &Part>) -> BTreeMap<Date, Part> {
    let mut periods: BTreeMap<Date, Part> = BTreeMap::new();
    if let (Some(first), Some(last)) = (by_day.keys().next(), by_day.keys().next_back()) {
        periods.extend(unit.between(*first, *last).take(BARS).map(|begin| (begin, Part::default())));
    }
    for (day, part) in by_day {
        let sum = periods.entry(unit.begin(*day)).or_default();
        sum.decisions += part.decisions;
        sum.acted += part.acted;
        sum.not_acted += part.not_acted;
        sum.observed += part.observed;
        sum.skipped += part.skipped;
    }
    periods
}

pub(super) fn chart(by_day: &BTreeMap<String, Part>) -> Chart {
    let by_day: BTreeMap<Date, &Part> =
        by_day.iter().filter_map(|(day, part)| Some((day.parse().ok()?, part))).collect();
    let unit = Unit::of(by_day.keys().next().copied(), by_day.keys().next_back().copied());
    let mut periods = periods(unit, &by_day);
    while periods.len() > BARS {
        periods.pop_first();
    }
    let most = periods.values().map(|part| part.decisions).max().unwrap_or(0);
    let bar_width = if periods.len() > 31 { 14 } else { 26 };
    let step = bar_width + 8;
    // A label needs more room than a bar.
    let labelled = 52_usize.div_ceil(step);
    let bars: Vec<DayBar> = periods
        .iter()
        .enumerate()
        .map(|(index, (begin, part))| {
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
                    let title = format!("{}: {count} {}", unit.name(*begin), class.replace('_', " "));
                    DayPart { class, y: format!("{y:.1}"), height: format!("{height:.1}"), title }
                })
                .collect();
            let label = if index % labelled == 0 { unit.short(*begin) } else { String::new() };
            DayBar { x, middle: x + bar_width / 2, label, parts }
        })
        .collect();
    let ticks = if most <= 1 { vec![most] } else { vec![most.div_ceil(2), most] };
    let ticks = ticks
        .into_iter()
        .map(|count| {
            let y = 150.5 - scaled(count, most, 130.0);
            Tick { y: format!("{y:.1}"), text_y: format!("{:.1}", y + 4.0), label: count.to_string() }
        })
        .collect();
    let description = periods
        .iter()
        .filter(|(_, part)| part.decisions > 0)
        .map(|(begin, part)| {
            format!(
                "{}: {} acted, {} not acted, {} observed, {} skipped",
                unit.name(*begin),
                part.acted,
                part.not_acted,
                part.observed,
                part.skipped
            )
        })
        .collect::<Vec<_>>()
        .join("; ");
    let width = (periods.len() * step + 60).max(320);
    Chart { heading: unit.heading(), description, width, bar_width, ticks, bars }
}

pub(super) fn rungs(summary: &Summary) -> Vec<Bar> {
    let most = summary.by_highest_proof.values().copied().max().unwrap_or(0);
    let all = ["enforced", "simulated", "present", "none"];
    let bars = all.iter().filter(|_| most > 0).enumerate().map(|(index, label)| {
        let count = summary.by_highest_proof.get(*label).copied().unwrap_or(0);
        let width = scaled(count, most, 190.0);
        let class = if *label == "none" { "skipped" } else { "acted" };
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
