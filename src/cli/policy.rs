//! A policy before and after, line by line.

use super::output::{BAD, DIM, GOOD, Screen, clean, styled};
use crate::desk;
use crate::remediation::{Change, Target};
use crate::report::policy_diff;

/// Shows what changes between two policies. None is no policy.
pub fn diff(before: Option<&str>, after: Option<&str>, screen: &Screen) {
    let lines = policy_diff(before, after);
    if lines.is_empty() {
        screen.line(styled(DIM, "    (there is none)"));
    } else if lines.iter().all(|(sign, _)| *sign == ' ') {
        screen.line(styled(DIM, "    (it stays as it is)"));
    }
    for (sign, line) in lines {
        let text = clean(&line);
        screen.line(match sign {
            '-' => styled(BAD, format!("  - {text}")),
            '+' => styled(GOOD, format!("  + {text}")),
            _ => format!("    {text}"),
        });
    }
}

/// What a change does to those who did nothing wrong, and what the other scope would do.
pub fn side_effect(target: &Target, change: &Change, screen: &Screen) {
    for line in desk::side_effect(target, change) {
        screen.prose(format!("  {line}"));
    }
}
