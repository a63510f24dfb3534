//! A change, as pages show it: the policy before and after, and what it does to others.

use crate::desk::side_effect;
use crate::remediation::{Change, Target};
use crate::report::policy_diff;

/// A policy before and after, line by line.
pub(super) struct Diff {
    /// What the policy is and on what, for who cannot see it.
    pub name: String,
    /// The class and the text of each line; its sign stands before the text.
    pub lines: Vec<(&'static str, String)>,
    /// Nothing changes.
    pub is_same: bool,
}

impl Diff {
    pub fn of(name: String, before: Option<&str>, after: Option<&str>) -> Self {
        let class = |sign| match sign {
            '-' => "del",
            '+' => "add",
            _ => "same",
        };
        let lines = policy_diff(before, after).into_iter();
        let lines: Vec<_> = lines.map(|(sign, line)| (class(sign), format!("{sign} {line}"))).collect();
        Self { name, is_same: lines.iter().all(|(class, _)| *class == "same"), lines }
    }
}

/// A change.
pub(super) struct Changed {
    pub policy: String,
    pub denies: String,
    pub diff: Diff,
    pub side_effects: Vec<String>,
}

impl Changed {
    pub fn of(target: &Target, change: &Change) -> Self {
        Self {
            policy: change.policy(),
            denies: change.denied(),
            diff: Diff::of(change.policy(), change.before.as_deref(), Some(&change.after)),
            side_effects: side_effect(target, change),
        }
    }
}
