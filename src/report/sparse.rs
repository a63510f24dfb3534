//! JSON without empty values.

use serde_json::Value;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_empty_is_left_at_any_depth() {
        let value = serde_json::json!({
            "a": null, "b": "", "c": [], "d": {}, "e": {"f": [null, {"g": " "}], "h": 0}, "i": false, "j": ["x", ""],
        });
        let left = serde_json::json!({"e": {"h": 0}, "i": false, "j": ["x"]});
        assert_eq!(without_empty(value), left);
    }
}
