//! How times, states and texts are shown: the templates ask for it by these names.

use super::prose::Prose;
use crate::remediation::{State, span};
use crate::report::diff::shortened;
use crate::report::spread::Spread;
use jiff::Timestamp;
use std::fmt::Display;

/// Maximum number of characters that are shown of one text of a finding, a person or AWS.
const LONGEST: usize = 2_000;

pub(super) struct Shown;

impl Shown {
    pub fn class(state: State) -> &'static str {
        match state {
            State::Revoked | State::Expired | State::Retired | State::DoneByHand => "acted",
            State::Held
            | State::Queued
            | State::Approved
            | State::Revoking
            | State::Verifying
            | State::Unverified
            | State::Lost
            | State::Contested
            | State::Retrying
            | State::Blocked
            | State::Failed => "not_acted",
            State::Rejected | State::Superseded | State::Releasing | State::Released | State::Retiring => {
                "other"
            }
        }
    }

    pub fn text(text: &str) -> String {
        shortened(text, LONGEST)
    }

    /// Such a text with commands in backticks.
    pub fn prose(text: &str) -> Prose {
        Prose::of(Self::text(text))
    }

    /// An account, by its name where that is known.
    pub fn account(id: &str, name: Option<&str>) -> String {
        match name {
            Some(name) => Self::text(&format!("{name} ({id})")),
            None => id.to_owned(),
        }
    }

    /// A type of finding without what stands before its last slash.
    pub fn kind(finding_type: &str) -> &str {
        finding_type.rsplit('/').next().unwrap_or(finding_type)
    }

    /// A name in words.
    pub fn spaced(name: impl Display) -> String {
        name.to_string().replace('_', " ")
    }

    pub fn median(spread: Option<&Spread>) -> String {
        spread.map_or_else(|| "–".to_owned(), |one| span(one.median))
    }

    pub fn worst(spread: Option<&Spread>) -> String {
        spread.map_or_else(|| "–".to_owned(), |one| span(one.worst))
    }

    pub fn time(time: &Timestamp) -> String {
        time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}

/// Lines as a list: those that begin with spaces belong to the item before them.
pub(super) fn nested(lines: &[String]) -> Vec<(Prose, Vec<String>)> {
    let mut items: Vec<(Prose, Vec<String>)> = Vec::new();
    for line in lines {
        let text = Shown::text(line.trim());
        match items.last_mut().filter(|_| line.starts_with(' ')) {
            Some((_, below)) => below.push(text),
            None => items.push((Prose::of(text), Vec::new())),
        }
    }
    items
}
