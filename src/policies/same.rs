//! Compares two policy documents by their meaning to IAM.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What `found` has otherwise than `wanted`, in a few words; none when they say the same. The order of
/// statements and of lists, and whether one thing is a list, do not count.
#[must_use]
pub fn difference(wanted: &Value, found: &Value) -> Option<String> {
    let (wanted, found) = (normal(wanted), normal(found));
    if wanted == found {
        return None;
    }
    let by_sid = |document: &Value| -> Map<String, Value> {
        let all = document["Statement"].as_array().cloned().unwrap_or_default();
        let named = all.into_iter().enumerate().map(|(number, statement)| {
            let sid = statement["Sid"].as_str().map_or_else(|| format!("statement {number}"), str::to_owned);
            (sid, statement)
        });
        named.collect()
    };
    let (wanted, found) = (by_sid(&wanted), by_sid(&found));
    let mut differences = Vec::new();
    for (sid, statement) in &wanted {
        match found.get(sid) {
            None => differences.push(format!("{sid} is missing")),
            Some(other) if other != statement => {
                differences.push(format!("{sid}: {}", inside(statement, other)));
            }
            Some(_) => {}
        }
    }
    differences.extend(
        found.keys().filter(|sid| !wanted.contains_key(*sid)).map(|sid| format!("{sid} is not expected")),
    );
    Some(if differences.is_empty() { "it differs".to_owned() } else { differences.join("; ") })
}

/// Whether `found` has a statement that allows something and is not in `wanted`.
#[must_use]
pub fn allows_more(wanted: &Value, found: &Value) -> bool {
    let (wanted, found) = (normal(wanted), normal(found));
    let statements = |document: &Value| document["Statement"].as_array().cloned().unwrap_or_default();
    let without_sid = |mut statement: Value| {
        statement.as_object_mut().map(|all| all.remove("Sid"));
        statement
    };
    let wanted: Vec<Value> = statements(&wanted).into_iter().map(without_sid).collect();
    let mut allowing = statements(&found).into_iter().filter(|statement| statement["Effect"] == "Allow");
    allowing.any(|statement| !wanted.contains(&without_sid(statement)))
}

fn inside(wanted: &Value, found: &Value) -> String {
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default()
    };
    let texts = |value: &Value| -> BTreeSet<String> {
        let all = value.as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let mut differences = Vec::new();
    for key in keys(wanted).union(&keys(found)) {
        let (one, other) = (&wanted[key], &found[key]);
        if one == other {
            continue;
        }
        let (one, other) = (texts(one), texts(other));
        let without: Vec<&str> = one.difference(&other).map(String::as_str).collect();
        let with: Vec<&str> = other.difference(&one).map(String::as_str).collect();
        match (key.as_str(), without.as_slice(), with.as_slice()) {
            // Who may enter is not repeated: it has the external id in it.
            ("Condition" | "Principal", ..) | (_, [], []) => differences.push(format!("another {key}")),
            (_, without, []) => differences.push(format!("{key} without {}", without.join(", "))),
            (_, [], with) => differences.push(format!("{key} with {}", with.join(", "))),
            (_, without, with) => {
                differences.push(format!("{key} with {} instead of {}", with.join(", "), without.join(", ")));
            }
        }
    }
    differences.join(", ")
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(normal).collect();
            all.sort_by_key(Value::to_string);
            all.dedup();
            Value::Array(all)
        }
        Value::Object(all) => all
            .iter()
            .map(|(key, value)| {
                let value = normal(value);
                // One thing is a list of one, wherever IAM takes a list.
                let is_list = !matches!(key.as_str(), "Version" | "Id" | "Sid" | "Effect");
                let value = match value {
                    Value::String(_) | Value::Bool(_) | Value::Number(_) if is_list => {
                        Value::Array(vec![value])
                    }
                    Value::Object(_) if key == "Statement" => Value::Array(vec![value]),
                    other => other,
                };
                (key.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_and_single_things_do_not_count() {
        let one = json!({"Version": "2012-10-17", "Statement": {"Sid": "A", "Effect": "Allow", "Action": ["x:Y", "x:Z"], "Resource": "*"}});
        let other = json!({"Statement": [{"Resource": ["*"], "Action": ["x:Z", "x:Y"], "Effect": "Allow", "Sid": "A"}], "Version": "2012-10-17"});
        assert_eq!(difference(&one, &other), None);
    }

    #[test]
    fn another_condition_allows_more_and_a_missing_statement_does_not() {
        let statement = |sid: &str, id: &str| json!({"Sid": sid, "Effect": "Allow", "Action": "x:Y", "Condition": {"StringEquals": {"sts:ExternalId": id}}});
        let wanted = json!({"Statement": [statement("A", "secret"), statement("B", "other")]});
        assert!(!allows_more(&wanted, &wanted));
        assert!(!allows_more(&wanted, &json!({"Statement": statement("C", "secret")})));
        assert!(allows_more(&wanted, &json!({"Statement": [statement("A", "any")]})));
        let denying = json!({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
        assert!(!allows_more(&wanted, &denying));
    }

    #[test]
    fn what_differs_is_named_and_no_condition_is_repeated() {
        let statement = |actions: &[&str], id: &str| json!({"Statement": [{"Sid": "A", "Effect": "Allow", "Action": actions, "Condition": {"StringEquals": {"sts:ExternalId": id}}}]});
        let wanted = statement(&["x:Y", "x:Z"], "secret");
        let differences = [
            statement(&["x:Y"], "secret"),
            statement(&["x:Y", "x:Z", "x:*"], "secret"),
            statement(&["x:Y", "x:Z"], "other"),
            json!({"Statement": [{"Sid": "B"}]}),
        ]
        .map(|other| difference(&wanted, &other).expect("it differs"));
        insta::assert_snapshot!(differences.join("\n"), @"
        A: Action without x:Z
        A: Action with x:*
        A: another Condition
        A is missing; B is not expected
        ");
        assert!(difference(&wanted, &json!({})).is_some());
    }
}
