//! Canonical JSON (RFC 8785), read as it stands: whether a text is canonical, and where its members are.
//!
//! One pass and no tree of values: the verifier asks this of every entry, and most of them are short.

use std::cmp::Ordering;

/// Maximum depth of nesting that is read: that of serde_json.
const DEEPEST: usize = 127;

/// Maximum number of members of an object that is read. Entries and their data have fewer.
const MOST: usize = 24;

/// The members of a canonical object, each as it stands in the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Members<'a> {
    all: [(&'a str, &'a str); MOST],
    count: usize,
}

impl<'a> Members<'a> {
    /// The members of `text`; none when it is not one canonical JSON object, or has more than an
    /// entry of ours ever has.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Option<Self> {
        let text = plain_text(text)?;
        let mut members = Self { all: [("", ""); MOST], count: 0 };
        let mut scan = Scan { text, at: 0 };
        if scan.next() != Some(b'{') {
            return None;
        }
        scan.object(1, &mut |key, value| {
            if let Some(free) = members.all.get_mut(members.count) {
                *free = (key, value);
            }
            members.count += 1;
        })?;
        (scan.at == text.len() && members.count <= MOST).then_some(members)
    }

    /// The member of this name, as it stands: a string with its quotes.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.all[..self.count].iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// The member of this name as a text, if it is one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        decoded(self.raw(name)?)
    }

    /// The object without the member of this name: canonical as well.
    #[must_use]
    pub fn without(&self, name: &str) -> String {
        let others = self.all[..self.count].iter().filter(|(key, _)| *key != name);
        let others: Vec<String> = others.map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", others.join(","))
    }

    /// Whether the member of this name is exactly this string; for none, that there is no such member.
    #[must_use]
    pub fn is(&self, name: &str, wanted: Option<&str>) -> bool {
        match (self.raw(name), wanted) {
            (None, None) => true,
            (Some(raw), Some(wanted)) => unquoted(raw).is_some_and(|inner| {
                if inner.contains('\\') { decoded(raw).as_deref() == Some(wanted) } else { inner == wanted }
            }),
            _ => false,
        }
    }
}

/// Neither spaces between the tokens nor raw control characters in strings are canonical.
fn plain_text(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    text.bytes().min().is_none_or(|least| least >= 0x20).then_some(text)
}

