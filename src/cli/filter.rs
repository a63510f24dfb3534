//! Which remediations are shown.

use super::exit::BadInput;
use crate::ledger::PageWanted;
use crate::org::AccountNames;
use crate::remediation::{Rung, Selection, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// Filters by state and by proof, as a list and a report have them.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only remediations in this state; several times, or with commas, for several.
    #[arg(long = "state", alias = "status", value_name = "STATE", value_delimiter = ',', value_enum)]
    states: Vec<State>,

    /// Only remediations with this proof, and no more; several times, or with commas, for several.
    #[arg(long = "proof", value_name = "PROOF", value_delimiter = ',', value_enum)]
    proofs: Vec<Rung>,
}

impl Filter {
    /// Nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.proofs.is_empty()
    }

    /// As the ledger and the reports take it.
    pub fn selection(&self) -> Selection {
        Selection { states: self.states.clone(), proofs: self.proofs.clone(), ..Selection::default() }
    }
}

/// More remediations than a ledger has.
const ALL: usize = 1 << 31;

/// Filters of a list.
#[derive(Debug, clap::Args)]
pub struct ListFilter {
    #[command(flatten)]
    standing: Filter,

    /// Only this account, by its id or its name; several times, or with commas, for several.
    #[arg(long = "account", value_name = "ACCOUNT", value_delimiter = ',')]
    accounts: Vec<String>,

    /// Only what was decided since then: a duration such as 2h or 7d, a day, or a time such as 2026-11-30T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = ago_or_time)]
    pub since: Option<Timestamp>,

    /// Only findings that are at least so severe: low, medium, high, critical, or a number from 1 to 10.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub severity: Option<f64>,

    /// Only the latest ones, so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl ListFilter {
    /// Nothing is left out but by its number.
    pub fn is_empty(&self) -> bool {
        let is_anywhere = self.accounts.is_empty() && self.since.is_none() && self.severity.is_none();
        self.standing.is_empty() && is_anywhere
    }

    /// Maximum number of those that are shown.
    pub fn most(&self) -> usize {
        self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(ALL)
    }

    /// As the ledger takes it.
    ///
    /// # Errors
    /// When no account has this name.
    pub fn page(&self, names: &AccountNames) -> Result<PageWanted, BadInput> {
        let Selection { states, proofs, .. } = self.standing.selection();
        let mut in_accounts = Vec::new();
        for text in &self.accounts {
            let found = names.find(text);
            if found.is_empty() {
                let text = format!("--account {text:?}: no account of the organization has this id or name");
                return Err(BadInput(text));
            }
            in_accounts.extend(found.iter().map(ToString::to_string));
        }
        Ok(PageWanted {
            states,
            proofs,
            in_accounts,
            since: self.since,
            severity: self.severity,
            ..PageWanted::default()
        })
    }

    /// As the API of a hub takes it.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let Selection { states, proofs, .. } = self.standing.selection();
        let list = |all: Vec<String>| (!all.is_empty()).then(|| all.join(","));
        let given = [
            ("state", list(states.iter().map(ToString::to_string).collect())),
            ("proof", list(proofs.iter().map(ToString::to_string).collect())),
            ("account", list(self.accounts.clone())),
            ("since", self.since.map(|since| since.to_string())),
            ("severity", self.severity.map(|severity| severity.to_string())),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// A time, the beginning of a day in UTC, or how long ago it was.
pub fn ago_or_time(text: &str) -> Result<Timestamp, String> {
    let expected = || {
        "expected a duration such as 2h or 7d, a day such as 2026-11-30, or a time such as 2026-11-30T12:00:00Z"
            .to_owned()
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Some(day) = text.parse::<Date>().ok().filter(|_| !text.contains(['T', 't', ' '])) {
        return day.to_zoned(TimeZone::UTC).map(|time| time.timestamp()).map_err(|_| expected());
    }
    let span: Span = text.parse().map_err(|_| expected())?;
    let ago = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if ago < SignedDuration::ZERO {
        return Err(expected());
    }
    Ok(Timestamp::now().saturating_sub(ago).unwrap_or(Timestamp::MIN))
}

/// A severity as GuardDuty gives it, or the least of a level (GuardDuty User Guide, "Severity levels").
fn severity(text: &str) -> Result<f64, String> {
    match text.to_ascii_lowercase().as_str() {
        "low" => Ok(1.0),
        "medium" => Ok(4.0),
        "high" => Ok(7.0),
        "critical" => Ok(9.0),
        number => number
            .parse()
            .ok()
            .filter(|number| (0.0..=10.0).contains(number))
            .ok_or_else(|| "expected low, medium, high, critical, or a number from 1 to 10".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_as_a_time_as_a_day_or_as_how_long_ago_it_was() {
        let time = |text: &str| ago_or_time(text).map(|time| time.to_string());
        assert_eq!(time("2026-11-30T12:00:00Z"), Ok("2026-11-30T12:00:00Z".to_owned()));
        assert_eq!(time("2026-11-30"), Ok("2026-11-30T00:00:00Z".to_owned()));
        let then = ago_or_time("2h").expect("a time");
        let hours = Timestamp::now().duration_since(then).as_hours();
        assert_eq!(hours, 2);
        for wrong in ["", "yesterday", "-2h", "2", "2026-13-01", "2026-11-30T25:00:00Z"] {
            assert!(ago_or_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_severity_is_a_level_or_a_number() {
        let of = |text: &str| severity(text).ok();
        assert_eq!(
            ["low", "Medium", "HIGH", "critical", "8", "7.5"].map(of),
            [1.0, 4.0, 7.0, 9.0, 8.0, 7.5].map(Some)
        );
        assert_eq!(["", "severe", "11", "-1", "NaN"].map(of), [None; 5]);
    }
}
