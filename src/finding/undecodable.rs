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
    /// It is a finding of another product than GuardDuty: it matters only where a rule names the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Box<Foreign>>,
}

/// A finding of another product than GuardDuty that is not acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// The product's name, as Security Hub has it.
    pub product: String,
    /// Why it is not acted on.
    pub why: ForeignReason,
}

/// Why a finding of another product is not acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignReason {
    /// No rule names the product.
    Unnamed,
    /// It names no credentials.
    NoCredentials,
    /// A field cannot be read.
    Broken,
}

impl Undecodable {
    /// A finding of a product that no rule names: one for all of the product, so that many are recorded once.
    #[must_use]
    pub fn of_unnamed_product(product: &str) -> Self {
        let name = quoted(product);
        let error = format!(
            "a Security Hub finding of {name}: only GuardDuty's are acted on unless a rule names the product: products = [{name}]"
        );
        Self::of_product(product, ForeignReason::Unnamed, &error)
    }

    /// A finding of another product that names no credentials: one for all of the product.
    #[must_use]
    pub fn without_credentials(product: &str) -> Self {
        let name = quoted(product);
        let error = format!(
            "a Security Hub finding of {name} that names no AWS access key and no role: nothing to revoke"
        );
        Self::of_product(product, ForeignReason::NoCredentials, &error)
    }

    /// It stands for all findings of a product that are not acted on for the same reason.
    #[must_use]
    pub fn is_of_whole_product(&self) -> bool {
        self.foreign.as_ref().is_some_and(|foreign| foreign.why != ForeignReason::Broken)
    }

    fn of_product(product: &str, why: ForeignReason, error: &str) -> Self {
        let foreign = Foreign { product: product.to_owned(), why };
        Self { foreign: Some(Box::new(foreign)), ..broken("(finding)", error, error.as_bytes()) }
    }
}

pub(super) fn broken(path: &str, error: &str, bytes: &[u8]) -> Undecodable {
    Undecodable {
        path: if path.is_empty() { "(input)".to_owned() } else { path.to_owned() },
        error: error.to_owned(),
        finding_id: None,
        sha256: crate::digest::sha256(bytes),
        foreign: None,
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
