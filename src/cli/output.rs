//! Standard output and standard error. Colour only on a terminal.

pub use super::folding::{folded, words};
use super::folding::{folded_command, wrapped};
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

/// The width of the terminal, or what `COLUMNS` says; without both, as wide as can be.
pub fn width() -> usize {
    width_of(&Table::new())
}

fn width_of(table: &Table) -> usize {
    let named =
        || std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|width| *width > 0);
    table.width().map(usize::from).or_else(named).unwrap_or(usize::MAX)
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
    fn nothing_but_our_own_styles_passes() {
        for style in [BOLD, DIM, GOOD, BAD, WARN] {
            let ours = format!("{}\nä", styled(style, "x"));
            assert_eq!(guarded(&ours), ours);
        }
        assert_eq!(guarded("a\u{1b}[2Jb\u{9b}31mc\u{202e}d\re\u{1b}"), "a [2Jb 31mc\u{fffd}d e ");
        assert_eq!(guarded("\u{1b}[8mhidden"), " [8mhidden");
    }
}
