//! How times, states and texts are shown on every page.

use crate::remediation::State;
use crate::report::{Prose, shortened};
use askama::filters::HtmlSafe;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Maximum number of characters that are shown of one text of a finding, a person or AWS.
const LONGEST: usize = 2_000;

/// A time, exact and as how long ago or ahead it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    at: Timestamp,
    now: Timestamp,
}

impl When {
    pub fn of(at: Timestamp) -> Self {
        Self { at, now: Timestamp::now() }
    }

    /// The time alone.
    pub fn exact(self) -> Exact {
        Exact(self.at)
    }

    pub fn time(self) -> Timestamp {
        self.at
    }

    /// How long it is ahead, for what ends then.
    pub fn left(self) -> Left {
        Left(self)
    }
}

/// Only digits and marks of ours are in it.
impl HtmlSafe for When {}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = self.at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let ago = distance(self.at, self.now);
        write!(f, "{} <span class=\"ago\" data-at=\"{iso}\">{ago}</span>", Exact(self.at))
    }
}

/// A time alone.
pub(super) struct Exact(Timestamp);

impl HtmlSafe for Exact {}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (iso, text) = (self.0.strftime("%Y-%m-%dT%H:%M:%SZ"), self.0.strftime("%Y-%m-%d %H:%M:%S UTC"));
        write!(f, "<time datetime=\"{iso}\">{text}</time>")
    }
}

/// How long something is ahead, first, and then when that is.
pub(super) struct Left(When);

impl HtmlSafe for Left {}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let When { at, now } = self.0;
        let iso = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        write!(f, "<span class=\"left\" data-at=\"{iso}\">{}</span> ({})", distance(at, now), Exact(at))
    }
}

/// `5 min ago` or `in 5 min`.
fn distance(at: Timestamp, now: Timestamp) -> String {
    let apart = at.duration_since(now);
    let text = rough(apart.abs());
    match apart.is_positive() {
        true => format!("in {text}"),
        false if apart.abs() < SignedDuration::from_secs(1) => "now".to_owned(),
        false => format!("{text} ago"),
    }
}

/// A length of time in its largest unit; of hours and days two.
fn rough(length: SignedDuration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// How much a state, or anything else, asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warn,
    Bad,
    Plain,
}

impl Tone {
    /// Of a remediation's state.
    pub fn of(state: State) -> Self {
        match state {
            State::Revoked | State::Expired | State::Retired | State::DoneByHand => Self::Good,
            State::Held | State::Blocked | State::Failed | State::Contested | State::Lost => Self::Bad,
            State::Queued
            | State::Approved
            | State::Revoking
            | State::Verifying
            | State::Unverified
            | State::Retrying => Self::Warn,
            State::Rejected | State::Superseded | State::Releasing | State::Released | State::Retiring => {
                Self::Plain
            }
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}

impl HtmlSafe for Tone {}

impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class())
    }
}

/// Texts for the templates.
pub(in crate::web) struct Words;

impl Words {
    /// A text of somebody else, cut where it is very long.
    pub fn text(text: impl AsRef<str>) -> String {
        shortened(text.as_ref(), LONGEST)
    }

    /// Such a text with commands in backticks.
    pub fn prose(text: impl AsRef<str>) -> Prose {
        Prose::of(Self::text(text))
    }

    /// A name in words.
    pub fn spaced(name: impl fmt::Display) -> String {
        name.to_string().replace('_', " ")
    }
}

/// Lines as a list: those that begin with spaces belong to the item before them.
pub(super) fn nested(lines: &[String]) -> Vec<(String, Vec<String>)> {
    let mut items: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        let text = Words::text(line.trim());
        match items.last_mut().filter(|_| line.starts_with(' ')) {
            Some((_, below)) => below.push(text),
            None => items.push((text, Vec::new())),
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_how_far_away_it_is() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a time");
        let said = |seconds: i64| distance(now + SignedDuration::from_secs(seconds), now);
        let all: Vec<String> = [0, 59, 60, 3_599, 3_600, 90_061, -1, -61, -7_260].map(said).into();
        insta::assert_snapshot!(all.join("; "), @"now; in 59 s; in 1 min; in 59 min; in 1 h 0 min; in 1 d 1 h; 1 s ago; 1 min ago; 2 h 1 min ago");
    }
}
