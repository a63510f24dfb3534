//! The attributes of the log's items and of its lease, as the table has them.

use crate::log::{Item, Lease};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// What stands under one key.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// Name of the table's hash key, its only one.
pub(super) const KEY: &str = "pk";

/// An attribute that is missing, or is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the attribute `{name}` of {key} {what}")]
pub(super) struct BadAttribute {
    name: &'static str,
    key: String,
    what: String,
}

/// The key of a log's item at a position.
pub(super) fn item_key(log: &str, position: u64) -> String {
    format!("{log}#{position}")
}

/// The key of a log's lease.
pub(super) fn lease_key(log: &str) -> String {
    format!("{log}#lease")
}

/// Only the key.
pub(super) fn key(key: String) -> Attributes {
    Attributes::from([(KEY.to_owned(), AttributeValue::S(key))])
}

pub(super) fn of_item(log: &str, item: &Item) -> Attributes {
    let Item { position, epoch, writer, part, parts, first, count, before, payload } = item;
    let mut attributes = key(item_key(log, *position));
    attributes.extend([
        named("position", number(position)),
        named("epoch", number(epoch)),
        named("writer", text(writer)),
        named("part", number(part)),
        named("parts", number(parts)),
        named("first", number(first)),
        named("count", number(count)),
        named("payload", AttributeValue::B(Blob::new(payload.clone()))),
    ]);
    // The first item has none before it.
    if !before.is_empty() {
        attributes.extend([named("before", text(before))]);
    }
    attributes
}

/// The item that stands at `position`.
pub(super) fn item(log: &str, position: u64, attributes: &Attributes) -> Result<Item, BadAttribute> {
    let found = Found { key: item_key(log, position), attributes };
    let item = Item {
        position: found.number("position")?,
        epoch: found.number("epoch")?,
        writer: found.text("writer")?,
        part: found.number("part")?,
        parts: found.number("parts")?,
        first: found.number("first")?,
        count: found.number("count")?,
        before: if attributes.contains_key("before") { found.text("before")? } else { String::new() },
        payload: found.bytes("payload")?,
    };
    if item.position != position {
        return Err(found.bad("position", format!("is {}, which is another key's", item.position)));
    }
    Ok(item)
}

pub(super) fn of_lease(log: &str, lease: &Lease) -> Attributes {
    let Lease { epoch, holder, renewals, position, is_released } = lease;
    let mut attributes = key(lease_key(log));
    attributes.extend([
        named("epoch", number(epoch)),
        named("holder", text(holder)),
        named("renewals", number(renewals)),
        named("position", number(position)),
        named("released", AttributeValue::Bool(*is_released)),
    ]);
    attributes
}

pub(super) fn lease(log: &str, attributes: &Attributes) -> Result<Lease, BadAttribute> {
    let found = Found { key: lease_key(log), attributes };
    Ok(Lease {
        epoch: found.number("epoch")?,
        holder: found.text("holder")?,
        renewals: found.number("renewals")?,
        position: found.number("position")?,
        is_released: found.bool("released")?,
    })
}

fn named(name: &str, value: AttributeValue) -> (String, AttributeValue) {
    (name.to_owned(), value)
}

fn number(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// What was found under a key.
struct Found<'a> {
    key: String,
    attributes: &'a Attributes,
}

impl Found<'_> {
    fn number<N: FromStr>(&self, name: &'static str) -> Result<N, BadAttribute> {
        let value = self.typed(name, "a number", AttributeValue::as_n)?;
        value.parse().map_err(|_| self.bad(name, format!("is {value}, which is no number of its kind")))
    }

    fn text(&self, name: &'static str) -> Result<String, BadAttribute> {
        self.typed(name, "a text", AttributeValue::as_s).cloned()
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, BadAttribute> {
        self.typed(name, "binary", AttributeValue::as_b).map(|blob| blob.as_ref().to_vec())
    }

    fn bool(&self, name: &'static str) -> Result<bool, BadAttribute> {
        self.typed(name, "true or false", AttributeValue::as_bool).copied()
    }

    fn typed<'v, T>(
        &'v self,
        name: &'static str,
        kind: &str,
        cast: impl Fn(&'v AttributeValue) -> Result<T, &'v AttributeValue>,
    ) -> Result<T, BadAttribute> {
        let value = self.attributes.get(name).ok_or_else(|| self.bad(name, "is missing".to_owned()))?;
        cast(value).map_err(|_| self.bad(name, format!("is not {kind}")))
    }

    fn bad(&self, name: &'static str, what: String) -> BadAttribute {
        BadAttribute { name, key: self.key.clone(), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(before: &str) -> Item {
        Item {
            position: 7,
            epoch: 3,
            writer: "host-a 4711".to_owned(),
            part: 1,
            parts: 2,
            first: u64::MAX,
            count: 12,
            before: before.to_owned(),
            payload: vec![0, 255, 10],
        }
    }

    #[test]
    fn what_was_put_is_read_back() {
        for before in ["", "ab12"] {
            assert_eq!(item("prod", 7, &of_item("prod", &example(before))), Ok(example(before)));
        }
        let put =
            Lease { epoch: 3, holder: "host-a 4711".to_owned(), renewals: 9, position: 7, is_released: true };
        assert_eq!(lease("prod", &of_lease("prod", &put)), Ok(put));
    }

    #[test]
    fn an_attribute_that_is_missing_or_of_another_kind_is_named() {
        let whole = of_item("prod", &example("ab12"));
        let other = [
            ("epoch", Some(AttributeValue::N("-1".to_owned()))),
            ("part", Some(number(u64::from(u32::MAX) + 1))),
            ("position", Some(number(8))),
            ("writer", Some(number(1))),
            ("before", Some(AttributeValue::Bool(true))),
            ("payload", Some(text("text"))),
            ("count", None),
        ];
        let errors = other.map(|(name, value)| {
            let mut attributes = whole.clone();
            match value {
                Some(value) => attributes.insert(name.to_owned(), value),
                None => attributes.remove(name),
            };
            item("prod", 7, &attributes).expect_err(name).to_string()
        });
        insta::assert_snapshot!(errors.join("\n"), @r"
        the attribute `epoch` of prod#7 is -1, which is no number of its kind
        the attribute `part` of prod#7 is 4294967296, which is no number of its kind
        the attribute `position` of prod#7 is 8, which is another key's
        the attribute `writer` of prod#7 is not a text
        the attribute `before` of prod#7 is not a text
        the attribute `payload` of prod#7 is not binary
        the attribute `count` of prod#7 is missing
        ");
        let error = lease("prod", &key(lease_key("prod"))).expect_err("nothing is there");
        insta::assert_snapshot!(error, @"the attribute `epoch` of prod#lease is missing");
    }
}
