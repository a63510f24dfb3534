//! The fields of a finding, one by one. What a decision needs can refuse it; what decides nothing is
//! left out when it cannot be read, and noted.

use super::undecodable::kind;
use crate::ident::{AccountId, quoted};
use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

/// Maximum length of free text, in characters.
const LONGEST_TEXT: usize = 500;

/// Maximum number of notes about one finding.
const MOST_NOTES: usize = 20;

/// Number below which a time is in seconds since 1970: in milliseconds it would be before 1974.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// Largest integer that canonical JSON holds exactly (RFC 8785).
const LARGEST_COUNT: u64 = 1 << 53;

/// Why a finding cannot be read: the path of the field, and what is wrong with it.
pub(super) type Wrong = (String, String);

/// The fields of a JSON object. A path is written with dots: `service.action.actionType`.
pub(super) struct Fields<'a> {
    root: &'a Value,
    notes: Vec<String>,
}

impl<'a> Fields<'a> {
    pub fn of(root: &'a Value) -> Self {
        Self { root, notes: Vec::new() }
    }

    pub fn into_notes(self) -> Vec<String> {
        self.notes
    }

    /// Something that does not refuse the finding.
    pub fn note(&mut self, path: &str, what: &str) {
        let note = format!("{path}: {what}");
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The value at a path; none when it is missing or null. The path of what is no object, and should
    /// be, is the error.
    fn find(&self, path: &str) -> Result<Option<&'a Value>, Wrong> {
        let (mut value, mut end) = (self.root, 0_usize);
        for key in path.split('.') {
            let Value::Object(object) = value else {
                let at = path.get(..end.saturating_sub(1)).unwrap_or_default();
                return Err((at.to_owned(), format!("expected an object, found {}", kind(value))));
            };
            match object.get(key) {
                None | Some(Value::Null) => return Ok(None),
                Some(inner) => value = inner,
            }
            end += key.len() + 1;
        }
        Ok(Some(value))
    }

    /// The value at a path that decides nothing.
    pub fn value(&mut self, path: &str) -> Option<&'a Value> {
        match self.find(path) {
            Ok(value) => value,
            Err((at, what)) => {
                self.note(&at, &format!("{what}: left out"));
                None
            }
        }
    }

    fn odd<T>(&mut self, path: &str, expected: &str, found: &Value) -> Option<T> {
        self.note(path, &format!("expected {expected}, found {}: left out", kind(found)));
        None
    }

    pub fn text(&mut self, path: &str) -> Option<String> {
        match self.value(path)? {
            Value::String(text) => Some(cut(text)),
            other => self.odd(path, "a text", other),
        }
    }

    /// RFC 3339; also with a space, and without a zone, which is then taken as UTC.
    pub fn time(&mut self, path: &str) -> Option<Timestamp> {
        let value = self.value(path)?;
        match value.as_str().and_then(|text| self.parse_time(path, text)) {
            Some(time) => Some(time),
            None => self.odd(path, "a time such as 2026-11-21T23:47:00Z", value),
        }
    }

    fn parse_time(&mut self, path: &str, text: &str) -> Option<Timestamp> {
        if let Ok(time) = text.parse() {
            return Some(time);
        }
        let time = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        self.note(path, &format!("{} names no time zone: taken as UTC", quoted(text)));
        Some(time)
    }

    /// The same; also as a number of milliseconds or seconds since 1970.
    pub fn time_or_number(&mut self, path: &str) -> Option<Timestamp> {
        let Some(Value::Number(number)) = self.value(path) else { return self.time(path) };
        let count = number.as_i64().or_else(|| whole(number.as_f64()?)?.try_into().ok());
        let time = count.and_then(|count| match count {
            0 => None,
            count if count < SECONDS_BELOW => Timestamp::from_second(count).ok(),
            count => Timestamp::from_millisecond(count).ok(),
        });
        match time {
            Some(time) => Some(time),
            None => self.odd(path, "a time in milliseconds", &Value::Number(number.clone())),
        }
    }

    pub fn number(&mut self, path: &str) -> Option<f64> {
        let value = self.value(path)?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| number.is_finite()) {
            Some(number) => Some(number),
            None => self.odd(path, "a number", value),
        }
    }

    pub fn count(&mut self, path: &str) -> Option<u64> {
        let value = self.value(path)?;
        let count = match value {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match count.filter(|count| *count <= LARGEST_COUNT) {
            Some(count) => Some(count),
            None => self.odd(path, "a whole number", value),
        }
    }

    pub fn flag(&mut self, path: &str) -> Option<bool> {
        let value = self.value(path)?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        match flag {
            Some(flag) => Some(flag),
            None => self.odd(path, "true or false", value),
        }
    }

    /// A text that a decision rests on.
    pub fn exact(&self, path: &str) -> Result<Option<String>, Wrong> {
        match self.find(path)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(cut(text))),
            Some(other) => Err((path.to_owned(), format!("expected a text, found {}", kind(other)))),
        }
    }

    /// A text that a decision rests on, or the JSON of what stands there instead: that is no id of anybody, so a person is
    /// asked.
    pub fn odd_text(&mut self, path: &str) -> Result<Option<String>, Wrong> {
        let Some(odd) = self.find(path)?.filter(|value| !value.is_string()) else { return self.exact(path) };
        self.note(path, &format!("expected a text, found {}: kept as it stands there", kind(odd)));
        Ok(Some(cut(&odd.to_string())))
    }

    /// A text without which there is no finding.
    pub fn required(&self, path: &str) -> Result<String, Wrong> {
        self.exact(path)?.ok_or_else(|| missing(path))
    }

    /// A time that a decision rests on, as it was written and as it is.
    pub fn required_time(&mut self, path: &str) -> Result<(String, Timestamp), Wrong> {
        let text = self.required(path)?;
        let Some(time) = self.parse_time(path, &text) else {
            let error = format!("{}: expected a time such as 2026-11-21T23:47:00Z", quoted(&text));
            return Err((path.to_owned(), error));
        };
        Ok((text, time))
    }

    /// An account id; also as a number, when that has twelve digits.
    pub fn account(&self, path: &str) -> Result<Option<AccountId>, Wrong> {
        let text = match self.find(path)? {
            Some(Value::Number(number)) => number.to_string(),
            _ => match self.exact(path)? {
                Some(text) => text,
                None => return Ok(None),
            },
        };
        text.parse().map(Some).map_err(|error: crate::ident::BadName| (path.to_owned(), error.to_string()))
    }

    /// Whether there is an object at a path. Something else there is an error.
    pub fn is_object(&self, path: &str) -> Result<bool, Wrong> {
        match self.find(path)? {
            None => Ok(false),
            Some(Value::Object(_)) => Ok(true),
            Some(other) => Err((path.to_owned(), format!("expected an object, found {}", kind(other)))),
        }
    }
}

