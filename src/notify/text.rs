//! A notice as plain text that reads well in an e-mail.

use super::Notice;
use std::fmt::Write;

/// The subject of an e-mail: ASCII, at most 99 characters, no line break (SNS, "Publish").
pub(super) fn subject(notice: &Notice) -> String {
    let text = format!("[rescind {}] {}", notice.level, notice.title);
    ascii(&text, 99)
}

/// What ASCII cannot hold becomes `?`.
pub(super) fn ascii(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' };
    let whole: String = text.chars().map(plain).collect();
    if whole.len() <= most { whole } else { format!("{}...", &whole[..most.saturating_sub(3)]) }
}

/// At most so many characters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
}

pub(super) fn body(notice: &Notice) -> String {
    let mut text = format!("{}\n\n", notice.title);
    for line in &notice.text {
        let _ = writeln!(text, "{line}");
    }
    if !notice.to_do.is_empty() {
        text.push_str("\nWhat to do now:\n");
        for line in &notice.to_do {
            // A line that begins with spaces is a command of the line before it.
            let mark = if line.starts_with(' ') { "   " } else { " - " };
            let _ = writeln!(text, "{mark}{}", line.trim_start());
        }
    }
    let at = notice.at.strftime("%Y-%m-%d %H:%M:%SZ");
    let _ = write!(text, "\n{at}, level {}, ledger entry {}", notice.level, notice.entry);
    if let Some(id) = &notice.remediation {
        let _ = write!(text, ", remediation {id}: rescind show {id}");
    }
    text.push('\n');
    if let Some(page) = &notice.link {
        let _ = writeln!(text, "{page}");
    }
    text
}
