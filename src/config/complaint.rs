//! What is wrong with a configuration, in the words of the person who wrote it: the key, what was found there, and what is
//! expected. Serde and the TOML reader say it in those of a programmer.

use super::position::span;
use crate::ident::quoted;
use serde_json::Value;
use std::fmt::Display;

/// What is wrong, and with which key.
pub(super) struct Complaint {
    /// The key, such as `rules[2].scope`; empty where it is about none.
    pub key: String,
    /// What was found, and what is expected.
    pub message: String,
    /// Byte of the text at which it stands.
    pub offset: usize,
}

/// Keys whose values may be secrets: no error shows them.
const SECRETS: [&str; 2] = ["external_id", "webhook"];

/// Separates, in the message of an error about a whole table, the key of the table that it is about.
const ABOUT: char = '\u{1f}';

/// Maximum number of keys that are listed where another was found.
const LISTED: usize = 12;

/// Maximum length of a value that is shown, in characters.
const SHOWN: usize = 60;

/// What a table says about one of its keys, while it is read as a whole.
pub(super) fn about(key: &str, message: impl Display) -> String {
    format!("{key}{ABOUT}{message}")
}

/// What serde says about the value at `key`. The schema says which keys there are.
pub(super) fn of_value(key: &str, message: &str, schema: &Value) -> Complaint {
    let key = if key == "." { "" } else { key };
    let of = |key: String, message: String| Complaint { key, message, offset: 0 };
    if let Some((part, rest)) = message.split_once(ABOUT).filter(|(part, _)| is_key(part)) {
        return of(within(key, part), rest.to_owned());
    }
    if let Some((field, others)) = named(message, "unknown field `") {
        let table = key.strip_suffix(field).map_or(key, |rest| rest.trim_end_matches('.'));
        return of(within(table, field), unknown_key(field, others, !table.is_empty(), schema));
    }
    if let Some((field, _)) = named(message, "missing field `") {
        let key = within(key, field);
        let what = description(schema, &key).map_or_else(String::new, |text| format!(": {text}"));
        return of(key, format!("missing, and required{what}"));
    }
    if let Some((found, expected)) = named(message, "unknown variant `") {
        return of(key.to_owned(), format!("{}: expected {}", quoted(found), choices(expected)));
    }
    let invalid = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = invalid.and_then(|rest| rest.rsplit_once(", expected ")) {
        return of(key.to_owned(), format!("{}: expected {}", kind_found(found), kind_expected(expected)));
    }
    // Of a name among several, where no text stands.
    let message = if message == "wanted string or table" { "expected a text in quotes" } else { message };
    of(key.to_owned(), message.to_owned())
}

/// What the TOML reader says of the text at `offset`, and the key that its line is about.
pub(super) fn of_syntax(text: &str, offset: usize, message: &str) -> Complaint {
    let start = text.get(..offset).map_or(0, |before| before.rfind('\n').map_or(0, |end| end + 1));
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let table = text.get(..start).unwrap_or_default().lines().rev().find_map(header);
    let Some((key, value)) = line.split_once('=').filter(|(key, _)| is_key(key.trim())) else {
        let found = header(line).map_or_else(String::new, |name| format!("[{name}]: "));
        return Complaint { key: String::new(), message: format!("{found}{message}"), offset };
    };
    let key = within(table.unwrap_or_default(), key.trim());
    let message = match message {
        "duplicate key" => "given twice: expected once",
        "string values must be quoted, expected literal string" => "expected a text in quotes",
        other => other,
    };
    let value = value.trim();
    let is_shown = !value.is_empty() && !SECRETS.iter().any(|secret| line.contains(secret));
    let found = if is_shown { format!("{}: ", cut(value)) } else { String::new() };
    Complaint { key, message: format!("{found}{message}"), offset }
}

impl Complaint {
    /// It is about a key, and not about a value: the key is missing, or there is no such key.
    pub fn is_about_no_value(&self) -> bool {
        self.message.starts_with("missing, and required") || self.message.starts_with("there is no such key")
    }

    /// With what was found there, where that is not said yet and is no secret.
    pub fn with_found(mut self, text: &str) -> Self {
        let last = self.key.rsplit('.').next().unwrap_or_default();
        let is_secret = SECRETS.iter().any(|secret| last.starts_with(secret));
        if self.is_about_no_value() || is_secret || self.message.contains("not shown") {
            return self;
        }
        let found = span(text, &self.key).and_then(|span| text.get(span)).unwrap_or_default().trim();
        let is_value = !found.is_empty() && !found.starts_with(['{', '[']) || found == "[]";
        let is_said = self.message.starts_with(['"', '[']) || self.message.starts_with(found);
        if is_value && !is_said {
            self.message = format!("{}: {}", cut(found), self.message);
        }
        self
    }
}

