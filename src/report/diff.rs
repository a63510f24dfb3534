//! A policy before and after a change, line by line, for people.
//!
//! Anybody may have written the policy under our name, so the size and time of a comparison are limited.

use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// Maximum number of lines of a policy that are compared: comparing takes up to the square of them. Our own
/// documents have some twenty.
const COMPARED: usize = 400;

/// Maximum number of characters of a line that are shown.
const WIDEST: usize = 1_000;

/// How a policy changes, one value a line, each line with its sign: `-` before only, `+` after only, a space
/// in both. Documents that are too long to be compared stand one behind the
/// other, each cut, with a line that says so.
#[must_use]
pub fn policy_diff(before: Option<&str>, after: Option<&str>) -> Vec<(char, String)> {
    let [before, after] = [before, after].map(|policy| policy.map(policy_lines).unwrap_or_default());
    if before.lines().count().max(after.lines().count()) > COMPARED {
        let mut lines = one_side('-', &before);
        lines.extend(one_side('+', &after));
        return lines;
    }
    let compared = TextDiff::from_lines(&before, &after);
    let changes = compared.iter_all_changes().map(|one| {
        let sign = match one.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        (sign, shortened(one.value().trim_end_matches('\n'), WIDEST))
    });
    changes.collect()
}

/// A policy, one value a line. What is no JSON stays as it is.
fn policy_lines(policy: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(policy);
    let mut text =
        value.ok().and_then(|v| serde_json::to_string_pretty(&v).ok()).unwrap_or_else(|| policy.to_owned());
    text.push('\n');
    text
}

fn one_side(sign: char, text: &str) -> Vec<(char, String)> {
    let mut lines: Vec<(char, String)> =
        text.lines().take(COMPARED).map(|line| (sign, shortened(line, WIDEST))).collect();
    let more = text.lines().count().saturating_sub(COMPARED);
    if more > 0 {
        lines.push((sign, format!("… {more} more lines, in the JSON output")));
    }
    lines
}

/// A text of at most so many characters; what is cut off is counted.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let mut short = text[..end].to_owned();
    let more = text[end..].chars().count();
    // A String takes everything.
    let _ = write!(short, " … {more} more characters, in the JSON output");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(lines: usize) -> String {
        "a line\n".repeat(lines)
    }

    #[test]
    fn short_documents_are_compared() {
        let lines = policy_diff(Some(r#"["a","b"]"#), Some(r#"["a","x"]"#));
        let lines: Vec<String> = lines.into_iter().map(|(sign, line)| format!("{sign}{line}")).collect();
        assert_eq!(lines, [" [", "   \"a\",", "-  \"b\"", "+  \"x\"", " ]"]);
        assert_eq!(policy_diff(None, Some("{}")), [('+', "{}".to_owned())]);
        assert!(policy_diff(None, None).is_empty());
    }

    #[test]
    fn long_documents_are_cut_and_say_so() {
        for (before, after) in [(COMPARED - 1, 20), (COMPARED, 20), (100_000, 20), (20, 100_000), (0, 5_000)]
        {
            let lines = policy_diff(Some(&document(before)), Some(&document(after)));
            assert!(lines.len() <= 2 * COMPARED + 2, "{} lines", lines.len());
            let cut = lines.iter().any(|(_, line)| line.starts_with('…'));
            // Behind the document stands an empty line.
            assert_eq!(cut, before.max(after) >= COMPARED, "{before} and {after}");
        }
        let lines = policy_diff(Some(&"x".repeat(1 << 20)), Some("{}"));
        let length: usize = lines.iter().map(|(_, line)| line.len()).sum();
        assert!(length < WIDEST + 100, "{length}");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        insta::assert_snapshot!(shortened("äöü", 1), @"ä … 2 more characters, in the JSON output");
    }
}
