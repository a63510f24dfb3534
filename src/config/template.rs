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
        .replace("{external_id}", &toml_text(external_id))
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

const TEMPLATE: &str = r#"# rescind: revokes stolen AWS role sessions.
# docs/configuration.md explains each key; docs/schema/ has a JSON Schema for
# editors.

# The boldest action allowed:
# "observe" decides and records what it would do, and changes nothing.
# "approve" holds each remediation until a person approves it.
# "enforce" revokes. Read what it observed first: `rescind list --decisions`.
mode = "observe"

# Regions whose GuardDuty findings are read, at the detector of the delegated
# administrator. STS is called in the first one. A "*" at the end adds every
# other region that is enabled.
regions = [{regions}]

# Regions whose STS is called when that of the first region does not answer. The
# default is the next one of `regions` that every account has; [] is none.
# sts_regions = ["eu-west-1"]

# File of the audit ledger (SQLite), relative to this file. On several hosts,
# which take over from each other, with a log in a DynamoDB table:
# ledger = { path = "ledger.db", table = "rescind-log", lease = "10s" }
# With an S3 bucket with Object Lock that keeps its checkpoints:
# ledger = { path = "ledger.db", witness = { bucket = "example-witness" } }
# With a witness of another operator, which cosigns its checkpoints:
# ledger = { path = "ledger.db", witness = { cosigners = [
#   { url = "https://witness.example/", public_key = "NAME+KEYID+BASE64" },
# ] } }
ledger = {ledger}

# Key that signs checkpoints of the ledger: a file, or the ARN of a KMS key
# (ECC_NIST_EDWARDS25519). Keep its public part elsewhere: `rescind ledger key`.
signing_key = {signing_key}

# What is done to a principal, by the built-in rules and by rules that name no
# remedy. Of a list, the first that is for the principal: "role_sessions",
# "user_keys", "quarantine" (hold it until a person releases it) and
# "organization_deny" (a service control policy).
remedy = "role_sessions"

# Maximum time since credentials were last seen in use. Older ones are skipped.
max_finding_age = "24h"

# Time between two polls of a region, and the maximum number of calls per second
# that all polls make together.
poll_interval = "1m"
calls_per_second = 20

# Whether GuardDuty must confirm what comes from the queue or the folder. With
# false, anyone who can write to the queue can have roles revoked: only for a
# hub that cannot have the permission to ask.
confirm = true

# Time after which a remediation that is not done raises an alert, every hour.
raise_after = "10m"

# Maximum time between checks of a deny in force; a missing one is restored.
recheck_interval = "15m"

# How long a deny must have been in place before the policy
# rescind/Quarantine beside it is detached again. The service attaches it, and
# it denies everything, also to legitimate sessions. "0s" attaches none.
quarantine = "2m"

# What is done about a deny that somebody takes away again and again, beside
# putting it back: "put_back" (nothing more), "keep_quarantine" (until a person
# releases it) or "organization_deny" (a service control policy, if a person
# approves it).
contested = "put_back"

# What happens to a deny once every token that it denies has expired: "off" does
# nothing, "report" records it, "on" removes the deny.
sweep = "report"

# Whether CloudTrail is searched for denied calls with a stolen key, for what it
# opened and made, and for who removed a deny. The remediation role needs
# cloudtrail:LookupEvents for it.
cloudtrail = true

# What is done about the sessions that were opened with stolen credentials, by
# CloudTrail: "off" (it is not searched for them), "observe", "approve" or
# "enforce". It never exceeds the mode.
pursue = "approve"

# What of that which was made with stolen credentials is denied as well: access
# keys, users, roles (of "keys", "users", "roles"). The rest is only listed.
contain = []

# Time for work in flight to finish at a stop. The rest resumes at the next
# start.
drain_timeout = "20s"

# Address on which the service answers: the console, the API, /healthz, /readyz
# and /metrics. "": none.
listen = "127.0.0.1:7434"

# Maximum number of roles worked on concurrently.
concurrency = 32

# File of the opt-outs: exceptions by account, OU, tag, role, finding type or
# region, in which less is allowed. A separate file, so that it can be reviewed.
opt_outs = "opt-outs.toml"

