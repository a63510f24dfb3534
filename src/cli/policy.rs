//! A policy before and after, line by line.

use super::output::{BAD, DIM, GOOD, Screen, clean, styled};
use crate::remedy::Change;
use similar::{ChangeTag, TextDiff};

/// Shows what changes between two policies.
pub fn diff(before: Option<&str>, after: &str, screen: &Screen) {
    let (before, after) = (before.map(lines).unwrap_or_default(), lines(after));
    if before == after {
        screen.line(styled(DIM, "    (it stays as it is)"));
    }
    for change in TextDiff::from_lines(&before, &after).iter_all_changes() {
        let text = clean(change.value().trim_end_matches('\n'));
        screen.line(match change.tag() {
            ChangeTag::Delete => styled(BAD, format!("  - {text}")),
            ChangeTag::Insert => styled(GOOD, format!("  + {text}")),
            ChangeTag::Equal => format!("    {text}"),
        });
    }
}

/// A policy, one value a line. What is no JSON stays as it is.
fn lines(policy: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(policy);
    let mut text =
        value.ok().and_then(|v| serde_json::to_string_pretty(&v).ok()).unwrap_or_else(|| policy.to_owned());
    text.push('\n');
    text
}

/// What a change does to those who did nothing wrong.
pub fn side_effect(change: &Change, screen: &Screen) {
    screen.line("  Side effect: rightful users of the role are denied everything as well, until they get a");
    screen.line(format!("  session issued after {}.", change.cutoff));
    if let Some(note) = &change.note {
        screen.line(format!("  note: {note}"));
    }
}
