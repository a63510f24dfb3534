//! Canonical JSON (RFC 8785): a value has one text, and so one hash.
//!
//! Every entry of the ledger and every finding goes through it, so it sorts values instead of texts. Numbers that
//! are not small integers are formatted by a library.

use serde::Serialize;
use serde_json::{Error, Map, Number, Value};
use std::io::Write;

/// Largest integer that is written as it is: a double holds all integers up to here (RFC 8785, 3.2.2.3).
const SAFE: u64 = 1 << 53;

/// The canonical JSON of anything that can be JSON.
///
/// # Errors
/// When it cannot be.
pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    of(&serde_json::to_value(value)?)
}

/// The canonical JSON of a value.
///
/// # Errors
/// When a number is none that JSON has.
pub fn of(value: &Value) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(1024);
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Number(number) => return write_number(number, out),
        Value::Array(values) => {
            out.push(b'[');
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write(value, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (number, (name, value)) in sorted(members).into_iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, name)?;
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
        plain => serde_json::to_writer(&mut *out, plain)?,
    }
    Ok(())
}

/// By the UTF-16 code units of their names (RFC 8785, 3.2.3): for ASCII that is by their bytes.
fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<_> = members.iter().collect();
    if !members.keys().all(|name| name.is_ascii()) {
        sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    } else if !sorted.is_sorted_by_key(|(name, _)| *name) {
        sorted.sort_by_key(|(name, _)| *name);
    }
    sorted
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Result<(), Error> {
    match number.as_i64() {
        Some(integer) if integer.unsigned_abs() <= SAFE => write!(out, "{integer}").map_err(Error::io),
        _ => serde_json_canonicalizer::to_writer(number, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (SAFE - 2..SAFE + 3).prop_map(Value::from),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
            (-1e3..1e3).prop_map(|n: f64| Value::from(n.round())),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x20\"\\\\/a\u{7f}\u{2028}]{0,6}".prop_map(Value::from),
        ];
        let name = prop_oneof![any::<String>(), "[a-cA\u{e000}\u{1f600}é\"]{0,3}"];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(name.clone(), inner, 0..6).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_agrees_with_another_implementation(value in any_json()) {
            let wanted = serde_json_canonicalizer::to_string(&value).expect("finite");
            prop_assert_eq!(String::from_utf8(of(&value).expect("finite")).expect("UTF-8"), wanted);
        }
    }
}
