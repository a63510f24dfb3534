//! What `rescind init` writes.

use crate::ident::Region;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

/// A commented configuration that observes. With a `state`, the ledger and its key lie in that folder.
#[must_use]
pub fn template(regions: &[Region], external_id: &str, state: Option<&Path>) -> String {
    let regions: Vec<String> = regions.iter().map(|r| format!("\"{r}\"")).collect();
    let lies = |name: &str| {
        let path = state.map_or_else(|| name.into(), |folder| folder.join(name));
        toml_text(&path.display().to_string())
    };
    TEMPLATE
        .replace("{regions}", &regions.join(", "))
        .replace("{external_id}", external_id)
        .replace("{ledger}", &lies("ledger.db"))
        .replace("{signing_key}", &lies("ledger.key"))
}

/// A text as TOML has it.
fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
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

/// A commented example of `opt-outs.toml`, without any opt-out.
#[must_use]
pub fn opt_outs_template(now: Timestamp) -> String {
    let in_a_month = now.saturating_add(SignedDuration::from_hours(24 * 30)).unwrap_or(now);
    OPT_OUTS.replace("{expires}", &in_a_month.strftime("%Y-%m-%d").to_string())
}

// In both: a comment has a blank behind the #, an example has none.

const TEMPLATE: &str = r#"# rescind: takes stolen AWS role sessions back.
# Each key is explained in docs/configuration.md; docs/schema/ has a JSON Schema for editors.

# What may be done at most:
# "observe" decides and records what it would do, and changes nothing.
# "approve" holds each remediation until a person approves it.
# "enforce" revokes. Read what it observed first: `rescind list --decisions`.
mode = "observe"

# The regions whose GuardDuty findings are read, at the detector of the delegated
# administrator. STS is called in the first one. A "*" at the end: and all others that are enabled.
regions = [{regions}]

# File of the audit ledger (SQLite), relative to this file.
ledger = {ledger}

# The key that signs checkpoints of the ledger. Keep its public part elsewhere: `rescind ledger key`.
signing_key = {signing_key}

# Credentials last seen in use longer ago than this are not acted on.
max_finding_age = "24h"

# Time between two polls of a region, and how many calls a second all polls make at most.
poll_interval = "1m"
calls_per_second = 20

# What comes by event or folder is a hint: GuardDuty is asked before anything is done. Say false
# only if the hub cannot have the permission: then who can write to the queue can have roles revoked.
confirm = true

# What is still not revoked after this is raised to a person, every hour.
raise_after = "10m"

# A deny that is in force is looked at again at least so often. When somebody took it away it is put back.
recheck_interval = "15m"

# When no token that a deny denies can be alive any more: "off" does nothing, "report" records it, "on"
# takes the deny away.
sweep = "report"

# Ask CloudTrail whether a stolen key was denied, and who took a deny away. The remediation role needs
# cloudtrail:LookupEvents for it.
cloudtrail = false

# At a stop, what is in flight is given so long. What is left is taken up at the next start.
drain_timeout = "20s"

# Where the service answers /healthz, /readyz and /metrics. "": nowhere.
listen = "127.0.0.1:7434"

# Maximum number of roles worked on concurrently.
concurrency = 32

# Where less may be done than `mode` and the rules say: by account, OU, tag, role, finding type or
# region. A file of its own, so that it can be reviewed.
opt_outs = "opt-outs.toml"

# The tag by which an account says the same: off, observe, approve or enforce.
account_tag = "rescind:mode"

# Roles that are never revoked: ARNs, with * and ?. Break-glass and deployment roles belong here.
protected = []
#protected = ["arn:aws:iam::*:role/break-glass*", "arn:aws:iam::111122223333:role/ci/*"]

# How long a held remediation waits for a person. Then it is rejected, with an alert.
approval_timeout = "4h"

# Which findings are acted on: the first rule that matches decides. Without rules: credentials of
# instances, functions and containers in use elsewhere. From an account of the same organization
# that is held for approval.
#[[rules]]
#name = "our own scanner"
#pattern = '{"detail": {"resource": {"accessKeyDetails": {"userName": [{"prefix": "scanner-"}]}}}}'
#mode = "observe"

