//! How times, states and texts are shown: the templates ask for it by these names.

use crate::remediation::State;
use crate::report::diff::shortened;
use jiff::Timestamp;

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

    pub fn time(time: &Timestamp) -> String {
        time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}

/// Lines as a list: those that begin with spaces belong to the item before them.
pub(super) fn nested(lines: &[String]) -> Vec<(String, Vec<String>)> {
    let mut items: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        let text = Shown::text(line.trim());
        match items.last_mut().filter(|_| line.starts_with(' ')) {
            Some((_, below)) => below.push(text),
            None => items.push((text, Vec::new())),
        }
    }
    items
}
