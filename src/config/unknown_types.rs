//! Types that a rule names and that GuardDuty is not known to have: mostly a slip, and such a rule is for nothing.

use super::{Glob, Matches, Rule};
use crate::finding::{ORDER_TYPE, known_types};
use crate::ident::quoted;
use std::fmt;

/// A type, or a pattern for types, that stands for no type that GuardDuty is known to have. It is no error: AWS adds types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownType {
    /// Name of the rule that has it.
    pub rule: String,
    /// The type or pattern, as it was written.
    pub kind: String,
    /// The known type that is the most like it.
    pub nearest: &'static str,
}

impl fmt::Display for UnknownType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rule {}: GuardDuty is not known to have {}; the nearest is {:?}",
            quoted(&self.rule),
            quoted(&self.kind),
            self.nearest
        )
    }
}

/// The unknown types of these rules.
#[must_use]
pub fn unknown_types(rules: &[Rule]) -> Vec<UnknownType> {
    let of = |rule: &Rule| -> Vec<String> {
        match &rule.matches {
            Matches::Pattern(pattern) => pattern
                .types()
                .into_iter()
                .flatten()
                .filter(|kind| !is_known(kind))
                .map(str::to_owned)
                .collect(),
            // Other products name their types as they like.
            Matches::Fields(fields) if !fields.products.is_empty() => Vec::new(),
            // Other products have types of their own.
            Matches::Fields(fields) if !fields.products.is_empty() => Vec::new(),
            Matches::Fields(fields) => fields
                .types
                .iter()
                .filter(|kind| !is_known_family(kind))
                .map(|kind| kind.as_str().to_owned())
                .collect(),
        }
    };
    let each = rules.iter().flat_map(|rule| of(rule).into_iter().map(|kind| (rule.name.clone(), kind)));
    each.map(|(rule, kind)| UnknownType { nearest: nearest(&kind), rule, kind }).collect()
}

fn is_known(kind: &str) -> bool {
    kind == ORDER_TYPE || known_types().any(|known| known == kind)
}

/// Whether a type, or one of a family, is known. GuardDuty is asked for exactly the type that is written.
fn is_known_family(kind: &Glob) -> bool {
    if kind.is_literal() { is_known(kind.as_str()) } else { known_types().any(|known| kind.matches(known)) }
}

/// The known type that is the most like it. Of a pattern what comes before its first wildcard is compared, with as much of each.
fn nearest(kind: &str) -> &'static str {
    let fixed = kind.split(['*', '?']).next().unwrap_or_default();
    let distance = |known: &str| {
        let end = if fixed.len() < kind.len() { fixed.len().min(known.len()) } else { known.len() };
        (strsim::damerau_levenshtein(fixed, known.get(..end).unwrap_or(known)), known.len())
    };
    known_types().min_by_key(|known| distance(known)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::built_in;

    #[test]
    fn the_nearest_is_what_was_meant() {
        for (written, meant) in [
            ("Recon:IAMUser/TorIPCalller", "Recon:IAMUser/TorIPCaller"),
            ("Recon:IAMUser/TorIPcaller", "Recon:IAMUser/TorIPCaller"),
            ("Recon:IAMUsers/TorIPCaller", "Recon:IAMUser/TorIPCaller"),
            ("AttackSequence:IAM/CompromisedCredential", "AttackSequence:IAM/CompromisedCredentials"),
            ("Exfiltration:S3/AnomalousBehaviour", "Exfiltration:S3/AnomalousBehavior"),
            (
                "UnauthorizedAccess:IAMUser/InstanceCredentialsExfiltration*",
                "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration",
            ),
            ("Pentest:IAMUsr/*", "PenTest:IAMUser/KaliLinux"),
            ("", "Recon:EC2/Portscan"),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
    }

    #[test]
    fn the_built_in_rules_are_for_types_that_there_are() {
        assert_eq!(unknown_types(&built_in(&[])), []);
        let family = |text: &str| is_known_family(&Glob::try_from(text.to_owned()).expect("legal"));
        assert!(
            ["*", "*:IAMUser/*", "Recon:*", "recon:iamuser/tor*", "*.OutsideAWS"].into_iter().all(family)
        );
        assert!(!["Recon:IAMUser/Torr*", "IAMUser/*", "recon:iamuser/toripcaller"].into_iter().any(family));
    }
}
