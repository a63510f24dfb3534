//! Times as AWS writes them, from and to milliseconds since 1970. Both the proxy and the stub of the
//! benchmarks are made of the standard library alone, so that they cost next to nothing.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400_000;

/// This computer's time.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_millis()).expect("it is before the year 292278994")
}

/// `2026-11-21T23:47:30.123Z`
pub fn iso(at: i64) -> String {
    let seconds = iso_seconds(at);
    format!("{}.{:03}Z", &seconds[..19], at.rem_euclid(1000))
}

/// `2026-11-21T23:47:30Z`
pub fn iso_seconds(at: i64) -> String {
    let (year, month, day) = date(at.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}T{}Z", time(at))
}

/// `Sat, 21 Nov 2026 23:47:30 GMT`
pub fn http(at: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = at.div_euclid(DAY);
    let (year, month, day) = date(days);
    let weekday = DAYS[index(days.rem_euclid(7))];
    format!("{weekday}, {day:02} {} {year:04} {} GMT", MONTHS[index(month - 1)], time(at))
}

fn index(number: i64) -> usize {
    usize::try_from(number).expect("not negative")
}

fn time(at: i64) -> String {
    let seconds = at.rem_euclid(DAY) / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Reads `2026-11-21T23:47:30Z`, with or without a fraction, and `20261121T234730Z`.
pub fn parsed(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = whole.chars().filter(|c| !matches!(c, '-' | ':' | 'T')).collect();
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<i64>().ok();
    let days = days(number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let seconds = number(8, 10)? * 3600 + number(10, 12)? * 60 + number(12, 14)?;
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(days * DAY + seconds * 1000 + thousandths.parse::<i64>().ok()?)
}

/// Days since 1970, after Howard Hinnant's "chrono-compatible low-level date algorithms".
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day; the inverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = (shifted_month + 2) % 12 + 1;
    let year = shifted.div_euclid(146_097) * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}