/// What is between the quotes.
fn unquoted(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

fn decoded(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// What stands from `start` to here.
    fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.next()? {
            b'{' => self.object(depth + 1, &mut |_, _| ()),
            b'[' => self.array(depth + 1),
            b'"' => self.string(),
            b't' => self.word("rue"),
            b'f' => self.word("alse"),
            b'n' => self.word("ull"),
            b'-' | b'0'..=b'9' => self.number(self.at - 1),
            _ => None,
        }
    }

    fn word(&mut self, rest: &str) -> Option<()> {
        let end = self.at + rest.len();
        (self.text.get(self.at..end)? == rest).then(|| self.at = end)
    }

    /// Reads an object, from behind its opening brace.
    fn object(&mut self, depth: usize, member: &mut dyn FnMut(&'a str, &'a str)) -> Option<()> {
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        let mut before: Option<&str> = None;
        loop {
            if self.next()? != b'"' {
                return None;
            }
            let start = self.at;
            self.string()?;
            let key = self.text.get(start..self.at - 1)?;
            if before.is_some_and(|before| !in_order(before, key)) || self.next()? != b':' {
                return None;
            }
            before = Some(key);
            let start = self.at;
            self.value(depth)?;
            member(key, self.since(start)?);
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads an array, from behind its opening bracket.
    fn array(&mut self, depth: usize) -> Option<()> {
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Behind its first quote. Only what must be escaped is, and in the one way (RFC 8785, 3.2.2.2).
    fn string(&mut self) -> Option<()> {
        loop {
            self.at = plain_until(self.text.as_bytes(), self.at)?;
            if self.next()? == b'"' {
                return Some(());
            }
            match self.next()? {
                b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => {}
                b'u' => {
                    let digits = self.text.get(self.at..self.at + 4)?;
                    let short = matches!(digits, "0008" | "0009" | "000a" | "000c" | "000d");
                    let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
                    if short || !lower || u8::from_str_radix(digits, 16).ok()? >= 0x20 {
                        return None;
                    }
                    self.at += 4;
                }
                _ => return None,
            }
        }
    }

    /// From `start`, where it begins.
    fn number(&mut self, start: usize) -> Option<()> {
        while let Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') = self.peek() {
            self.at += 1;
        }
        let text = self.since(start)?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain && (digits.starts_with(|first: char| first != '0') || text == "0") {
            return Some(());
        }
        // Rare: as ECMAScript writes the number (RFC 8785, 3.2.2.3).
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        (serde_json_canonicalizer::to_string(&value).ok()? == text).then_some(())
    }
}

/// Where the next quote or backslash is, from `at` on. Eight bytes at a time.
fn plain_until(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The high bit of each byte that is zero; of those behind the first such one perhaps wrongly.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    while let Some(eight) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(eight.try_into().ok()?);
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|plain| at + plain)
}

/// Whether `second` comes after `first`, by UTF-16 code units (RFC 8785, 3.2.3). Both as they stand.
fn in_order(first: &str, second: &str) -> bool {
    let plain = |key: &str| key.bytes().all(|byte| byte.is_ascii() && byte != b'\\');
    if plain(first) && plain(second) {
        return first < second;
    }
    let units = |key: &str| decoded(&format!("\"{key}\"")).map(|key| key.encode_utf16().collect::<Vec<_>>());
    match (units(first), units(second)) {
        (Some(first), Some(second)) => first.cmp(&second) == Ordering::Less,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn members_are_found_as_they_stand() {
        let text = br#"{"a":{"x":[1,-2.5,"}"]},"b":"q\"\n","c":null}"#;
        let members = Members::of(text).expect("canonical");
        assert_eq!(members.raw("a"), Some(r#"{"x":[1,-2.5,"}"]}"#));
        assert!(members.is("b", Some("q\"\n")) && members.is("d", None));
        assert!(!members.is("b", Some("q")) && !members.is("b", None) && !members.is("c", Some("null")));
    }

    #[test]
    fn what_is_not_canonical_is_not_taken() {
        for text in [
            "",
            "{",
            "{}}",
            "[]",
            "1",
            " {}",
            "{} ",
            r#"{"a" :1}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":01}"#,
            r#"{"a":-0}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e2}"#,
            r#"{"a":+1}"#,
            r#"{"a":1,}"#,
            r#"{"a":"\/"}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":"\u000a"}"#,
            r#"{"a":"\u001F"}"#,
            r#"{"a":"\u+01f"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":tru}"#,
            r#"{"a":"x}"#,
            r#"{"a":[1 ,2]}"#,
            r#"{"a":}"#,
            r#"{"é":1,"z":2}"#,
            r#"{"a":12345678901234567890}"#,
        ] {
            assert_eq!(Members::of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Members::of(b"{\"a\":\"\xff\"}"), None);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Members::of(deep.as_bytes()), None);
    }

    #[test]
    fn keys_are_ordered_by_utf_16() {
        // U+1F600 is written with surrogates, which come before U+FB33.
        assert!(Members::of("{\"\u{1f600}\":1,\"\u{fb33}\":2}".as_bytes()).is_some());
        assert!(Members::of("{\"\u{fb33}\":2,\"\u{1f600}\":1}".as_bytes()).is_none());
        assert!(Members::of(br#"{"\n":1,"a":2}"#).is_some());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x20\"\\\\a]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        /// The writer's canonical JSON is ours; and what is ours, is the writer's.
        #[test]
        fn it_agrees_with_another_implementation(value in any_json(), at in 0_usize..400, byte in any::<u8>()) {
            let value = json!({ "v": value });
            let mut text = serde_json_canonicalizer::to_vec(&value).expect("finite");
            prop_assert!(Members::of(&text).is_some(), "{}", String::from_utf8_lossy(&text));
            let at = at % text.len();
            text[at] = byte;
            if Members::of(&text).is_some() {
                let again: Value = serde_json::from_slice(&text).expect("JSON");
                prop_assert_eq!(serde_json_canonicalizer::to_vec(&again).expect("finite"), text);
            }
        }
    }
}
