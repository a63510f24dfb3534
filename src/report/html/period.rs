//! By which periods the trend is shown: days, weeks or months.

use crate::report::tally::monday;
use jiff::ToSpan;
use jiff::civil::Date;

/// Maximum number of days that are shown one by one.
const DAYS: i32 = 31;

/// Maximum number of days that are shown by week: a year and a week.
const DAYS_BY_WEEK: i32 = 372;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
}

impl Unit {
    /// For what lies between these two days.
    pub fn of(first: Option<Date>, last: Option<Date>) -> Self {
        let days =
            first.zip(last).map_or(0, |(first, last)| first.until(last).map_or(i32::MAX, |s| s.get_days()));
        match days {
            ..DAYS => Self::Day,
            DAYS..=DAYS_BY_WEEK => Self::Week,
            _ => Self::Month,
        }
    }

    /// The first day of the period that a day is in.
    pub fn begin(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => monday(day),
            Self::Month => day.first_of_month(),
        }
    }

    /// The periods from one day to another, by their first days.
    pub fn between(self, first: Date, last: Date) -> impl Iterator<Item = Date> {
        let step = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
        };
        self.begin(first).series(step).take_while(move |begin| *begin <= last)
    }

    pub fn heading(self) -> &'static str {
        match self {
            Self::Day => "Decisions by day (UTC)",
            Self::Week => "Decisions by week (UTC, from Monday on)",
            Self::Month => "Decisions by month (UTC)",
        }
    }

    pub fn name(self, begin: Date) -> String {
        match self {
            Self::Day => begin.to_string(),
            Self::Week => format!("week of {begin}"),
            Self::Month => begin.strftime("%Y-%m").to_string(),
        }
    }

    /// What stands below a bar.
    pub fn short(self, begin: Date) -> String {
        let format = if self == Self::Month { "%Y-%m" } else { "%m-%d" };
        begin.strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_shown_by_day_a_year_by_week_and_more_by_month() {
        let day = |text: &str| text.parse::<Date>().expect("a day");
        let of = |first: &str, last: &str| {
            let unit = Unit::of(Some(day(first)), Some(day(last)));
            (unit, unit.between(day(first), day(last)).count())
        };
        assert_eq!(Unit::of(None, None), Unit::Day);
        assert_eq!(of("2026-10-31", "2026-10-31"), (Unit::Day, 1));
        assert_eq!(of("2026-10-01", "2026-10-31"), (Unit::Day, 31));
        assert_eq!(of("2026-10-01", "2026-11-01"), (Unit::Week, 5));
        assert_eq!(of("2026-01-01", "2026-12-31"), (Unit::Week, 53));
        assert_eq!(of("2025-01-01", "2026-12-31"), (Unit::Month, 24));
    }
}