/// The text between a prefix and the next backquote, and what comes behind `expected`.
fn named<'m>(message: &'m str, prefix: &str) -> Option<(&'m str, &'m str)> {
    let rest = message.strip_prefix(prefix)?;
    let alone = || (rest.split('`').next().unwrap_or_default(), "");
    Some(rest.split_once("`, expected ").unwrap_or_else(alone))
}

/// The names in backquotes.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The variants that there are, as they are written in TOML.
fn choices(expected: &str) -> String {
    let quoted: Vec<String> = names(expected).iter().map(|name| format!("{name:?}")).collect();
    match quoted.as_slice() {
        [] => expected.to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A key that is not there: the nearest that is, or all.
fn unknown_key(field: &str, others: &str, is_in_table: bool, schema: &Value) -> String {
    let known = names(others);
    let of_file = schema["properties"].as_object().is_some_and(|all| all.contains_key(field));
    if is_in_table && of_file {
        return format!(
            "there is no such key in this table: `{field}` is a key of the whole file, above the first [table]"
        );
    }
    let nearest = known.iter().map(|name| (strsim::damerau_levenshtein(name, field), name)).min();
    match nearest {
        Some((distance, name)) if distance <= 1 + field.len() / 4 => {
            format!("there is no such key: expected `{name}`?")
        }
        _ if known.len() > LISTED => {
            "there is no such key: docs/configuration.md lists those that there are".to_owned()
        }
        _ => {
            let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("there is no such key: expected one of {}", all.join(", "))
        }
    }
}

/// What stands there, as serde names it.
fn kind_found(found: &str) -> String {
    for kind in ["integer `", "floating point `", "boolean `"] {
        if let Some(value) = found.strip_prefix(kind) {
            return value.trim_end_matches('`').to_owned();
        }
    }
    match found {
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => found.strip_prefix("string ").map_or_else(|| found.to_owned(), cut),
    }
}

/// What is expected, as serde names it.
fn kind_expected(expected: &str) -> String {
    match expected {
        "a string" => "a text in quotes".to_owned(),
        "a sequence" => "a list, in brackets".to_owned(),
        "a boolean" => "true or false, without quotes".to_owned(),
        "a map" => "a table".to_owned(),
        "a TOML datetime" => "a date without quotes".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on, without quotes".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number, without quotes".to_owned(),
        "f64" | "f32" => "a number, without quotes".to_owned(),
        _ if expected.starts_with("struct ") => "a table".to_owned(),
        _ => expected.to_owned(),
    }
}

/// The first sentence that the schema says about a key, without its full stop.
fn description(schema: &Value, key: &str) -> Option<String> {
    let mut at = schema;
    let parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
    for part in parts {
        at = resolved(schema, at);
        at =
            if part.parse::<usize>().is_ok() { at.get("items")? } else { at.get("properties")?.get(part)? };
    }
    let text = at.get("description").or_else(|| resolved(schema, at).get("description"))?.as_str()?;
    let text = text.replace('\n', " ");
    let sentence = text.split(". ").next().unwrap_or_default();
    Some(sentence.trim_end_matches('.').to_owned())
}

/// A schema that another names, or that is one of several.
fn resolved<'s>(root: &'s Value, at: &'s Value) -> &'s Value {
    let named = at.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
    let named = named.and_then(|name| root.pointer(name));
    let has_keys = |one: &&Value| resolved(root, one).get("properties").is_some();
    let of_several =
        ["anyOf", "oneOf", "allOf"].iter().find_map(|name| at.get(name)?.as_array()?.iter().find(has_keys));
    match (named, of_several) {
        (Some(other), _) | (None, Some(other)) => resolved(root, other),
        (None, None) => at,
    }
}

/// The name in a header such as `[member]` or `[[rules]]`.
fn header(line: &str) -> Option<&str> {
    let line = line.trim();
    let name = line.strip_prefix('[')?.trim_start_matches('[').split(']').next()?.trim();
    is_key(name).then_some(name)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-[]".contains(&b))
}

/// A key of a table.
fn within(table: &str, key: &str) -> String {
    match (table, key) {
        ("", _) => key.to_owned(),
        (_, index) if index.starts_with('[') => format!("{table}{index}"),
        _ => format!("{table}.{key}"),
    }
}

fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(SHOWN).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.replace(|c: char| c.is_control(), "�"))
}
