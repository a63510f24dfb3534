//! From bytes to JSON values: one document or JSON lines, plain or gzipped.

use super::Undecodable;
use crate::ident::quoted;
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Read;

/// A JSON value and where it stood (`""` for a whole document, `line 7: ` in JSON lines).
pub(super) struct Document {
    pub value: Value,
    pub place: String,
}

/// What a gzipped input may unpack to. What is longer is read as a stream.
const MAX_UNPACKED: u64 = 64 << 20;

/// Splits `bytes` into JSON values.
///
/// A whole input that is one JSON document is taken as such. Otherwise it is JSON lines, and
/// a broken line costs only itself.
pub(super) fn values(bytes: &[u8]) -> Result<Vec<Result<Document, Undecodable>>, Undecodable> {
    split(&unpack(bytes)?)
}

/// The same for what is not gzipped, or not any more.
pub(super) fn split(bytes: &[u8]) -> Result<Vec<Result<Document, Undecodable>>, Undecodable> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(broken("", "the input is empty: expected a GuardDuty finding", text));
    }
    let whole = match serde_json::from_slice(text) {
        Ok(value) => return Ok(vec![Ok(Document { value, place: String::new() })]),
        Err(error) => error,
    };
    if !is_lines(text) {
        return Err(broken("", &format!("not JSON: {whole}"), text));
    }
    Ok(text
        .split(|b| *b == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace))
        .map(|(index, line)| {
            let place = format!("line {}: ", index + 1);
            match serde_json::from_slice(line) {
                Ok(value) => Ok(Document { value, place }),
                Err(error) => Err(broken(place.trim_end_matches(": "), &format!("not JSON: {error}"), line)),
            }
        })
        .collect())
}

/// JSON lines: at least two lines have content, and one of them is a whole JSON object.
/// (A pretty-printed document that is broken has no such line.)
pub(super) fn is_lines(text: &[u8]) -> bool {
    let mut lines = text.split(|b| *b == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
    let first = lines.next();
    let rest = lines.next();
    rest.is_some()
        && first.into_iter().chain(rest).chain(lines).any(|line| {
            line.trim_ascii_start().starts_with(b"{")
                && serde_json::from_slice::<Value>(line)
                    .is_ok_and(|v| v.as_object().is_some_and(|o| !o.is_empty()))
        })
}

fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Undecodable> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    match MultiGzDecoder::new(bytes).take(MAX_UNPACKED + 1).read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() as u64 > MAX_UNPACKED => {
            Err(broken("", "unpacks to more than 64 MiB: split it into smaller files", bytes))
        }
        Ok(_) => Ok(Cow::Owned(unpacked)),
        Err(error) => Err(broken("", &format!("not a whole gzip file: {error}"), bytes)),
    }
}

pub(super) fn broken(path: &str, error: &str, bytes: &[u8]) -> Undecodable {
    Undecodable {
        path: if path.is_empty() { "(input)".to_owned() } else { path.to_owned() },
        error: error.to_owned(),
        finding_id: None,
        sha256: crate::digest::sha256(bytes),
    }
}

/// An [`Undecodable`] for a JSON value at `path`.
pub(super) fn broken_value(path: &str, error: String, value: &Value) -> Undecodable {
    let bytes = crate::canonical::of(value).unwrap_or_default();
    let id = value.get("id").or_else(|| value.get("Id")).and_then(Value::as_str);
    Undecodable { error, finding_id: id.map(|id| id.chars().take(128).collect()), ..broken(path, "", &bytes) }
}

/// What a value is, in a message: its kind, and its text when it is short.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("the text {}", quoted(s)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
