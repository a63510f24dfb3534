//! Standard output and standard error. Colour only on a terminal.

use crate::org::AccountNames;
pub use crate::remediation::short;
use crate::safe;
pub use crate::safe::line as clean;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use comfy_table::Table;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How results are written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and sentences, for people.
    Text,
    /// One JSON document, for programs.
    Json,
    /// Lines of JSON, each as soon as it is known.
    Jsonl,
}

/// Where a command writes its results and its notes.
pub struct Screen {
    format: Format,
    /// The parts of the document that is not printed yet.
    parts: Mutex<Vec<(String, Part)>>,
    /// The names of the accounts that texts are about.
    names: Mutex<AccountNames>,
}

/// A part of a document, as JSON.
enum Part {
    List(Vec<String>),
    One(String),
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const WARN: Style = AnsiColor::Yellow.on_default();

impl Screen {
    pub fn new(format: Format) -> Self {
        Self { format, parts: Mutex::default(), names: Mutex::default() }
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

    /// The same, with lines as wide as the terminal, and the names of accounts beside their ids.
    pub fn prose(&self, text: impl AsRef<str>) {
        if self.is_text() {
            let text = locked(&self.names).in_text(text.as_ref());
            self.line(wrapped(&text, width()));
        }
    }

    /// A command to copy, in one line of a shell: what is wider than the terminal goes on behind a backslash.
    pub fn command(&self, indent: usize, command: &str) {
        let text = folded_command(command, indent, width());
        self.line(text);
    }

    /// From now on the names of the accounts stand beside their ids.
    pub fn knows(&self, names: AccountNames) {
        *locked(&self.names) = names;
    }

    /// The names of the accounts.
    pub fn names(&self) -> AccountNames {
        locked(&self.names).clone()
    }

    /// An empty terminal, for what is shown again and again.
    pub fn clear(&self) {
        if self.is_text() && std::io::stdout().is_terminal() {
            let _ = write!(std::io::stdout(), "\x1b[2J\x1b[H");
        }
    }

    /// A whole document for programs: one line of JSON.
    pub fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        if !self.is_text() {
            Self::raw(&safe::json_line(value)?);
        }
        Ok(())
    }

    /// An item of a list of the document; or a line, where each is wanted as soon as it is known.
    pub fn item(&self, list: &'static str, value: &impl Serialize) -> anyhow::Result<()> {
        match self.format {
            Format::Text => {}
            Format::Jsonl => Self::raw(&safe::json_line(value)?),
            Format::Json => self.part(list, |part| {
                if let Part::List(items) = part {
                    items.push(safe::json_line(value)?);
                }
                Ok(())
            })?,
        }
        Ok(())
    }

    /// A field of the document that is no list; or a line with this field alone.
    pub fn field(&self, name: &'static str, value: &impl Serialize) -> anyhow::Result<()> {
        match self.format {
            Format::Text => {}
            Format::Jsonl => Self::raw(&format!("{{\"{name}\":{}}}", safe::json_line(value)?)),
            Format::Json => self.set(name, value)?,
        }
        Ok(())
    }

    /// Fields of the document; or a line with these fields.
    pub fn fields(&self, value: &serde_json::Value) -> anyhow::Result<()> {
        match (self.format, value) {
            (Format::Json, serde_json::Value::Object(fields)) => {
                fields.iter().try_for_each(|(name, value)| self.set(name, value))
            }
            _ => self.json(value),
        }
    }

    fn set(&self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        self.part(name, |part| {
            *part = Part::One(safe::json_line(value)?);
            Ok(())
        })
    }

    /// The lists that the document has, also where nothing is in them.
    pub fn lists(&self, names: &[&'static str]) {
        for name in names.iter().filter(|_| self.format == Format::Json) {
            let _ = self.part(name, |_| Ok(()));
        }
    }

    /// Whether there is more than the list has, and the end of the document.
    pub fn end_with_more(&self, is_more: bool) -> anyhow::Result<()> {
        self.about_items("more", &is_more)?;
        self.end();
        Ok(())
    }

    /// A field of the document about its items, which has no line where each of them has one.
    pub fn about_items(&self, name: &'static str, value: &impl Serialize) -> anyhow::Result<()> {
        if self.format == Format::Json { self.set(name, value) } else { Ok(()) }
    }

    fn part(&self, name: &str, change: impl Fn(&mut Part) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut parts = locked(&self.parts);
        if !parts.iter().any(|(known, _)| *known == name) {
            parts.push((name.to_owned(), Part::List(Vec::new())));
        }
        parts.iter_mut().filter(|(known, _)| *known == name).try_for_each(|(_, part)| change(part))
    }

    /// Forgets a document that nothing was put into.
    pub fn drop_empty(&self) {
        let mut parts = locked(&self.parts);
        let is_empty = |part: &Part| matches!(part, Part::List(items) if items.is_empty());
        if parts.iter().all(|(_, part)| is_empty(part)) {
            parts.clear();
        }
    }

    /// Prints the document whose parts were given one by one.
    pub fn end(&self) {
        let parts = std::mem::take(&mut *locked(&self.parts));
        if parts.is_empty() {
            return;
        }
        let of = |(name, part): (String, Part)| match part {
            Part::List(items) => format!("\"{name}\":[{}]", items.join(",")),
            Part::One(value) => format!("\"{name}\":{value}"),
        };
        Self::raw(&format!("{{{}}}", parts.into_iter().map(of).collect::<Vec<_>>().join(",")));
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

/// The width of the terminal, or what `COLUMNS` says; without both, as wide as can be.
pub fn width() -> usize {
    width_of(&Table::new())
}

fn width_of(table: &Table) -> usize {
    let named =
        || std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|width| *width > 0);
    table.width().map(usize::from).or_else(named).unwrap_or(usize::MAX)
}

/// A command in lines of at most `width` characters, where that can be: each but the last ends in a backslash, and none
/// is broken within quotes. A comment behind it stands in a line of its own.
fn folded_command(command: &str, indent: usize, width: usize) -> String {
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
fn wrapped(text: &str, width: usize) -> String {
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

/// A time as people read it: UTC, to the second, and how long ago.
pub fn when(time: Timestamp) -> String {
    format!("{} ({})", utc(time), ago(Timestamp::now().duration_since(time)))
}

/// Age from which on a date says more than a number of days.
const OLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long ago a time was, for people; of what is older than a week, the day.
pub fn how_long_ago(time: Timestamp) -> String {
    let age = Timestamp::now().duration_since(time);
    if age > OLD { time.strftime("%Y-%m-%d").to_string() } else { ago(age) }
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
