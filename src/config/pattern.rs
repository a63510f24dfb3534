//! Names with wildcards, as IAM has them: `*` for any text, `?` for one character.

use crate::ident::quoted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A pattern for names. It ignores ASCII case, as IAM does for the names of roles.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(String);

impl Glob {
    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It stands for one name only.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.0.contains(['*', '?'])
    }

    /// Whether the whole of `text` matches. Takes time in proportion to both lengths at worst.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut p, mut t) = (0, 0);
        // Where to go on after the latest `*` when what follows it does not fit.
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    retry = Some((p, t));
                    p += 1;
                }
                Some(b) if *b == b'?' || b.eq_ignore_ascii_case(&text[t]) => {
                    p += 1;
                    t += 1;
                }
                _ => match retry {
                    Some((star, from)) => {
                        retry = Some((star, from + 1));
                        p = star + 1;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|b| *b == b'*')
    }
}

impl TryFrom<String> for Glob {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.len() > 512 {
            return Err("expected a pattern of 1 to 512 characters, such as \"ci-*\"".to_owned());
        }
        Ok(Self(text))
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

// A pattern for the ARNs of roles or IAM users. One that could match none of them would protect nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "Glob")]
#[schemars(inline, with = "String")]
pub(super) struct ProtectedRole(pub Glob);

impl TryFrom<Glob> for ProtectedRole {
    type Error = String;
    fn try_from(glob: Glob) -> Result<Self, String> {
        let text = glob.as_str();
        let of_iam = |kind| text.contains(kind) && !text.contains(":sts:");
        if text.starts_with('*') || text.starts_with("arn:") && (of_iam(":role/") || of_iam(":user/")) {
            Ok(Self(glob))
        } else {
            Err(format!(
                "{}: expected the ARN of a role or an IAM user, such as \"arn:aws:iam::*:role/break-glass*\"",
                quoted(text)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::try_from(pattern.to_owned()).expect("legal").matches(text)
    }

    #[test]
    fn wildcards() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "x"),
            ("ci-*", "CI-build"),
            ("*-ci-*", "a-ci-b"),
            ("a?c", "abc"),
            ("**", "x"),
            ("arn:aws:iam::*:role/break-glass*", "arn:aws:iam::111111111111:role/break-glass-1"),
            ("a*b*c", "a-b-b-c"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("ci-*", "xci-"), ("a?c", "ac"), ("a*b", "abc"), ("abc", "ab"), ("?", "")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        /// Against the plain recursive definition.
        #[test]
        fn is_what_it_is_defined_to_be(pattern in "[ab*?]{1,8}", text in "[ab]{0,8}") {
            fn defined(p: &[u8], t: &[u8]) -> bool {
                match (p.split_first(), t.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) => defined(rest, t) || t.split_first().is_some_and(|(_, t)| defined(p, t)),
                    (Some((b'?', rest)), Some((_, t))) => defined(rest, t),
                    (Some((a, rest)), Some((b, t))) => a == b && defined(rest, t),
                    _ => false,
                }
            }
            prop_assert_eq!(matches(&pattern, &text), defined(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
