//! Which types of findings the rules could be for: what a feed has to ask for.

use crate::config::Glob;
use crate::finding::is_about_credentials;
use std::collections::BTreeSet;

/// The types of findings that some rule could be for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Types {
    pub(super) all: bool,
    pub(super) exact: BTreeSet<String>,
    pub(super) families: Vec<Glob>,
}

impl Types {
    /// Every type that GuardDuty has or will have.
    #[must_use]
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// The types that rules name.
    #[must_use]
    pub fn exact(&self) -> Vec<String> {
        self.exact.iter().cloned().collect()
    }

    /// All that there can be is wanted: each type, or a family whose types cannot be listed beforehand.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        self.all || self.families.iter().any(|family| !is_about_credentials(fixed(family)))
    }

    /// A rule could be for this type.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.all
            || self.exact.iter().any(|exact| exact.eq_ignore_ascii_case(kind))
            || self.families.iter().any(|family| family.matches(kind))
    }
}

/// What all types of a family begin with: `Purpose:IAMUser/Name` of `Purpose:IAMUser/Name*`.
fn fixed(family: &Glob) -> &str {
    family.as_str().split(['*', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::RuleIndex;

    #[test]
    fn the_built_in_rules_want_their_families_with_whatever_suffix() {
        let types = RuleIndex::new(&[], &[]).types();
        for suffix in ["", ".OutsideAWS", ".InsideAWS", ".OutsideOrg", ".Custom"] {
            for family in ["InstanceCredentialExfiltration", "ResourceCredentialExfiltration"] {
                let kind = format!("UnauthorizedAccess:IAMUser/{family}{suffix}");
                assert!(types.wants(&kind), "{kind}");
            }
        }
        assert!(types.wants("AttackSequence:IAM/CompromisedCredentials"));
        for other in ["Recon:IAMUser/TorIPCaller", "UnauthorizedAccess:IAMUser/TorIPCaller", ""] {
            assert!(!types.wants(other), "{other}");
        }
        assert!(!types.is_unbounded());
    }

    #[test]
    fn a_family_of_other_resources_can_be_anything() {
        let of = |text: &str| Types {
            families: vec![Glob::try_from(text.to_owned()).expect("legal")],
            ..Types::default()
        };
        assert!(!of("Recon:IAMUser/*").is_unbounded());
        assert!(!of("AttackSequence:*").is_unbounded());
        for text in ["*", "Recon:*", "*:IAMUser/TorIPCaller", "Exfiltration:S3/*"] {
            assert!(of(text).is_unbounded(), "{text}");
        }
    }
}
