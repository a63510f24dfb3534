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
use serde_json::{Value, json};

/// A pattern as it stands in an event rule of EventBridge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventPattern(Node);

/// Security Hub's events that carry findings.
const HUB_EVENTS: [&str; 3] =
    ["Security Hub Findings - Imported", "Security Hub Findings - Custom Action", "Findings Imported V2"];

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

    /// Whether an event of Security Hub matches of which only a part is known; none when that depends on the rest.
    #[must_use]
    pub fn matches_known(&self, event: &Value) -> Option<bool> {
        // ASFF begins names with a capital, and OCSF with none: the other one's fields are certain not to be there.
        let finding = event.pointer("/detail/findings/0").and_then(Value::as_object);
        let is_capital = |text: &str| text.starts_with(|first: char| first.is_ascii_uppercase());
        let is_asff = finding.is_some_and(|finding| finding.keys().any(|key| is_capital(key)));
        let is_known = |path: &str| match path.strip_prefix("detail.findings.") {
            Some(field) => is_capital(field) != is_asff,
            None => false,
        };
        let mut unknown = Vec::new();
        let known = self.0.known(event, "", &is_known, &mut unknown);
        if known.holds(event) { unknown.is_empty().then_some(true) } else { Some(false) }
    }

    /// It is about events of Security Hub, and could be about one that has a finding of GuardDuty's.
    #[must_use]
    pub fn may_be_of_guardduty(&self) -> bool {
        let event = |kind: &str, finding: Value| json!({"source": "aws.securityhub", "detail-type": kind, "detail": {"findings": [finding]}});
        let [asff, ocsf] = [
            event(HUB_EVENTS[0], json!({"ProductName": "GuardDuty", "CompanyName": "Amazon"})),
            event(
                HUB_EVENTS[2],
                json!({"class_uid": 2004, "metadata": {"product": {"name": "GuardDuty", "vendor_name": "AWS"}}}),
            ),
        ];
        [asff, ocsf].iter().any(|event| self.matches_known(event) != Some(false))
    }

    /// It is about events of Security Hub, and not about GuardDuty's own.
    #[must_use]
    pub fn is_of_security_hub(&self) -> bool {
        let accepts = |field: &str, texts: &[&str]| match self.0.field(field) {
            Some(field) => texts.iter().any(|text| field.holds(Some(&Value::from(*text)))),
            None => false,
        };
        let has_findings = matches!(self.0.field("detail"), Some(Field::Object(detail)) if detail.field("findings").is_some());
        let of_guardduty =
            accepts("source", &["aws.guardduty"]) || accepts("detail-type", &["GuardDuty Finding"]);
        let of_hub =
            accepts("source", &["aws.securityhub"]) || accepts("detail-type", &HUB_EVENTS) || has_findings;
        of_hub && !of_guardduty
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
