//! Reading a pattern. An unknown operator is refused, and the error names its field.

use super::node::{Choice, Comparison, Field, Node, Test};
use serde_json::{Map, Value};
use std::net::IpAddr;

pub(super) fn node(fields: &Map<String, Value>, path: &str) -> Result<Node, String> {
    if fields.is_empty() {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        return Err(format!("{place}an empty pattern: name at least one field, such as \"source\""));
    }
    let mut node = Node { fields: Vec::new(), either: Vec::new() };
    for (key, value) in fields {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Array(items) if key == "$or" => node.either.push(either(items, &path)?),
            _ if key == "$or" => return Err(format!("{path}: expected a list of at least two patterns")),
            Value::Array(items) if items.is_empty() => {
                return Err(format!("{path}: an empty list matches nothing"));
            }
            Value::Array(items) => {
                let choices = items.iter().map(|item| choice(item, &path)).collect::<Result<_, _>>()?;
                node.fields.push((key.clone(), Field::Leaf(choices)));
            }
            Value::Object(inner) => node.fields.push((key.clone(), Field::Object(self::node(inner, &path)?))),
            _ => return Err(format!("{path}: expected a list of values, such as [\"aws.guardduty\"]")),
        }
    }
    Ok(node)
}

fn either(items: &[Value], path: &str) -> Result<Vec<Node>, String> {
    if items.len() < 2 {
        return Err(format!("{path}: expected a list of at least two patterns"));
    }
    let each = items.iter().enumerate().map(|(index, item)| match item {
        Value::Object(fields) => node(fields, &format!("{path}[{index}]")),
        _ => Err(format!("{path}[{index}]: expected a pattern: a JSON object")),
    });
    each.collect()
}

fn choice(value: &Value, path: &str) -> Result<Choice, String> {
    let Value::Object(operator) = value else { return literal(value, path).map(Choice::Is) };
    let (name, value) = one_operator(operator, path)?;
    match (name, value) {
        ("exists", Value::Bool(wanted)) => Ok(Choice::Exists(*wanted)),
        ("anything-but", Value::Array(values)) if !values.is_empty() => {
            let tests = values.iter().map(|value| plain(value, name, path)).collect::<Result<_, _>>()?;
            Ok(Choice::AnythingBut(tests))
        }
        ("anything-but", Value::Object(inner)) => {
            let (inner, values) = one_operator(inner, path)?;
            if !matches!(inner, "prefix" | "suffix" | "equals-ignore-case" | "wildcard") {
                return Err(format!(
                    "{path}: \"anything-but\" with {} inside is not known",
                    crate::ident::quoted(inner)
                ));
            }
            let values = match values {
                Value::Array(values) if !values.is_empty() => values.iter().collect(),
                value => vec![value],
            };
            let tests = values.into_iter().map(|value| test(inner, value, path)).collect::<Result<_, _>>()?;
            Ok(Choice::AnythingBut(tests))
        }
        ("anything-but", value) => Ok(Choice::AnythingBut(vec![plain(value, name, path)?])),
        (name, value) => test(name, value, path).map(Choice::Is),
    }
}

/// A literal: a text, a number, true, false or null.
fn literal(value: &Value, path: &str) -> Result<Test, String> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(format!("{path}: a list in a list matches nothing")),
        plain => Ok(Test::Same(plain.clone())),
    }
}

fn plain(value: &Value, operator: &str, path: &str) -> Result<Test, String> {
    match value {
        Value::String(_) | Value::Number(_) => Ok(Test::Same(value.clone())),
        _ => Err(odd(operator, value, path)),
    }
}

fn one_operator<'a>(operator: &'a Map<String, Value>, path: &str) -> Result<(&'a str, &'a Value), String> {
    let mut entries = operator.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(format!("{path}: expected one operator, such as {{\"prefix\": \"…\"}}")),
    }
}

fn odd(operator: &str, value: &Value, path: &str) -> String {
    format!("{path}: the operator \"{operator}\" does not take the value {value}")
}

fn test(operator: &str, value: &Value, path: &str) -> Result<Test, String> {
    let any_case = match value {
        Value::Object(inner) => {
            inner.get("equals-ignore-case").and_then(Value::as_str).filter(|_| inner.len() == 1)
        }
        _ => None,
    };
    match (operator, value, any_case) {
        ("prefix", Value::String(text), _) => Ok(Test::Prefix(text.clone())),
        ("prefix", _, Some(text)) => Ok(Test::PrefixAnyCase(text.to_lowercase())),
        ("suffix", Value::String(text), _) => Ok(Test::Suffix(text.clone())),
        ("suffix", _, Some(text)) => Ok(Test::SuffixAnyCase(text.to_lowercase())),
        ("equals-ignore-case", Value::String(text), _) => Ok(Test::SameAnyCase(text.to_lowercase())),
        ("wildcard", Value::String(text), _) => wildcard(text).ok_or_else(|| {
            format!("{path}: \"wildcard\": a backslash stands before * or another backslash, and two * in a row are not allowed")
        }),
        ("numeric", Value::Array(bounds), _) => numeric(bounds).ok_or_else(|| {
            format!("{path}: \"numeric\": expected one comparison such as [\">=\", 7], or a range such as [\">\", 0, \"<=\", 5]")
        }),
        ("cidr", Value::String(text), _) => cidr(text)
            .ok_or_else(|| format!("{path}: \"cidr\": expected a network such as \"203.0.113.0/24\" or \"2001:db8::/32\"")),
        ("prefix" | "suffix" | "equals-ignore-case" | "wildcard" | "numeric" | "cidr" | "exists", value, _) => {
            Err(odd(operator, value, path))
        }
        _ => Err(format!(
            "{path}: the operator {} is not known: expected prefix, suffix, equals-ignore-case, wildcard, anything-but, \
             numeric, cidr or exists",
            crate::ident::quoted(operator)
        )),
    }
}

fn wildcard(text: &str) -> Option<Test> {
    let (mut parts, mut chars) = (Vec::new(), text.chars());
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' if parts.last() == Some(&None) => return None,
            '*' => None,
            '\\' => Some(chars.next().filter(|escaped| matches!(escaped, '*' | '\\'))?),
            c => Some(c),
        });
    }
    Some(Test::Wildcard(parts))
}

fn numeric(bounds: &[Value]) -> Option<Test> {
    let bounds = bounds.chunks(2).map(|pair| {
        let comparison = match pair.first()?.as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::Greater,
            ">=" => Comparison::AtLeast,
            _ => return None,
        };
        Some((comparison, pair.get(1)?.as_f64()?))
    });
    let bounds: Vec<_> = bounds.collect::<Option<_>>()?;
    let legal = match bounds.as_slice() {
        [_] => true,
        [(Comparison::Greater | Comparison::AtLeast, low), (Comparison::Less | Comparison::AtMost, high)] => {
            low < high
        }
        _ => false,
    };
    legal.then_some(Test::Numeric(bounds))
}

fn cidr(text: &str) -> Option<Test> {
    let (network, bits) = text.split_once('/')?;
    let (network, bits): (IpAddr, u8) = (network.parse().ok()?, bits.parse().ok()?);
    let most = if network.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Test::Cidr(network, bits))
}
