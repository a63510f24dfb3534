//! EventBridge patterns: read, and asked whether an event matches.
//!
//! The semantics are those of the EventBridge User Guide ("Comparison operators for use in event
//! patterns"): fields are AND, the values of a list are OR, an array in the event matches when one of
//! its elements does, and what is said about an object in an array must hold for one and the same
//! element. docs/adr/0004 says why this is not left to a library.

mod node;
mod read;

use node::{Choice, Field, Node, Test};
use serde::Deserialize;
use serde_json::Value;

/// A pattern as it stands in an event rule of EventBridge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventPattern(Node);

impl TryFrom<String> for EventPattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => read::node(&fields, "").map(Self),
            Ok(_) => Err("expected an event pattern: a JSON object".to_owned()),
            Err(error) => Err(format!(
                "not JSON: {error}: paste the event pattern between ''' and ''', as EventBridge shows it"
            )),
        }
    }
}

impl EventPattern {
    /// Whether an event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.0.holds(event)
    }

    /// The only finding types that it can match; none when it does not say so exactly.
    #[must_use]
    pub fn types(&self) -> Option<Vec<&str>> {
        let Field::Object(detail) = self.0.field("detail")? else { return None };
        let Field::Leaf(choices) = detail.field("type")? else { return None };
        let texts = choices.iter().map(|choice| match choice {
            Choice::Is(Test::Same(Value::String(text))) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

#[cfg(test)]
mod tests;
