//! Makes text from outside harmless: it cannot break out of its line, control a terminal, or be displayed as
//! something else. Everything that shows such a text uses this; the ledger keeps it as it came.

use std::fmt;
use std::io::Write;

/// Marks that turn the direction of a text, hide in it, or end a line for some readers. Unicode calls them
/// format characters and separators.
#[must_use]
pub fn is_trick(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A character that is never shown as it is.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    is_trick(c) || c.is_control()
}

/// In a text of several lines.
fn is_bad(c: char) -> bool {
    is_harmful(c) && !matches!(c, '\n' | '\t')
}

fn harmless(c: char) -> char {
    match c {
        // They end a line.
        '\u{2028}' | '\u{2029}' => ' ',
        c if is_trick(c) => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => ' ',
        c => c,
    }
}

/// A text in one line.
#[must_use]
pub fn line(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// A text in one line of at most `longest` characters.
#[must_use]
pub fn short_line(text: &str, longest: usize) -> String {
    let mut chars = text.chars();
    let mut line: String = chars.by_ref().take(longest).map(harmless).collect();
    if chars.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// A text of several lines of our own.
#[must_use]
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Takes all that is rendered, and lets nothing bad pass: whatever template it comes from.
pub(crate) struct Cleaned<'a> {
    pub out: &'a mut dyn Write,
    pub error: Option<std::io::Error>,
}

impl fmt::Write for Cleaned<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let done = if text.chars().any(is_bad) {
            let clean: String = text.chars().map(|c| if is_bad(c) { '\u{fffd}' } else { c }).collect();
            self.out.write_all(clean.as_bytes())
        } else {
            self.out.write_all(text.as_bytes())
        };
        done.map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

/// JSON in which such characters are escaped, and `<` too: the text is the same for every parser, and
/// harmless for a terminal, or for a page that it is put into.
struct Escaped;

impl serde_json::ser::Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> std::io::Result<()> {
        escape(text, |c| is_harmful(c) || c == '<', out)
    }
}

/// Writes `text` with the characters that `which` names as JSON escapes them.
fn escape<W: ?Sized + Write>(text: &str, which: impl Fn(char) -> bool, out: &mut W) -> std::io::Result<()> {
    // What can be bad is no ASCII that is printed, or is this.
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'<') {
        return out.write_all(text.as_bytes());
    }
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if which(c) {
            out.write_all(&text.as_bytes()[start..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            start = at + c.len_utf8();
        }
    }
    out.write_all(&text.as_bytes()[start..])
}

/// Writes a value as one line of JSON, without its line feed.
///
/// # Errors
/// When it cannot be written.
pub fn json(value: &impl serde::Serialize, out: &mut dyn Write) -> std::io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Escaped)).map_err(std::io::Error::from)
}

/// A value as one line of JSON.
///
/// # Errors
/// When it has no JSON.
pub fn json_line(value: &impl serde::Serialize) -> std::io::Result<String> {
    let mut line = Vec::new();
    json(value, &mut line)?;
    String::from_utf8(line).map_err(std::io::Error::other)
}

/// JSON that stands written already, the same for every parser. Its own line breaks stay.
#[must_use]
pub fn json_text(text: &str) -> String {
    let mut escaped = Vec::new();
    let _ = escape(text, |c| is_harmful(c) && !matches!(c, '\n' | '\r' | '\t'), &mut escaped);
    String::from_utf8_lossy(&escaped).into_owned()
}

/// Where lines of JSON go, each written at once with its line feed: what is not escaped in them is.
pub(crate) struct JsonLines<W>(pub W);

impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(json_text(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Texts in which most characters are bad.
    fn nasty() -> impl Strategy<Value = String> {
        let some = [
            "\n",
            "\r",
            "\t",
            "\0",
            "\u{1b}[2J",
            "\u{7f}",
            "\u{9b}31m",
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\u{2028}",
            "\u{feff}",
            "\u{e0041}",
            "<",
            "\"",
            "\\",
            "ä",
            "a",
        ];
        prop_oneof![
            any::<String>(),
            prop::collection::vec(prop::sample::select(some.to_vec()), 0..9).prop_map(|all| all.concat())
        ]
    }

    proptest! {
        #[test]
        fn escaped_json_is_the_same_for_a_parser(text in nasty()) {
            let line = json_line(&text).expect("JSON");
            prop_assert!(!line.chars().any(|c| is_harmful(c) || c == '<'), "{line}");
            prop_assert_eq!(&serde_json::from_str::<String>(&line).expect("JSON"), &text);
            // So is what was written by others.
            let plain = serde_json::to_string_pretty(&[&text]).expect("JSON");
            let mut through = JsonLines(Vec::new());
            through.write_all(plain.as_bytes()).expect("written");
            let through = String::from_utf8(through.0).expect("UTF-8");
            prop_assert!(!through.chars().any(is_bad), "{through}");
            prop_assert_eq!(&serde_json::from_str::<Vec<String>>(&through).expect("JSON"), &[text]);
        }

        #[test]
        fn a_line_is_a_line(text in nasty(), longest in 1..20_usize) {
            prop_assert!(!line(&text).chars().any(is_harmful));
            prop_assert_eq!(line(&text).chars().count(), text.chars().count());
            let short = short_line(&text, longest);
            prop_assert!(!short.chars().any(is_harmful) && short.chars().count() <= longest, "{short}");
            prop_assert_eq!(lines(&text).split('\n').count(), text.split('\n').count());
            prop_assert!(!lines(&text).chars().any(is_bad));
        }
    }

    #[test]
    fn one_line_is_one_line_and_short() {
        assert_eq!(short_line("a\nb\u{9b}c", 10), "a b c");
        assert_eq!(short_line("äöüß", 4), "äöüß");
        assert_eq!(short_line("äöüßx", 4), "äöü…");
        assert_eq!(short_line("", 4), "");
        assert_eq!(line("a\u{202e}b\u{200b}c\u{2028}d"), "a\u{fffd}b\u{fffd}c d");
    }
}
