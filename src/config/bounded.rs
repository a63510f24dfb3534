//! Numbers and spans of time within bounds. The type states the default and both bounds; the schema and the
//! message about a value outside them are made from it.

use crate::ident::quoted;
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;

/// One second in milliseconds, the unit of the bounds of a [`Span`].
pub(super) const SECOND: i64 = 1000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;

/// A whole number from `LEAST` to `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Number<const DEFAULT: u32, const LEAST: u32, const MOST: u32>(pub u32);

impl<const DEFAULT: u32, const LEAST: u32, const MOST: u32> Number<DEFAULT, LEAST, MOST> {
    /// As a number of things.
    #[must_use]
    pub fn count(self) -> usize {
        self.0 as usize
    }
}

impl<const DEFAULT: u32, const LEAST: u32, const MOST: u32> Default for Number<DEFAULT, LEAST, MOST> {
    fn default() -> Self {
        const { assert!(LEAST <= DEFAULT && DEFAULT <= MOST) }
        Self(DEFAULT)
    }
}

impl<const DEFAULT: u32, const LEAST: u32, const MOST: u32> TryFrom<i64> for Number<DEFAULT, LEAST, MOST> {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        let legal = u32::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
        legal.map(Self).ok_or_else(|| format!("{number}: expected {LEAST} to {MOST}"))
    }
}

impl<const DEFAULT: u32, const LEAST: u32, const MOST: u32> JsonSchema for Number<DEFAULT, LEAST, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Number_{LEAST}_{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "uint32", "minimum": LEAST, "maximum": MOST })
    }
}

/// A span of time from `LEAST` to `MOST` milliseconds, written as a text such as "90s".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span<const DEFAULT: i64, const LEAST: i64, const MOST: i64>(pub SignedDuration);

impl<const DEFAULT: i64, const LEAST: i64, const MOST: i64> Default for Span<DEFAULT, LEAST, MOST> {
    fn default() -> Self {
        const { assert!(LEAST <= DEFAULT && DEFAULT <= MOST) }
        Self(SignedDuration::from_millis(DEFAULT))
    }
}

impl<const DEFAULT: i64, const LEAST: i64, const MOST: i64> TryFrom<String> for Span<DEFAULT, LEAST, MOST> {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let span: SignedDuration = text
            .parse()
            .map_err(|_| format!("{}: expected a time span such as \"24h\" or \"90s\"", quoted(&text)))?;
        let (least, most) = (SignedDuration::from_millis(LEAST), SignedDuration::from_millis(MOST));
        if span < least || span > most {
            return Err(format!("{}: expected between {least:#} and {most:#}", quoted(&text)));
        }
        Ok(Self(span))
    }
}

impl<const DEFAULT: i64, const LEAST: i64, const MOST: i64> Serialize for Span<DEFAULT, LEAST, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#}", self.0))
    }
}

impl<const DEFAULT: i64, const LEAST: i64, const MOST: i64> JsonSchema for Span<DEFAULT, LEAST, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Span_{LEAST}_{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Few = Number<3, 1, 16>;
    type Short = Span<{ 2 * SECOND }, SECOND, MINUTE>;

    #[test]
    fn both_bounds_are_within_and_what_is_beyond_is_refused() {
        for (number, legal) in
            [(0, false), (1, true), (16, true), (17, false), (-1, false), (i64::MAX, false)]
        {
            assert_eq!(Few::try_from(number).is_ok(), legal, "{number}");
        }
        for (text, legal) in [("999ms", false), ("1s", true), ("1m", true), ("61s", false), ("-2s", false)] {
            assert_eq!(Short::try_from(text.to_owned()).is_ok(), legal, "{text}");
        }
        let error = Short::try_from("2h".to_owned()).expect_err("beyond");
        insta::assert_snapshot!(error, @r#""2h": expected between 1s and 1m"#);
    }
}
