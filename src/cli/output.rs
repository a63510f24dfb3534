//! Standard output and standard error. Colour only on a terminal.

pub use crate::remediation::short;
use crate::safe;
pub use crate::safe::line as clean;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// How results are written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and sentences, for people.
    Text,
    /// One JSON document, for programs.
    Json,
}

/// Where a command writes its results and its notes.
pub struct Screen {
    format: Format,
}

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const WARN: Style = AnsiColor::Yellow.on_default();

impl Screen {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    pub fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// A line for people, or several of our own. Nothing but our own styles gives the terminal orders; foreign
    /// text in it goes through [`clean`] besides, which keeps it in its line.
    pub fn line(&self, text: impl AsRef<str>) {
        if self.is_text() {
            // A closed pipe (`| head`) is the reader's choice, not a failure.
            let _ = writeln!(anstream::stdout(), "{}", guarded(text.as_ref()));
        }
    }

    /// The same, with lines as wide as the terminal.
    pub fn prose(&self, text: impl AsRef<str>) {
        self.line(wrapped(text.as_ref(), width()));
    }

    /// An empty terminal, for what is shown again and again.
    pub fn clear(&self) {
        if self.is_text() && std::io::stdout().is_terminal() {
            let _ = write!(std::io::stdout(), "\x1b[2J\x1b[H");
        }
    }

    /// A value for programs: one line of JSON.
    pub fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        if self.format == Format::Json {
            Self::raw(&safe::json_line(value)?);
        }
        Ok(())
    }

    /// A line for programs, in either format, that has nothing harmful in it.
    pub fn raw(line: &str) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// What a person should know of what goes to a file: to standard error.
    pub fn aside(&self, text: &str) {
        if self.is_text() {
            let _ = writeln!(anstream::stderr(), "{}", clean(text));
        }
    }

    /// An error, to standard error, in the format that was asked for.
    pub fn error(&self, text: &str) {
        if self.is_text() {
            let text = wrapped(&format!("error: {}", safe::lines(text)), width_of(Table::new().use_stderr()));
            let text = text.strip_prefix("error:").unwrap_or(&text);
            let _ = writeln!(anstream::stderr(), "{BAD}error:{BAD:#}{text}");
        } else {
            let error = safe::json_line(&serde_json::json!({ "error": text })).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "{error}");
        }
    }
}

pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Escape sequences that our styles write to a terminal.
const ORDERS: [&str; 6] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];

/// A text of which nothing harmful is left but line breaks and our styles.
fn guarded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| safe::is_harmful(c) && c != '\n') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let taken = if let Some(order) = ORDERS.iter().find(|order| from.starts_with(**order)) {
            out.push_str(order);
            order.len()
        } else {
            let end = from.chars().next().map_or(0, char::len_utf8);
            out.push_str(&clean(&from[..end]));
            end
        };
        rest = &from[taken..];
    }
    out + rest
}

/// Rows of text, which may come from outside.
pub struct Rows(Table);

impl Rows {
    pub fn add_row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells.map(|cell| clean(&cell)));
    }

    /// A row of which one cell has this style.
    pub fn add_styled_row<const N: usize>(&mut self, cells: [String; N], column: usize, style: Style) {
        let mut cells = cells.map(|cell| clean(&cell));
        if let Some(cell) = cells.get_mut(column) {
            *cell = styled(style, &*cell);
        }
        self.0.add_row(cells);
    }

    pub fn trim_fmt(&self) -> String {
        self.0.trim_fmt()
    }
}

/// Columns that people copy from: what stands in them is never broken over two lines.
const COPIED: [&str; 3] = ["remediation", "account", "incident"];

/// A table without lines, as wide as the terminal allows.
pub fn table(header: &[&str]) -> Rows {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|h| h.to_uppercase()));
    for (column, name) in table.column_iter_mut().zip(header) {
        column.set_padding((0, 2));
        if COPIED.contains(name) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    Rows(table)
}

/// A text in lines of at most `width` characters, each with this indent. A longer word stays whole.
pub fn folded(text: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
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

/// The width of the terminal; without one, as wide as can be.
pub fn width() -> usize {
    width_of(&Table::new())
}

fn width_of(table: &Table) -> usize {
    table.width().map_or(usize::MAX, usize::from)
}

/// Maximum width of a label before a text.
const LABEL: usize = 24;

/// Each line of a text in lines of at most `width` characters. What continues a line stands below its beginning,
/// or below the text after its label. A longer word stays whole, and so does what stands in backticks.
fn wrapped(text: &str, width: usize) -> String {
    text.split('\n').map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    if plain.chars().count() <= width {
        return line.to_owned();
    }
    let indent = hanging_indent(&plain);
    let (mut out, mut column, mut piece) = (String::new(), 0, String::new());
    // Without its partner a backtick keeps nothing together.
    let is_code = line.matches('`').count().is_multiple_of(2);
    for part in line.split_inclusive(' ') {
        piece.push_str(part);
        if is_code && !piece.matches('`').count().is_multiple_of(2) {
            continue;
        }
        let plain = anstream::adapter::strip_str(&piece).to_string();
        let (length, word) = (plain.chars().count(), plain.trim_end().chars().count());
        if word > 0 && column > indent && column + word > width {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
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

/// A time as people read it: UTC, to the second, and how long ago.
pub fn when(time: Timestamp) -> String {
    format!("{} ({})", utc(time), how_long_ago(time))
}

/// How long ago a time was, for people.
pub fn how_long_ago(time: Timestamp) -> String {
    ago(Timestamp::now().duration_since(time))
}

/// A time in UTC, to the second.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How much time is left, for people: of hours, the minutes as well.
fn left(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    if (120..48 * 60).contains(&minutes) {
        return format!("{} h {} min", minutes / 60, minutes % 60);
    }
    short(duration)
}

fn ago(duration: SignedDuration) -> String {
    if duration.is_negative() {
        format!("in {}", left(-duration))
    } else {
        format!("{} ago", short(duration))
    }
}

#[cfg(test)]
mod tests {
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
    fn nothing_but_our_own_styles_passes() {
        for style in [BOLD, DIM, GOOD, BAD, WARN] {
            let ours = format!("{}\nä", styled(style, "x"));
            assert_eq!(guarded(&ours), ours);
        }
        assert_eq!(guarded("a\u{1b}[2Jb\u{9b}31mc\u{202e}d\re\u{1b}"), "a [2Jb 31mc\u{fffd}d e ");
        assert_eq!(guarded("\u{1b}[8mhidden"), " [8mhidden");
    }
}
