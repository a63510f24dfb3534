//! Remediations counted together: of a week, a severity, a type of finding.

use super::remediation::RemediationReport;
use super::spread::Spread;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Remediations of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tally {
    /// Number of remediations.
    pub remediations: u64,
    /// Of these, how many thefts are contained, or over.
    pub contained: u64,
    /// Of these, how many need a person now.
    pub needs_person: u64,
}

impl Tally {
    pub(super) fn add(&mut self, report: &RemediationReport) {
        self.remediations += 1;
        self.contained += u64::from(report.containment.is_closed());
        self.needs_person += u64::from(report.attention.is_some());
    }
}

/// The figures of a week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct Week {
    /// Number of decisions about findings.
    pub decisions: u64,
    /// The remediations that were decided in it.
    #[serde(flatten)]
    pub tally: Tally,
    /// From the last activity that GuardDuty saw to the deny, of those.
    pub seconds_to_deny: Option<Spread>,
}

/// The weeks of a report while it is gone through.
#[derive(Debug, Default)]
pub(super) struct Weeks {
    all: BTreeMap<Date, (Week, Vec<f64>)>,
}

impl Weeks {
    /// Adds a decision at this time, with the remediation that it began.
    pub fn add(&mut self, at: Timestamp, report: Option<&RemediationReport>) {
        let (week, to_deny) = self.all.entry(monday(at.to_zoned(TimeZone::UTC).date())).or_default();
        week.decisions += 1;
        if let Some(report) = report {
            week.tally.add(report);
            to_deny.extend(report.seconds_to_deny);
        }
    }

    /// Each week by its Monday, also those in between without any decision.
    pub fn by_monday(self) -> BTreeMap<String, Week> {
        let ends = self.all.keys().next().copied().zip(self.all.keys().next_back().copied());
        let mut weeks: BTreeMap<String, Week> = BTreeMap::new();
        if let Some((first, last)) = ends {
            // A clock that was wrong makes no list of a thousand years.
            let mondays = first.series(1.week()).take(MOST).take_while(|monday| *monday <= last);
            weeks.extend(mondays.map(|monday| (monday.to_string(), Week::default())));
        }
        weeks.extend(self.all.into_iter().map(|(monday, (week, to_deny))| {
            (monday.to_string(), Week { seconds_to_deny: Spread::of(to_deny), ..week })
        }));
        weeks
    }
}

/// Maximum number of weeks that are listed though nothing was decided in some of them: ten years.
const MOST: usize = 522;

/// The Monday of the week that a day is in.
pub(super) fn monday(day: Date) -> Date {
    let days = i64::from(day.weekday().since(Weekday::Monday));
    day.checked_sub(days.days()).unwrap_or(day)
}

/// The words for severities, the highest first.
pub const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "informational", "unknown"];

/// GuardDuty's word for a severity: low from 1, medium from 4, high from 7, critical from 9.
#[must_use]
pub fn severity_word(severity: Option<f64>) -> &'static str {
    match severity {
        None => "unknown",
        Some(level) if level < 1.0 => "informational",
        Some(level) if level < 4.0 => "low",
        Some(level) if level < 7.0 => "medium",
        Some(level) if level < 9.0 => "high",
        Some(_) => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_none_is_left_out() {
        let mut weeks = Weeks::default();
        for day in ["2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z", "2026-12-20T12:00:00Z"] {
            weeks.add(day.parse().expect("a time"), None);
        }
        let said: Vec<String> =
            weeks.by_monday().iter().map(|(day, week)| format!("{day} {}", week.decisions)).collect();
        assert_eq!(said, ["2026-11-23 1", "2026-11-30 1", "2026-12-07 0", "2026-12-14 1"]);
    }
}
