//! What a poll asks GuardDuty for, so that few findings come that no rule is for.

use crate::aws::FindingKinds;
use crate::triage::Types;

/// What GuardDuty calls the resource of findings about credentials.
const ACCESS_KEY: &str = "AccessKey";

/// The types about access keys that GuardDuty has (User Guide, "IAM finding types", 2026). What is not
/// among them is new.
const KNOWN: [&str; 28] = [
    "CredentialAccess:IAMUser/AnomalousBehavior",
    "CredentialAccess:IAMUser/CompromisedCredentials",
    "DefenseEvasion:IAMUser/AnomalousBehavior",
    "DefenseEvasion:IAMUser/BedrockLoggingDisabled",
    "Discovery:IAMUser/AnomalousBehavior",
    "Exfiltration:IAMUser/AnomalousBehavior",
    "Impact:IAMUser/AnomalousBehavior",
    "Impact:IAMUser/AnomalousModelInvocation",
    "Impact:IAMUser/CostHarvesting",
    "InitialAccess:IAMUser/AnomalousBehavior",
    "PenTest:IAMUser/KaliLinux",
    "PenTest:IAMUser/ParrotLinux",
    "PenTest:IAMUser/PentooLinux",
    "Persistence:IAMUser/AnomalousBehavior",
    "Policy:IAMUser/RootCredentialUsage",
    "Policy:IAMUser/ShortTermRootCredentialUsage",
    "PrivilegeEscalation:IAMUser/AnomalousBehavior",
    "Recon:IAMUser/MaliciousIPCaller",
    "Recon:IAMUser/MaliciousIPCaller.Custom",
    "Recon:IAMUser/TorIPCaller",
    "Stealth:IAMUser/CloudTrailLoggingDisabled",
    "Stealth:IAMUser/PasswordPolicyChange",
    "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller",
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:IAMUser/TorIPCaller",
];

/// What a poll lists: the types by name. ListFindings knows no pattern for a type, only equal and not equal.
pub(super) fn by_name(types: &Types) -> Vec<FindingKinds> {
    if types.is_unbounded() {
        return vec![FindingKinds::All];
    }
    let mut named = types.exact();
    named.extend(KNOWN.iter().filter(|known| types.wants(known)).map(|known| (*known).to_owned()));
    named.sort_unstable();
    named.dedup();
    if named.is_empty() { Vec::new() } else { vec![FindingKinds::Types(named)] }
}

/// The same, and types of the wanted families that GuardDuty did not have when this was written: all about
/// access keys but the known types. What no rule is for is left out when it is there.
pub(super) fn with_new(types: &Types) -> Vec<FindingKinds> {
    let mut kinds = by_name(types);
    if types.has_families() && !types.is_unbounded() {
        let mut known: Vec<String> = KNOWN.iter().map(|known| (*known).to_owned()).collect();
        known.extend(types.exact());
        known.sort_unstable();
        known.dedup();
        kinds.push(FindingKinds::NewOf { resource: ACCESS_KEY, known });
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::RuleIndex;

    #[test]
    fn nothing_that_a_rule_is_for_is_left_out() {
        let types = RuleIndex::new(&[], &[]).types();
        let kinds = with_new(&types);
        let [FindingKinds::Types(named), FindingKinds::NewOf { known, .. }] = &kinds[..] else {
            panic!("{kinds:?}")
        };
        assert!(named.iter().all(|kind| types.wants(kind)));
        // What the second listing leaves out is in the first one, or nobody wants it.
        assert!(known.iter().all(|kind| named.contains(kind) || !types.wants(kind)));
        assert_eq!(by_name(&types).len(), 1);
        assert_eq!(with_new(&Types::all()), [FindingKinds::All]);
        assert_eq!(with_new(&Types::default()), []);
    }
}
