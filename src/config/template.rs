//! What `rescind init` writes.

use crate::ident::Region;

/// A commented configuration that observes.
#[must_use]
pub fn template(regions: &[Region], external_id: &str) -> String {
    let regions: Vec<String> = regions.iter().map(|r| format!("\"{r}\"")).collect();
    TEMPLATE.replace("{regions}", &regions.join(", ")).replace("{external_id}", external_id)
}

/// A random external id: 128 bits, in hexadecimal.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_external_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(crate::digest::hex(&bytes))
}

const TEMPLATE: &str = r#"# rescind: takes stolen AWS role sessions back.
# Each key is explained in docs/configuration.md.

# "observe" decides and records what it would do, and changes nothing.
# "enforce" revokes. Read what it observed first: `rescind list --decisions`.
mode = "observe"

# The regions whose GuardDuty findings are read, at the detector of the delegated
# administrator. STS is called in the first one.
regions = [{regions}]

# The audit ledger (SQLite), beside this file unless the path is absolute.
ledger = "ledger.db"

# Credentials last seen in use longer ago than this are not acted on.
max_finding_age = "24h"

# Time between two polls of a region.
poll_interval = "60s"

# How many roles are worked on at once.
concurrency = 32

# Where less may be done than `mode` says: by account, OU, tag, role, finding type or region. A file
# of its own, so that it can be reviewed; docs/configuration.md explains it.
opt_outs = "opt-outs.toml"

# Roles that are never revoked: ARNs, with * and ?. Break-glass and deployment roles belong here.
protected = []

[member]
# The remediation role, in each member account. With a path: "security/RescindRemediation".
role = "RescindRemediation"

# The ExternalId that the role's trust policy asks for. The same in all accounts.
external_id = "{external_id}"

# The SourceIdentity of every session that rescind opens: look for it in CloudTrail.
source_identity = "rescind"
"#;
