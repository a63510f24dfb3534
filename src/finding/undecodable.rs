//! Input that is not a readable finding, and what is wrong with it.

use crate::ident::quoted;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that came where a finding was expected and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{path}: {error}")]
pub struct Undecodable {
    /// Where the offending field is, for example `detail.resource.accessKeyDetails`.
    pub path: String,
    /// What is wrong with it.
    pub error: String,
    /// The finding's id, where it could be read.
    pub finding_id: Option<String>,
    /// SHA-256 of the offending JSON (or bytes), in hexadecimal; for an actor that of its finding's
    /// SHA-256 and the field.
    pub sha256: String,
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

/// Where a field stands: `inner` of what stood at `path`.
pub(super) fn place(path: &str, inner: &str) -> String {
    match (path, inner) {
        ("", "") => "(finding)".to_owned(),
        ("", inner) => inner.to_owned(),
        (path, "") => path.to_owned(),
        (path, inner) => format!("{path}.{inner}"),
    }
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
