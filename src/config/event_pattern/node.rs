//! A pattern as a tree, and whether an event matches it.

use serde_json::{Map, Number, Value};
use std::net::IpAddr;

/// What must hold for an object: everything of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub fields: Vec<(String, Field)>,
    /// Of each of these, one must hold as well.
    pub either: Vec<Vec<Node>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Leaf(Vec<Choice>),
    Object(Node),
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    Exists(bool),
    Is(Test),
    /// A value is there, and none of these holds for it.
    AnythingBut(Vec<Test>),
}

/// What can be asked of one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Same(Value),
    Prefix(String),
    PrefixAnyCase(String),
    Suffix(String),
    SuffixAnyCase(String),
    SameAnyCase(String),
    Wildcard(Vec<Option<char>>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpAddr, u8),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Node {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, field)| field)
    }

    /// Without what it asks of fields that `event` does not have although it may: `is_known` says of a path whether what is not
    /// there is certain not to be. The paths of what is left out are added to `unknown`.
    pub fn known(
        &self,
        event: &Value,
        path: &str,
        is_known: &dyn Fn(&str) -> bool,
        unknown: &mut Vec<String>,
    ) -> Self {
        let event = match event {
            Value::Array(items) => items.first().unwrap_or(&Value::Null),
            event => event,
        };
        let mut fields = Vec::new();
        for (key, field) in &self.fields {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match (field, event.get(key)) {
                (_, None) if !is_known(&path) => unknown.push(path),
                (Field::Object(node), Some(value)) => {
                    fields.push((key.clone(), Field::Object(node.known(value, &path, is_known, unknown))));
                }
                (field, _) => fields.push((key.clone(), field.clone())),
            }
        }
        let either = |nodes: &Vec<Self>| {
            nodes.iter().map(|node| node.known(event, path, is_known, unknown)).collect::<Vec<_>>()
        };
        Self { fields, either: self.either.iter().map(either).collect() }
    }

    pub fn holds(&self, value: &Value) -> bool {
        match value {
            Value::Object(object) => {
                self.fields.iter().all(|(key, field)| field.holds(object.get(key)))
                    && self.either.iter().all(|nodes| nodes.iter().any(|node| node.holds(value)))
            }
            Value::Array(items) if !items.is_empty() => items.iter().any(|item| self.holds(item)),
            // What is not there can only match by not being there.
            _ => self.holds(&Value::Object(Map::new())),
        }
    }
}

impl Field {
    pub fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Object(node) => node.holds(value.unwrap_or(&Value::Null)),
            Self::Leaf(choices) => {
                let mut leaves = Vec::new();
                if let Some(value) = value {
                    gather(value, &mut leaves);
                }
                choices.iter().any(|choice| choice.holds(&leaves))
            }
        }
    }
}

/// The plain values of a field: itself, or those of an array. An object is no plain value.
fn gather<'a>(value: &'a Value, leaves: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, leaves)),
        Value::Object(_) => {}
        leaf => leaves.push(leaf),
    }
}

impl Choice {
    fn holds(&self, leaves: &[&Value]) -> bool {
        match self {
            Self::Exists(wanted) => *wanted != leaves.is_empty(),
            Self::Is(test) => leaves.iter().any(|leaf| test.holds(leaf)),
            Self::AnythingBut(tests) => leaves.iter().any(|leaf| !tests.iter().any(|test| test.holds(leaf))),
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Same(Value::Number(wanted)) => value.as_number().is_some_and(|number| same(number, wanted)),
            Self::Same(wanted) => value == wanted,
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::PrefixAnyCase(prefix) => text.is_some_and(|text| text.to_lowercase().starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            Self::SuffixAnyCase(suffix) => text.is_some_and(|text| text.to_lowercase().ends_with(suffix)),
            Self::SameAnyCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Self::Wildcard(wildcard) => text.is_some_and(|text| like(wildcard, text)),
            Self::Numeric(bounds) => {
                value.as_f64().is_some_and(|n| bounds.iter().all(|(c, bound)| c.holds(n, *bound)))
            }
            Self::Cidr(network, bits) => {
                text.and_then(|text| text.parse().ok()).is_some_and(|ip| within(ip, *network, *bits))
            }
        }
    }
}

/// 5, 5.0 and 5e0 are the same number.
fn same(one: &Number, other: &Number) -> bool {
    one == other || (one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64()))
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            #[expect(clippy::float_cmp, reason = "the pattern asks for exactly this number")]
            Self::Equal => number == bound,
            Self::Less => number < bound,
            Self::AtMost => number <= bound,
            Self::Greater => number > bound,
            Self::AtLeast => number >= bound,
        }
    }
}

/// A wildcard of characters and any-texts (none).
fn like(wildcard: &[Option<char>], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t, mut retry) = (0, 0, None);
    while t < text.len() {
        match wildcard.get(p) {
            Some(None) => {
                retry = Some((p, t));
                p += 1;
            }
            Some(Some(c)) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    wildcard[p..].iter().all(Option::is_none)
}

fn within(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            u32::from(ip) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            u128::from(ip) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}
