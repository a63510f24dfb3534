//! The page's charts, as SVG: how high each bar is, and where its text stands.

use crate::report::summary::{Part, Summary};
use std::collections::BTreeMap;

/// Maximum number of days that are shown one by one; more are shown by month.
const DAYS: usize = 62;

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

pub(super) fn chart(by_day: &BTreeMap<String, Part>) -> Chart {
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

pub(super) fn rungs(summary: &Summary) -> Vec<Bar> {
    let most = summary.by_proof.values().copied().max().unwrap_or(0);
    let all = ["enforced", "simulated", "present", "none"];
    let bars = all.iter().filter(|_| most > 0).enumerate().map(|(index, label)| {
        let count = summary.by_proof.get(*label).copied().unwrap_or(0);
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
