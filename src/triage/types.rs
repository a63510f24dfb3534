//! Which findings the rules could be for: what a feed has to ask for, and what it takes of other products.

use crate::config::{EventPattern, Glob};
use crate::finding::{Finding, is_about_credentials};
use crate::ident::AccountId;
use std::collections::BTreeSet;

/// The types of findings that some rule could be for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Types {
    pub(super) all: bool,
    pub(super) exact: BTreeSet<String>,
    pub(super) families: Vec<Glob>,
    /// Other products that rules name.
    pub(super) products: Vec<Glob>,
    /// Patterns of Security Hub's events.
    pub(super) hub_patterns: Vec<EventPattern>,
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

    /// Some rule names this product, which is another one than GuardDuty.
    #[must_use]
    pub fn names_product(&self, product: &str) -> bool {
        self.products.iter().any(|named| named.matches(product))
    }

    /// Some rule has a pattern of Security Hub's events.
    #[must_use]
    pub fn has_hub_patterns(&self) -> bool {
        !self.hub_patterns.is_empty()
    }

    /// Some rule is for this finding of another product, or names at least the product. `bus` is the account whose event
    /// bus would get the event.
    #[must_use]
    pub fn wants_of_product(&self, finding: &Finding, bus: &AccountId) -> bool {
        let Some(product) = finding.product() else { return false };
        if self.names_product(product) {
            return true;
        }
        if self.hub_patterns.is_empty() {
            return false;
        }
        // What was too long to be kept may be wanted.
        finding.event(bus).is_none_or(|event| self.hub_patterns.iter().any(|pattern| pattern.matches(&event)))
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
