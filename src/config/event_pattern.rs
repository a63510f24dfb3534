//! EventBridge patterns, checked when they are read: an operator that is not understood must not
//! pass for one that does not match.

use serde::Deserialize;
use serde_json::Value;

/// What EventBridge has and the matcher does not: named in the refusal, with what to do instead.
const REFUSED: [(&str, &str); 1] = [("$or", "write one rule for each alternative")];

/// A pattern as it stands in an event rule of EventBridge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventPattern {
    text: String,
    types: Option<Vec<String>>,
}

impl EventPattern {
    /// The pattern as JSON, without white space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The only finding types that it can match; none when it does not say so exactly.
    #[must_use]
    pub fn types(&self) -> Option<&[String]> {
        self.types.as_deref()
    }
}

impl TryFrom<String> for EventPattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let pattern: Value = serde_json::from_str(&text).map_err(|error| {
            format!("not JSON: {error}: paste the event pattern between ''' and ''', as EventBridge shows it")
        })?;
        let Value::Object(fields) = &pattern else {
            return Err("expected an event pattern: a JSON object".to_owned());
        };
        if fields.is_empty() {
            return Err("an empty pattern: name at least one field, such as \"source\"".to_owned());
        }
        check(&pattern, "")?;
        let text = pattern.to_string();
        // What is left to the matcher: CIDR blocks, numbers, wildcards, sizes.
        quamina::Quamina::<usize>::new().add_pattern(0, &text).map_err(|error| error.to_string())?;
        let types = pattern.pointer("/detail/type").and_then(Value::as_array).and_then(|types| {
            types.iter().map(|kind| kind.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        Ok(Self { text, types })
    }
}

/// Checks the fields below `path`.
fn check(value: &Value, path: &str) -> Result<(), String> {
    let Value::Object(fields) = value else {
        return Err(format!("{path}: expected a list of values, such as [\"aws.guardduty\"]"));
    };
    for (key, value) in fields {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Some((operator, instead)) = REFUSED.iter().find(|(operator, _)| operator == key) {
            return Err(format!("{path}: the operator \"{operator}\" is not supported: {instead}"));
        }
        match value {
            Value::Array(choices) if choices.is_empty() => {
                return Err(format!("{path}: an empty list matches nothing"));
            }
            Value::Array(choices) => choices.iter().try_for_each(|choice| check_choice(choice, &path))?,
            Value::Object(inner) if inner.is_empty() => {
                return Err(format!("{path}: an empty object matches nothing"));
            }
            other => check(other, &path)?,
        }
    }
    Ok(())
}

/// Checks one value of a list: a literal, or an operator.
fn check_choice(choice: &Value, path: &str) -> Result<(), String> {
    let operator = match choice {
        Value::Object(operator) => operator,
        Value::Array(_) => return Err(format!("{path}: a list in a list matches nothing")),
        _ => return Ok(()),
    };
    let mut entries = operator.iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(format!("{path}: expected one operator, such as {{\"prefix\": \"…\"}}"));
    };
    let legal = match name.as_str() {
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" | "cidr" => value.is_string(),
        "exists" => value.is_boolean(),
        "numeric" => value.is_array(),
        "anything-but" => match value {
            Value::Array(values) => {
                let (texts, numbers) =
                    (values.iter().all(Value::is_string), values.iter().all(Value::is_number));
                !values.is_empty() && (texts || numbers)
            }
            value => value.is_string() || value.is_number(),
        },
        _ => {
            return Err(format!(
                "{path}: the operator {} is not supported: expected prefix, suffix, equals-ignore-case, wildcard, \
                 anything-but, numeric, cidr or exists",
                crate::ident::quoted(name)
            ));
        }
    };
    if legal {
        return Ok(());
    }
    if value.is_object() {
        let inner = value.as_object().and_then(|o| o.keys().next()).map_or("", String::as_str);
        return Err(format!(
            "{path}: the operator \"{name}\" with {} inside is not supported",
            crate::ident::quoted(inner)
        ));
    }
    Err(format!("{path}: the operator \"{name}\" is not supported with the value {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<EventPattern, String> {
        EventPattern::try_from(text.to_owned())
    }

    #[test]
    fn the_types_that_it_can_match_are_known_when_they_are_literal() {
        let one = pattern(r#"{"source": ["aws.guardduty"], "detail": {"type": ["A", "B"]}}"#).expect("valid");
        assert_eq!(one.types(), Some(&["A".to_owned(), "B".to_owned()][..]));
        for open in
            [r#"{"detail-type": ["GuardDuty Finding"]}"#, r#"{"detail": {"type": ["A", {"prefix": "B"}]}}"#]
        {
            assert_eq!(pattern(open).expect("valid").types(), None, "{open}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (text, wanted) in [
            ("{", "not JSON"),
            ("[]", "a JSON object"),
            ("{}", "an empty pattern"),
            (r#"{"source": "aws.guardduty"}"#, "source: expected a list of values"),
            (r#"{"source": []}"#, "source: an empty list matches nothing"),
            (r#"{"detail": {}}"#, "detail: an empty object matches nothing"),
            (
                r#"{"$or": [{"source": ["a"]}, {"region": ["b"]}]}"#,
                "$or: the operator \"$or\" is not supported: write one rule for each alternative",
            ),
            (
                r#"{"detail": {"$or": [{"type": ["a"]}]}}"#,
                "detail.$or: the operator \"$or\" is not supported",
            ),
            (
                r#"{"detail": {"type": [{"anything-but": {"prefix": "Recon"}}]}}"#,
                "detail.type: the operator \"anything-but\" with \"prefix\" inside is not supported",
            ),
            (
                r#"{"detail": {"type": [{"prefix": {"equals-ignore-case": "recon"}}]}}"#,
                "the operator \"prefix\" with \"equals-ignore-case\" inside is not supported",
            ),
            (r#"{"detail": {"type": [{"regexp": "a"}]}}"#, "the operator \"regexp\" is not supported"),
            (r#"{"detail": {"type": [{"prefix": "a", "suffix": "b"}]}}"#, "expected one operator"),
            (
                r#"{"detail": {"type": [{"anything-but": ["a", 1]}]}}"#,
                "\"anything-but\" is not supported with",
            ),
            (r#"{"detail": {"type": [["a"]]}}"#, "a list in a list"),
            (r#"{"detail": {"severity": [{"numeric": [">"]}]}}"#, "numeric"),
            (r#"{"detail": {"ip": [{"cidr": "10.0.0.0/99"}]}}"#, "CIDR"),
        ] {
            let error = pattern(text).expect_err(text);
            assert!(error.contains(wanted), "{text}\n gave {error}\n wanted {wanted}");
        }
    }
}
