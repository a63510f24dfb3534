//! What stands where in a record.
//!
//! A path is a name after the other with dots between: `in.roleName`. Its first name is `in` for what the caller sent,
//! `out` for what AWS answered, `who` for the caller; `*` stands for each element of a list. Letters match in either
//! case: CloudTrail writes `dBSnapshotIdentifier`, `DeleteFlowLogsRequest` and `aRN`, each after its service's taste.

use crate::safe::short_line;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Maximum length of each text that is kept of a record, in characters.
pub(super) const LONGEST: usize = 300;

/// What stands between the texts of a list.
pub(super) const BETWEEN: &str = ", ";

/// Stands for what was left off.
pub(super) const MORE: &str = "…";

/// Maximum number of values that are looked at under one path.
const MOST: usize = 1000;

/// The text at a JSON pointer, on one line and cut; none when there is none, or it is empty.
pub(super) fn text_at(record: &Value, pointer: &str) -> Option<String> {
    let text = record.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| short_line(text, LONGEST))
}

/// All values at a path.
pub(super) fn all<'a>(record: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![record];
    for (number, name) in path.split('.').enumerate() {
        let name = match (number, name) {
            (0, "in") => "requestParameters",
            (0, "out") => "responseElements",
            (0, "who") => "userIdentity",
            (_, name) => name,
        };
        found = found.into_iter().flat_map(|value| under(value, name)).take(MOST).collect();
    }
    found
}

fn under<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(values) if name == "*" => values.iter().collect(),
        // EC2 and S3 write a list of one as its element.
        value if name == "*" => vec![value],
        Value::Array(values) => {
            name.parse::<usize>().ok().and_then(|at| values.get(at)).into_iter().collect()
        }
        Value::Object(members) => members
            .get(name)
            .or_else(|| members.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, v)| v))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether something stands at a path.
pub(super) fn has(record: &Value, path: &str) -> bool {
    all(record, path).iter().any(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}

/// Whether one of the values at a path is this text, in either case. True and false are texts here too.
pub(super) fn is(record: &Value, path: &str, wanted: &str) -> bool {
    all(record, path).iter().any(|value| match value {
        Value::String(text) => text.eq_ignore_ascii_case(wanted),
        Value::Bool(value) => value.to_string() == wanted,
        _ => false,
    })
}

/// The texts at a path, each on one line and cut. What CloudTrail hides is none.
pub(super) fn texts(record: &Value, path: &str) -> Vec<String> {
    all(record, path).into_iter().filter_map(text_of).collect()
}

/// The texts at the first of some paths that has any, as one text of whole values.
pub(super) fn text(record: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().map(|path| texts(record, path)).find(|texts| !texts.is_empty()).map(|texts| joined(&texts))
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        // EC2 writes an attribute of an element beside it: `{"content": "fl-1", "tag": 1}`.
        Value::Object(members) => members.get("content")?.as_str()?.to_owned(),
        _ => return None,
    };
    let hidden = ["HIDDEN_DUE_TO_SECURITY_REASONS", "<sensitiveDataRemoved>", "***"];
    if text.is_empty() || hidden.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    // EKS records an ARN as it stood in the address of the call.
    let encoded = text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("arn%3a"));
    let text = if encoded { percent_decode_str(&text).decode_utf8_lossy().into_owned() } else { text };
    Some(short_line(&text, LONGEST))
}

/// Whole texts with commas between, as many as fit.
fn joined(texts: &[String]) -> String {
    let Some((first, rest)) = texts.split_first() else { return String::new() };
    let mut line = first.clone();
    let mut length = line.chars().count();
    for text in rest {
        length += BETWEEN.len() + text.chars().count();
        if length + BETWEEN.len() + 1 > LONGEST {
            return short_line(&(line + BETWEEN + MORE), LONGEST);
        }
        line = line + BETWEEN + text;
    }
    line
}
