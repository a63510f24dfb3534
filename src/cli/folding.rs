//! Text in lines that fit the terminal, where no time, number or command is broken.

/// A text in lines of at most `width` characters, each with this indent. A longer word stays whole.
pub fn folded(text: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text).map(str::trim).filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// The parts of a text between which a line may end, each with the spaces behind it: its words, but that a time and a
/// number with its unit stay whole.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut end = 0;
        loop {
            end += rest[end..].find(' ').map_or(rest.len() - end, |at| at + 1);
            let (word, next) = rest.split_at(end);
            if word.is_empty() || next.is_empty() || !stays_with(word, next) {
                let (word, next) = rest.split_at(end);
                rest = next;
                return (!word.is_empty()).then_some(word);
            }
        }
    })
}

/// A date and its time, a number and its unit.
fn stays_with(word: &str, next: &str) -> bool {
    let last = word.trim_end().rsplit(' ').next().unwrap_or_default().trim_start_matches('(');
    let next = next.split(' ').next().unwrap_or_default();
    let is_date = last.len() == 10 && last.parse::<jiff::civil::Date>().is_ok();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let unit = next.trim_end_matches([',', ';', '.', ')', ':']);
    is_date && next.starts_with(|c: char| c.is_ascii_digit())
        || is_number && matches!(unit, "ms" | "s" | "min" | "h" | "d" | "%")
}

/// A command in lines of at most `width` characters, where that can be: each but the last ends in a backslash, and none
/// is broken within quotes. A comment behind it stands in a line of its own.
pub(super) fn folded_command(command: &str, indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    if indent + command.chars().count() <= width {
        return format!("{margin}{command}");
    }
    let (command, comment) = match command.split_once("   # ") {
        Some((command, comment)) => (command.trim_end(), Some(comment)),
        None => (command, None),
    };
    let (mut lines, mut line) = (Vec::new(), margin.clone());
    for word in shell_words(command) {
        let is_begun = !line.trim().is_empty();
        if is_begun && line.chars().count() + 1 + word.chars().count() + 2 > width {
            lines.push(line + " \\");
            line = format!("{margin}  ");
        } else if is_begun {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    if let Some(comment) = comment {
        let start = format!("{margin}# ");
        lines.extend(folded(comment, &start, width));
    }
    lines.join("\n")
}

/// The parts of a command between which a line may end: at spaces that are not quoted.
fn shell_words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_escaped) = (Vec::new(), String::new(), None, false);
    for c in command.chars() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, ' ') => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                continue;
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        word.push(c);
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Maximum width of a label before a text.
const LABEL: usize = 24;

/// Each line of a text in lines of at most `width` characters. What continues a line stands below its beginning,
/// or below the text after its label. A longer word stays whole, and so does what stands in backticks.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    text.split('\n').map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

/// Indent of a word that is too long to stand beside its label.
const NEXT: usize = 4;

fn wrapped_line(line: &str, width: usize) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    if plain.chars().count() <= width {
        return line.to_owned();
    }
    let indent = hanging_indent(&plain);
    let (mut out, mut column, mut piece) = (String::new(), 0, String::new());
    // Without its partner a backtick keeps nothing together.
    let is_code = line.matches('`').count().is_multiple_of(2);
    for part in words(line) {
        piece.push_str(part);
        if is_code && !piece.matches('`').count().is_multiple_of(2) {
            continue;
        }
        let plain = anstream::adapter::strip_str(&piece).to_string();
        let (length, word) = (plain.chars().count(), plain.trim_end().chars().count());
        let is_label = column == indent && indent > NEXT && !out.trim().is_empty();
        if word > 0 && (column > indent || is_label) && column + word > width {
            // A word that has no room beside its label stands below it.
            let begin = if indent + word > width { indent.min(NEXT) } else { indent };
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(begin));
            column = begin;
        }
        out.push_str(&piece);
        column += length;
        piece.clear();
    }
    out + &piece
}

/// The column of a line's text: behind its bullet or its label, which two blanks end, or else of its first word.
fn hanging_indent(line: &str) -> usize {
    let start = line.chars().take_while(|c| *c == ' ').count();
    let rest: String = line.chars().skip(start).take(LABEL).collect();
    if rest.starts_with("- ") {
        return start + 2;
    }
    let Some(label) = rest.find("  ").map(|end| rest[..end].chars().count()) else { return start };
    let blanks = rest.chars().skip(label).take_while(|c| *c == ' ').count();
    start + label + blanks
}

#[cfg(test)]
mod tests {
    use super::super::output::{BAD, styled};
    use super::*;

    #[test]
    fn a_line_continues_below_its_text() {
        let wrapped = |line: &str| wrapped(line, 24);
        assert_eq!(wrapped("short"), "short");
        assert_eq!(wrapped("  one two three four five six"), "  one two three four\n  five six");
        assert_eq!(wrapped("note    one two three four five"), "note    one two three\n        four five");
        assert_eq!(
            wrapped("run `rescind ledger verify --all` now"),
            "run\n`rescind ledger verify --all`\nnow"
        );
        assert_eq!(wrapped("  - one two three four five"), "  - one two three four\n    five");
        assert_eq!(wrapped("an odd ` in a line that is long"), "an odd ` in a line that\nis long");
        let red = styled(BAD, "red");
        assert_eq!(
            wrapped(&format!("{red}     one two three four five")),
            format!("{red}     one two three\n        four five")
        );
        assert_eq!(wrapped("a-word-that-is-longer-than-a-line b"), "a-word-that-is-longer-than-a-line\nb");
        assert_eq!(
            wrapped("first\n  second is longer than a line"),
            "first\n  second is longer than\n  a line"
        );
    }

    #[test]
    fn a_time_and_a_number_with_its_unit_stay_whole() {
        let parts = |text: &'static str| words(text).collect::<Vec<_>>();
        assert_eq!(
            parts("until 2026-11-30 12:00:00Z (in 23 h 59 min), 2 of 3"),
            ["until ", "2026-11-30 12:00:00Z ", "(in ", "23 h ", "59 min), ", "2 ", "of ", "3"]
        );
        assert_eq!(parts(""), [""; 0]);
        assert_eq!(folded("at 2026-11-30 12:00:00Z", "", 12), ["at", "2026-11-30 12:00:00Z"]);
    }

    #[test]
    fn a_word_that_has_no_room_beside_its_label_stands_below_it() {
        assert_eq!(
            wrapped("  type          one-word-of-24-characters", 24),
            "  type\n    one-word-of-24-characters"
        );
        assert_eq!(
            wrapped("  type          short and-one-that-is-long", 24),
            "  type          short\n    and-one-that-is-long"
        );
        assert_eq!(wrapped("  - one-word-that-is-long", 20), "  - one-word-that-is-long");
    }

    #[test]
    fn a_command_goes_on_behind_a_backslash() {
        let folded = |command: &str| folded_command(command, 2, 24);
        assert_eq!(folded("aws iam get-role"), "  aws iam get-role");
        assert_eq!(
            folded("aws iam get-role --role-name web --query 'a b c d e f'   # as the admin"),
            "  aws iam get-role \\\n    --role-name web \\\n    --query \\\n    'a b c d e f'\n  # as the admin"
        );
        assert_eq!(shell_words(r#"a\ b "c \" d" 'e\' f"#), [r"a\ b", r#""c \" d""#, r"'e\'", "f"]);
    }
}