#[[rules]]
#name = "stolen credentials look around"
#types = ["Recon:IAMUser/*"]
#min_severity = 5
#mode = "approve"

# Findings within seconds: an SQS queue to which EventBridge sends them, from all regions.
# Without it there are the polls alone.
#[events]
#queue = "https://sqs.eu-central-1.amazonaws.com/111122223333/rescind-findings"
#receivers = 4

# Exported findings: .json, .jsonl, .jsonl.gz files that appear in a folder.
#[folder]
#path = "exports"

# Channels of notifications. SNS topics and event buses whose names begin with rescind-, and webhooks.
#[[notify]]
#name = "on-call"
#sns = "arn:aws:sns:eu-central-1:111122223333:rescind-on-call"
#min_level = "warning"

#[[notify]]
#name = "chat"
#webhook_env = "RESCIND_CHAT_URL"
#style = "slack"
#topics = ["revoked", "held", "not_revoked", "alert"]

# How much may be done within an hour without asking. What is beyond is held for approval.
[budget]
account_per_hour = 5
organization_per_hour = 25
# Maximum percentage of an account's roles. One role is always allowed.
roles_percent = 10

[member]
# The remediation role, in each member account. With a path: "security/RescindRemediation".
role = "RescindRemediation"

# ExternalId that the role's trust policy requires. The same in all accounts.
external_id = "{external_id}"

# The SourceIdentity of every session that rescind opens: look for it in CloudTrail.
source_identity = "rescind"

# The throw-away role for `rescind drill ACCOUNT`: docs/drills.md says how to create it.
#[drill]
#role = "RescindDrill"
"#;

const OPT_OUTS: &str = r#"# Where rescind may do less than rescind.toml says. Several may apply: the most cautious wins.
# A running rescind reads this file again when it changes. `rescind opt-out` lists, adds, removes
# and explains; docs/configuration.md has every key.

#[[opt_out]]
#name = "payments-release"
# Of a list one must fit; all that are given must fit. At least one is needed.
#accounts = ["222222222222"]
#ous = ["ou-ab12-cdefgh34"]
#tags = { team = "payments" }
#roles = ["batch-*"]
#types = ["UnauthorizedAccess:IAMUser/*"]
#regions = ["eu-central-1"]
# "approve", "observe" or "off".
#mode = "approve"
#owner = "payments team"
#reason = "release week; the batch jobs cannot be restarted"
# The last day, in UTC, at most 365 days ahead. Or spell out: permanent = true
#expires = {expires}
"#;

#[cfg(test)]
mod tests {
    use crate::config::{Config, OptOuts};
    use jiff::{SignedDuration, Timestamp};
    use std::path::Path;

    /// The file with its examples taken out of the comments; a key that is there twice is that of the
    /// example.
    fn with_examples(text: &str) -> String {
        let example = |line: &str| {
            line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '\n'])).map(str::to_owned)
        };
        text.replace("protected = []\n", "")
            .lines()
            .map(|line| example(line).filter(|rest| !rest.is_empty()).unwrap_or_else(|| line.to_owned()))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_examples_are_valid() {
        let text = super::template(&["eu-west-1".parse().expect("legal")], "abcdef0123456789", None);
        let config = Config::parse(&with_examples(&text), Path::new("rescind.toml")).expect("valid");
        assert_eq!((config.rules.len(), config.protected.len()), (2, 2));
        assert!(config.events.is_some() && config.folder.is_some());
        let now = Timestamp::now();
        let soon = (now + SignedDuration::from_hours(24 * 30)).strftime("%Y-%m-%d").to_string();
        let text = super::opt_outs_template(now);
        assert!(text.contains(&soon), "{text}");
        let path = Path::new("opt-outs.toml");
        assert_eq!(OptOuts::parse(&with_examples(&text), path, now).expect("valid").all.len(), 1);
        assert_eq!(OptOuts::parse(&text, path, now).expect("valid").all.len(), 0);
    }
}
