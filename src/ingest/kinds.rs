//! What a poll asks GuardDuty for, so that few findings come that are no business of ours.

use crate::aws::FindingKinds;
use crate::finding::{CREDENTIAL_TYPES, is_about_credentials};
use crate::triage::Types;

/// What GuardDuty calls the resource of findings about credentials, and of attack sequences.
const RESOURCES: [&str; 2] = ["AccessKey", "AttackSequence"];

/// What each poll lists: the types that rules are for, by name. ListFindings knows no pattern for a type, only equal and
/// not equal.
pub(super) fn by_name(types: &Types) -> Vec<FindingKinds> {
    if types.is_unbounded() {
        return vec![FindingKinds::All];
    }
    let mut named = types.exact();
    named.extend(CREDENTIAL_TYPES.iter().filter(|known| types.wants(known)).map(|known| (*known).to_owned()));
    named.sort_unstable();
    named.dedup();
    if named.is_empty() { Vec::new() } else { vec![FindingKinds::Types(named)] }
}

/// The same, and whatever GuardDuty has about credentials: types that nobody has heard of, and those that no rule is for.
pub(super) fn with_families(types: &Types) -> Vec<FindingKinds> {
    let mut kinds = by_name(types);
    if !types.is_unbounded() {
        kinds.push(FindingKinds::About(RESOURCES.to_vec()));
    }
    kinds
}

/// Whether something is decided about what was listed: a rule could be for it, or it is about credentials. All else,
/// about instances or buckets, is left out.
pub(super) fn is_decided_on(types: &Types, kind: &str) -> bool {
    types.wants(kind) || is_about_credentials(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::RuleIndex;

    #[test]
    fn what_rules_are_for_is_listed_by_name_and_the_families_by_their_resource() {
        let types = RuleIndex::new(&[], &[]).types();
        let [FindingKinds::Types(named)] = &by_name(&types)[..] else { panic!("one") };
        assert!(named.iter().all(|kind| types.wants(kind)));
        assert!(
            CREDENTIAL_TYPES.iter().all(|kind| !types.wants(kind) || named.iter().any(|name| name == kind))
        );
        let families = FindingKinds::About(RESOURCES.to_vec());
        assert_eq!(with_families(&types), [FindingKinds::Types(named.clone()), families.clone()]);
        assert_eq!(with_families(&Types::all()), [FindingKinds::All]);
        assert_eq!(with_families(&Types::default()), [families]);
    }

    #[test]
    fn what_no_rule_is_for_is_decided_on_if_it_is_about_credentials() {
        let types = RuleIndex::new(&[], &[]).types();
        for kind in ["Recon:IAMUser/TorIPCaller", "Unheard:IAMUser/Of", "AttackSequence:Unheard/Of"] {
            assert!(!types.wants(kind) && is_decided_on(&types, kind), "{kind}");
        }
        assert!(!is_decided_on(&types, "Exfiltration:S3/AnomalousBehavior"));
        assert!(is_decided_on(&Types::all(), "Exfiltration:S3/AnomalousBehavior"));
    }
}
