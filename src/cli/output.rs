//! Standard output and standard error. Colour only on a terminal.

use super::Format;
pub use crate::report::short;
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::io::Write;

/// Where results go.
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

    /// A line for people. Control characters of foreign text do not reach the terminal.
    pub fn line(&self, text: impl AsRef<str>) {
        if self.is_text() {
            // A closed pipe (`| head`) is the reader's choice, not a failure.
            let _ = writeln!(anstream::stdout(), "{}", text.as_ref());
        }
    }

    /// A value for programs: one line of JSON.
    pub fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        if self.format == Format::Json {
            Self::raw(&serde_json::to_string(value)?);
        }
        Ok(())
    }

    /// A line for programs, in either format.
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
            let _ = writeln!(anstream::stderr(), "{BAD}error:{BAD:#} {}", clean_lines(text));
        } else {
            let _ = writeln!(std::io::stderr(), "{}", serde_json::json!({ "error": text }));
        }
    }
}

/// `text` in `style`.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A table without lines, as wide as the terminal allows.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|h| h.to_uppercase()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Foreign text, safe to print: no control characters, no text-direction tricks.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => {
                '\u{fffd}'
            }
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

fn clean_lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// A time as people read it: UTC, to the second, and how long ago.
pub fn when(time: Timestamp) -> String {
    format!("{} ({})", utc(time), ago(Timestamp::now().duration_since(time)))
}

/// A time in UTC, to the second.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn ago(duration: SignedDuration) -> String {
    if duration.is_negative() {
        format!("in {}", short(-duration))
    } else {
        format!("{} ago", short(duration))
    }
}