# Account tag that limits what may be done in that account: off, observe,
# approve or enforce.
account_tag = "rescind:mode"

# The same as a tag of a role or IAM user. "": such tags do not count.
principal_tag = "rescind:mode"

# What becomes of such a tag that was set when the theft had been seen already:
# "ignore" (a thief may have set it; an alert says who did) or "count".
late_tags = "ignore"

# ARNs of roles that are never revoked, with * and ?. List break-glass and
# deployment roles.
protected = []
#protected = ["arn:aws:iam::*:role/break-glass*", "arn:aws:iam::*:role/ci/*"]

# Maximum time that a held remediation waits for an answer. Then it is rejected,
# with an alert.
approval_timeout = "4h"

# Rules select findings and say what to do; the first that matches decides.
# Without rules, rescind acts on credentials of instances, functions and
# containers that are used elsewhere. Use from an account of the same
# organization is held for approval.
#[[rules]]
#name = "our own scanner"
#pattern = '''
#{"detail": {"resource": {"accessKeyDetails":
#{"userName": [{"prefix": "scanner-"}]}}}}'''
#mode = "observe"

#[[rules]]
#name = "stolen credentials look around"
#types = ["Recon:IAMUser/*"]
#min_severity = 5
#mode = "approve"

# Findings within seconds: an SQS queue to which EventBridge sends the findings
# of all regions. Without it, rescind only polls.
#[events]
#queue = "https://sqs.eu-central-1.amazonaws.com/111122223333/rescind-findings"
#receivers = 4

# Exported findings: .json, .jsonl and .jsonl.gz files that appear in a folder.
#[folder]
#path = "exports"

# The console and the API at the address of `listen`: their address for others,
# the OpenID provider that people log in with, and who may do what. Without
# [[web.access]], programs on this machine may read.
#[web]
#url = "https://rescind.example.com"
#
#[web.oidc]
#issuer = "https://id.example.com"
#client_id = "rescind"
#client_secret_file = "oidc-secret"
#
#[[web.access]]
#role = "approver"
#groups = ["security"]

# Notification channels: SNS topics and event buses whose names begin with
# rescind-, webhooks, and a ticket for each incident in Jira or ServiceNow.
#[[notify]]
#name = "on-call"
#sns = "arn:aws:sns:eu-central-1:111122223333:rescind-on-call"
#min_level = "warning"

#[[notify]]
#name = "chat"
#webhook_env = "RESCIND_CHAT_URL"
#style = "slack"
#topics = ["revoked", "held", "not_revoked", "alert"]

#[[notify]]
#name = "tickets"
#jira = "https://example.atlassian.net"
#project = "SEC"
#user = "rescind@example.com"
#token_file = "jira.token"

# Maximum number of remediations per hour without approval. The rest is held.
[budget]
account_per_hour = 5
organization_per_hour = 25
# Maximum percentage of an account's roles. One role is always allowed.
roles_percent = 10

# What is written back about a finding whose remediation is revoked and whose
# incident is closed: guardduty = "archive", security_hub = "note" or "resolve".
[write_back]
guardduty = "off"
security_hub = "off"

[member]
# The remediation role in each member account. With a path:
# "security/RescindRemediation".
role = "RescindRemediation"

# ExternalId that the role's trust policy requires. The same in all accounts.
external_id = {external_id}

# SourceIdentity of every session that rescind opens, to find it in CloudTrail.
source_identity = "rescind"

# Throw-away role for `rescind drill ACCOUNT`; docs/drills.md says how to create
# it.
#[drill]
#role = "RescindDrill"
"#;

const OPT_OUTS: &str = r#"# Where rescind may do less than rescind.toml allows. If several apply, the most
# cautious wins. A running service reads this file again when it changes.
# `rescind opt-out` lists, adds, removes and explains opt-outs;
# docs/configuration.md has every key.

#[[opt_out]]
#name = "payments-release"
# At least one of the following. One item of each list that is given must match.
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
# Last day, in UTC, at most 365 days ahead. Or write: permanent = true
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
        let too_wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(too_wide.is_empty(), "{too_wide:#?}");
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
