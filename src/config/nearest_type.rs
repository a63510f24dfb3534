//! The type of a finding that somebody meant who wrote another.

use crate::finding::known_types;

/// The known type that is the most like it. Of a pattern what comes before its first wildcard is compared, with as much of each.
pub(super) fn nearest(kind: &str) -> &'static str {
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
}
