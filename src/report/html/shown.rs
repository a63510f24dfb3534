//! How times, states and texts are shown: the templates ask for it by these names.

use crate::report::diff::shortened;
use crate::report::told;
use jiff::{SignedDuration, Timestamp};

/// Maximum number of characters that are shown of one text of a finding, a person or AWS.
const LONGEST: usize = 2_000;

pub(super) struct Shown;

impl Shown {
    pub fn class(state: &str) -> &'static str {
        match state {
            "present" | "simulated" | "enforced" | "expired" | "retired" | "by_hand" => "acted",
            "held" | "blocked" | "failed" | "lost" | "retrying" | "applying" | "accepted" | "decided" => {
                "not_acted"
            }
            _ => "other",
        }
    }

    pub fn text(text: &str) -> String {
        shortened(text, LONGEST)
    }

    pub fn time(time: &Timestamp) -> String {
        time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}

/// A duration, in seconds.
pub(super) fn short(seconds: f64) -> String {
    let duration = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
    told::short(duration)
}
