//! Types that a rule names and that GuardDuty is not known to have: mostly a slip, and such a rule is for nothing.

use super::nearest_type::nearest;
use super::{Glob, Matches, Rule};
use crate::finding::{ORDER_TYPE, known_types};
use crate::ident::quoted;
use std::fmt;

/// A type, or a pattern for types, that stands for no type that GuardDuty is known to have. It is no error: AWS adds types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownType {
    /// Name of the rule that has it.
    pub rule: String,
    /// The key that has it, such as `rules[0].types[1]`.
    pub key: String,
    /// Line of the file at which it stands, counted from 1.
    pub line: usize,
    /// The type or pattern, as it was written.
    pub kind: String,
    /// The known type that is the most like it.
    pub nearest: &'static str,
}

impl fmt::Display for UnknownType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rule {}, line {}: {}: GuardDuty is not known to have {}; the nearest is {:?}",
            quoted(&self.rule),
            self.line,
            self.key,
            quoted(&self.kind),
            self.nearest
        )
    }
}

/// The unknown types of these rules. `line` has the line of a key.
pub(super) fn unknown_types(rules: &[Rule], line: impl Fn(&str) -> usize) -> Vec<UnknownType> {
    let of = |(index, rule): (usize, &Rule)| -> Vec<(String, String)> {
        match &rule.matches {
            Matches::Pattern(pattern) => {
                let unknown = pattern.types().into_iter().flatten().filter(|kind| !is_known(kind));
                unknown.map(|kind| (format!("rules[{index}].pattern"), kind.to_owned())).collect()
            }
            // Other products have types of their own.
            Matches::Fields(fields) if !fields.products.is_empty() => Vec::new(),
            Matches::Fields(fields) => {
                let numbered = fields.types.iter().enumerate().filter(|(_, kind)| !is_known_family(kind));
                numbered
                    .map(|(at, kind)| (format!("rules[{index}].types[{at}]"), kind.as_str().to_owned()))
                    .collect()
            }
        }
    };
    let each = rules.iter().enumerate().flat_map(|(index, rule)| {
        of((index, rule)).into_iter().map(|(key, kind)| (rule.name.clone(), key, kind))
    });
    each.map(|(rule, key, kind)| UnknownType { nearest: nearest(&kind), line: line(&key), rule, key, kind })
        .collect()
}

fn is_known(kind: &str) -> bool {
    kind == ORDER_TYPE || known_types().any(|known| known == kind)
}

/// Whether a type, or one of a family, is known. GuardDuty is asked for exactly the type that is written.
fn is_known_family(kind: &Glob) -> bool {
    if kind.is_literal() { is_known(kind.as_str()) } else { known_types().any(|known| kind.matches(known)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::built_in;

    #[test]
    fn the_built_in_rules_are_for_types_that_there_are() {
        assert_eq!(unknown_types(&built_in(&[]), |_| 1), []);
        let family = |text: &str| is_known_family(&Glob::try_from(text.to_owned()).expect("legal"));
        assert!(
            ["*", "*:IAMUser/*", "Recon:*", "recon:iamuser/tor*", "*.OutsideAWS"].into_iter().all(family)
        );
        assert!(!["Recon:IAMUser/Torr*", "IAMUser/*", "recon:iamuser/toripcaller"].into_iter().any(family));
    }
}
