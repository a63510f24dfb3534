//! Foreign text, made harmless: control characters and marks that turn the direction of writing.

use serde_json::Value;
use std::fmt;
use std::io::Write;

/// Marks that make a text look as if it said something else.
#[must_use]
pub(super) fn is_trick(c: char) -> bool {
    matches!(
        c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
    )
}

/// A character that is not shown as it is, in a text of several lines.
fn is_bad(c: char) -> bool {
    is_trick(c) || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// A text in one line.
pub(super) fn line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if is_trick(c) => '\u{fffd}',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

/// Takes all that is rendered, and lets nothing bad pass: whatever template it comes from.
pub(super) struct Cleaned<'a> {
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
pub(super) struct Escaped;

impl serde_json::ser::Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> std::io::Result<()> {
        // What can be bad begins with one of these bytes.
        if !text.bytes().any(|byte| byte == b'<' || byte == 0x7f || byte >= 0xc2) {
            return out.write_all(text.as_bytes());
        }
        let mut start = 0;
        for (at, c) in text.char_indices() {
            if is_bad(c) || c == '<' {
                out.write_all(&text.as_bytes()[start..at])?;
                // All of them are in the basic plane.
                write!(out, "\\u{:04x}", u32::from(c))?;
                start = at + c.len_utf8();
            }
        }
        out.write_all(&text.as_bytes()[start..])
    }
}

/// Without what is empty: no null, no text of nothing but spaces, no list or object without members. What is
/// not known is left out, for validators that refuse it otherwise.
pub(super) fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, one)| (key, without_empty(one)))
            .filter(|(_, one)| !is_empty(one))
            .collect(),
        Value::Array(all) => all.into_iter().map(without_empty).filter(|one| !is_empty(one)).collect(),
        other => other,
    }
}

/// Writes a value as one line of JSON, without its line feed.
pub(super) fn json(value: &impl serde::Serialize, out: &mut dyn Write) -> std::io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Escaped)).map_err(std::io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_empty_is_left_at_any_depth() {
        let value = serde_json::json!({
            "a": null, "b": "", "c": [], "d": {}, "e": {"f": [null, {"g": " "}], "h": 0}, "i": false, "j": ["x", ""],
        });
        let left = serde_json::json!({"e": {"h": 0}, "i": false, "j": ["x"]});
        assert_eq!(without_empty(value), left);
    }

    proptest! {
        #[test]
        fn escaped_json_is_the_same_for_a_parser(text in any::<String>()) {
            let mut out = Vec::new();
            json(&text, &mut out).expect("a Vec takes it");
            let out = String::from_utf8(out).expect("UTF-8");
            prop_assert!(!out.chars().any(|c| is_trick(c) || c.is_control() || c == '<'), "{out}");
            let again: String = serde_json::from_str(&out).expect("JSON");
            prop_assert_eq!(again, text);
        }
    }
}