/// The value at a path with dots, in whatever it is.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// The text at a path with dots.
pub(super) fn text_at<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    at(value, path)?.as_str()
}

/// Whether an object has something under this key.
pub(super) fn has(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).is_some_and(|value| !value.is_null())
}

/// A field without which there is no finding.
pub(super) fn missing(path: &str) -> Wrong {
    (String::new(), format!("missing field `{path}`"))
}

fn cut(text: &str) -> String {
    text.char_indices().nth(LONGEST_TEXT).map_or(text, |(end, _)| &text[..end]).to_owned()
}

/// Reads a whole number, also one that is written as `3.0`.
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_can_be_understood_is_and_what_cannot_is_noted() {
        let value = json!({
            "a": {"text": "t", "odd": 7, "list": []},
            "severity": "8", "count": 1.0, "flag": "True", "time": "2026-11-21 23:47:00.5", "bad": {},
        });
        let mut fields = Fields::of(&value);
        assert_eq!(fields.text("a.text").as_deref(), Some("t"));
        assert_eq!(fields.number("severity"), Some(8.0));
        assert_eq!(fields.count("count"), Some(1));
        assert_eq!(fields.flag("flag"), Some(true));
        assert_eq!(fields.time("time").map(|t| t.to_string()).as_deref(), Some("2026-11-21T23:47:00.5Z"));
        assert_eq!(fields.text("a.none.deeper"), None);
        for _ in 0..2 {
            assert_eq!(fields.text("a.odd"), None);
            assert_eq!(fields.text("a.list.first"), None);
            assert_eq!(fields.time("bad"), None);
            assert_eq!(fields.count("bad"), None);
        }
        insta::assert_snapshot!(fields.into_notes().join("\n"), @r#"
        time: "2026-11-21 23:47:00.5" names no time zone: taken as UTC
        a.odd: expected a text, found the number 7: left out
        a.list: expected an object, found a list: left out
        bad: expected a time such as 2026-11-21T23:47:00Z, found an object: left out
        bad: expected a whole number, found an object: left out
        "#);
    }

    #[test]
    fn a_number_that_is_none_or_too_large_is_left_out() {
        let value = json!({"a": "NaN", "b": "inf", "c": -1, "d": 1.5, "e": 1e300, "f": 18_446_744_073_709_551_615_u64});
        let mut fields = Fields::of(&value);
        assert_eq!((fields.number("a"), fields.number("b")), (None, None));
        assert!(["c", "d", "e", "f"].iter().all(|path| fields.count(path).is_none()));
        assert_eq!(fields.into_notes().len(), 6);
    }
}
