//! The IAM documents that rescind is deployed with, filled in for one organization.
//!
//! They are the files in `policies/`: what is printed, what `doctor` compares with, and what the tests'
//! organization is built with is the same text.

mod delegation;
mod same;
mod seal;

pub use delegation::{Delegate, delegation, organization_delegation};
pub use same::{allows_more, difference};
pub use seal::sealing;

use crate::config::{RemedyName, WriteBack};
use crate::ident::{AccountId, Partition, quoted};
use serde_json::Value;

const MEMBER_TRUST: &str = include_str!("../../policies/member-role-trust.json");
const MEMBER_ROLE: &str = include_str!("../../policies/member-role-permissions.json");
const MEMBER_USERS: &str = include_str!("../../policies/member-role-users.json");
const CONTAIN_USERS: &str = include_str!("../../policies/member-role-users-contain.json");
const CONTAIN_ONLY: &str = include_str!("../../policies/member-role-contain-only.json");
const HUB_ROLE: &str = include_str!("../../policies/hub-role-permissions.json");
const HUB_ORGANIZATION_DENY: &str = include_str!("../../policies/hub-role-organization-deny.json");
const HUB_ARCHIVE: &str = include_str!("../../policies/hub-role-archive.json");
const HUB_KMS: &str = include_str!("../../policies/hub-role-kms.json");
const HUB_LOG: &str = include_str!("../../policies/hub-role-log.json");
const HUB_WITNESS: &str = include_str!("../../policies/hub-role-witness.json");
const HUB_SECURITY_HUB: &str = include_str!("../../policies/hub-role-security-hub.json");
const SEAL: &str = include_str!("../../policies/organization-seal.json");
const GUARD: &str = include_str!("../../policies/organization-guard.json");
const QUARANTINE: &str = include_str!("../../policies/quarantine.json");
const DRILL_ROLE: &str = include_str!("../../policies/drill-role-permissions.json");
const DOCTOR: &str = include_str!("../../policies/session-doctor.json");

/// The inline policy of the remediation role with what every remedy of roles needs.
pub const MEMBER_POLICY: &str = "Rescind";

/// Name of the remediation role's inline policy with what remedies of IAM users need in addition.
pub const USERS_POLICY: &str = "RescindUsers";

/// Path and name of the managed policy with which a principal is quarantined, as its ARN has them. The stack
/// of the remediation role brings it along.
pub const QUARANTINE_POLICY: &str = "rescind/Quarantine";

/// How much of a document is found where it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployed {
    /// All of it. There may be other statements beside it.
    Whole,
    /// Something of it, and in what it differs.
    Part(String),
    Nothing,
}

/// Who a member trusts, and how.
#[derive(Debug, Clone)]
pub struct Trusted {
    pub hub_role_arn: String,
    /// The id of the organization: `o-…`.
    pub organization: String,
    /// The ExternalId that AssumeRole must give.
    pub external_id: String,
    /// The SourceIdentity with which the hub assumes the role.
    pub source_identity: String,
}

/// The trust policy of the remediation role, and of the role for drills.
#[must_use]
pub fn member_trust(trusted: &Trusted) -> Value {
    filled(
        MEMBER_TRUST,
        &[
            ("HUB_ROLE_ARN", &trusted.hub_role_arn),
            ("ORG_ID", &trusted.organization),
            ("EXTERNAL_ID", &trusted.external_id),
            ("SOURCE_IDENTITY", &trusted.source_identity),
        ],
    )
}

/// In what a role's trust is not [`member_trust`]; none when it is.
#[must_use]
pub fn trust_difference(trusted: &Trusted, found: Option<&str>) -> Option<String> {
    let found: Value = found.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    // A caller's ARN leaves the path of the hub's role out; the trust has it.
    let hub_role_arn = with_path(&trusted.hub_role_arn, &found);
    difference(&member_trust(&Trusted { hub_role_arn, ..trusted.clone() }), &found)
}

/// Whether a role's trust policy admits a principal that [`member_trust`] does not, or on other terms.
#[must_use]
pub fn trusts_more(trusted: &Trusted, found: Option<&str>) -> bool {
    let found: Value = found.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let hub_role_arn = with_path(&trusted.hub_role_arn, &found);
    allows_more(&member_trust(&Trusted { hub_role_arn, ..trusted.clone() }), &found)
}

/// The ARN with the path that the found document has for the same role.
fn with_path(arn: &str, found: &Value) -> String {
    let Some((prefix, name)) = arn.split_once(":role/") else { return arn.to_owned() };
    let mut texts = Vec::new();
    collect(found, &mut texts);
    let is_it = |text: &&String| {
        text.strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix(":role/"))
            .is_some_and(|rest| rest == name || rest.ends_with(&format!("/{name}")))
    };
    texts.iter().find(is_it).cloned().unwrap_or_else(|| arn.to_owned())
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| collect(one, texts)),
        Value::Object(all) => all.values().for_each(|one| collect(one, texts)),
        _ => {}
    }
}

/// Whether these remedies write nothing in a member account: there, the quarantine is attached and detached at most.
#[must_use]
pub fn is_contain_only(remedies: &[RemedyName]) -> bool {
    !remedies.iter().any(|remedy| matches!(remedy, RemedyName::RoleSessions | RemedyName::UserKeys))
}

/// The parameter `UserKeys` of the remediation role's template: what the role may do with IAM users beside roles.
#[must_use]
pub fn user_keys(remedies: &[RemedyName]) -> &'static str {
    let contains = [RemedyName::Quarantine, RemedyName::OrganizationDeny];
    match remedies {
        all if all.contains(&RemedyName::UserKeys) => "true",
        all if !is_contain_only(all) && all.iter().any(|one| contains.contains(one)) => "contain",
        _ => "false",
    }
}

/// The inline policies that the remediation role needs for these remedies, by name. They deny it to
/// change itself, so they have its own name in them: `member_role`, with its path if it has one.
#[must_use]
pub fn member_role(member_role: &str, remedies: &[RemedyName]) -> Vec<(&'static str, Value)> {
    let template = if is_contain_only(remedies) { CONTAIN_ONLY } else { MEMBER_ROLE };
    let mut policies = vec![(MEMBER_POLICY, filled(template, &[("MEMBER_ROLE", member_role)]))];
    match user_keys(remedies) {
        "true" => policies.push((USERS_POLICY, filled(MEMBER_USERS, &[]))),
        "contain" => policies.push((USERS_POLICY, filled(CONTAIN_USERS, &[]))),
        _ => {}
    }
    policies
}

/// The permissions of the hub's role for these remedies, what is written back, the table in which the log is kept, the
/// bucket in which checkpoints are, and the KMS key that signs them. `member_role` and `drill_role` with their paths, if
/// they have any.
#[must_use]
pub fn hub_role(
    member_role: &str,
    drill_role: Option<&str>,
    remedies: &[RemedyName],
    write_back: WriteBack,
    log_table: Option<&str>,
    witness_bucket: Option<&str>,
    signing_key_arn: Option<&str>,
) -> Value {
    let mut policy = filled(HUB_ROLE, &[("MEMBER_ROLE", member_role)]);
    let enter = statements(&mut policy).find(|statement| statement["Sid"] == "EnterMembers");
    if let (Some(enter), Some(drill)) = (enter, drill_role) {
        let both = [enter["Resource"].clone(), format!("arn:*:iam::*:role/{drill}").into()];
        enter["Resource"] = both.into_iter().collect();
    }
    let more = [
        (remedies.contains(&RemedyName::OrganizationDeny), HUB_ORGANIZATION_DENY),
        (write_back.archives(), HUB_ARCHIVE),
        (write_back.updates_security_hub(), HUB_SECURITY_HUB),
        (log_table.is_some(), HUB_LOG),
        (witness_bucket.is_some(), HUB_WITNESS),
        (signing_key_arn.is_some(), HUB_KMS),
    ];
    for (_, template) in more.into_iter().filter(|(is_needed, _)| *is_needed) {
        if let Some(Value::Array(statements)) = policy.get_mut("Statement") {
            let places = [
                ("LOG_TABLE", log_table.unwrap_or_default()),
                ("WITNESS_BUCKET", witness_bucket.unwrap_or_default()),
                ("SIGNING_KEY_ARN", signing_key_arn.unwrap_or_default()),
            ];
            let filled = filled(template, &places);
            statements.extend(statements_of(&filled).iter().cloned());
        }
    }
    policy
}

/// The managed policy that denies everything to whom it is attached.
#[must_use]
pub fn quarantine() -> Value {
    filled(QUARANTINE, &[])
}

/// The ARN of [`quarantine`] in the account of a role or user.
#[must_use]
pub fn quarantine_beside(principal_arn: &str) -> String {
    let account = principal_arn.rsplit_once(':').map_or("", |(account, _)| account);
    format!("{account}:policy/{QUARANTINE_POLICY}")
}

/// The service control policy that keeps anyone but `deployers` (ARN patterns) from changing the remediation
/// role and the quarantine, and anyone but them and that role from lifting a quarantine.
#[must_use]
pub fn organization_seal(member_role: &str, deployers: &[String]) -> Value {
    with_deployers(SEAL, member_role, deployers)
}

/// The service control policy that in addition keeps everybody else from writing inline policies and from
/// switching access keys.
#[must_use]
pub fn organization_guard(member_role: &str, deployers: &[String]) -> Value {
    with_deployers(GUARD, member_role, deployers)
}

fn with_deployers(template: &str, member_role: &str, deployers: &[String]) -> Value {
    let mut policy = filled(template, &[("MEMBER_ROLE", member_role)]);
    for statement in statements(&mut policy) {
        for place in ["/Condition/ArnNotLike/aws:PrincipalArn", "/Resource"] {
            if let Some(Value::Array(several)) = statement.pointer_mut(place)
                && several.iter().any(|one| one == "${DEPLOYERS}")
            {
                several.retain(|one| one != "${DEPLOYERS}");
                several.extend(deployers.iter().map(|deployer| Value::from(deployer.as_str())));
            }
        }
    }
    policy
}

/// The permissions of the role for drills.
#[must_use]
pub fn drill_role(drill_role: &str) -> Value {
    filled(DRILL_ROLE, &[("DRILL_ROLE", drill_role)])
}

/// What a session may do at most that only looks at the role that it is of, and at the quarantine.
#[must_use]
pub fn session_of_doctor(role_arn: &str) -> String {
    let quarantine = quarantine_beside(role_arn);
    filled(DOCTOR, &[("ROLE_ARN", role_arn), ("QUARANTINE_ARN", &quarantine)]).to_string()
}

/// A caller that is no role: its ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the credentials are not a role's but {0}'s")]
pub struct NoRole(pub String);

/// The ARN of the role that a caller's ARN belongs to. The role's path is missing: the caller's ARN does not have it.
///
/// # Errors
/// When the caller is no role.
pub fn role_of_caller(caller: &str, partition: Partition, account: &AccountId) -> Result<String, NoRole> {
    caller
        .split_once(":assumed-role/")
        .and_then(|(_, rest)| rest.split('/').next())
        .map(|name| partition.role_arn(account, name))
        .ok_or_else(|| NoRole(quoted(caller)))
}

/// Placeholders are replaced inside of texts, so no value can change what the document says.
fn filled(template: &str, values: &[(&str, &str)]) -> Value {
    let mut document = serde_json::from_str(template).unwrap_or_default();
    fill(&mut document, values);
    document
}

fn fill(value: &mut Value, values: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            for (name, value) in values {
                *text = text.replace(&format!("${{{name}}}"), value);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| fill(one, values)),
        Value::Object(all) => all.values_mut().for_each(|one| fill(one, values)),
        _ => {}
    }
}

/// The statements of a document that may have one without a list.
fn statements_of(document: &Value) -> &[Value] {
    match &document["Statement"] {
        Value::Array(all) => all,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn statements(policy: &mut Value) -> impl Iterator<Item = &mut Value> {
    policy.get_mut("Statement").and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_back() -> WriteBack {
        use crate::config::{GuardDutyBack, SecurityHubBack};
        WriteBack { guardduty: GuardDutyBack::Archive, security_hub: SecurityHubBack::Note }
    }

    #[test]
    fn the_hub_may_write_back_only_what_is_configured() {
        let sids = |write_back| {
            let policy = hub_role("R", None, &[], write_back, None, None, None);
            statements_of(&policy)
                .iter()
                .map(|one| one["Sid"].as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        let off = sids(WriteBack::default());
        assert!(!off.iter().any(|sid| sid == "ArchiveFindings" || sid == "UpdateSecurityHub"), "{off:?}");
        let both = sids(both_back());
        assert_eq!(both[off.len()..], ["ArchiveFindings", "UpdateSecurityHub"]);
    }

    #[test]
    fn the_log_is_kept_in_the_one_table_that_is_named() {
        let of = |table| hub_role("R", None, &[], WriteBack::default(), table, None, None);
        assert!(!of(None).to_string().contains("dynamodb:"));
        let policy = of(Some("audit"));
        let keep = policy["Statement"].as_array().and_then(|all| all.last()).expect("a statement");
        assert_eq!(keep["Sid"], "KeepLog");
        assert_eq!(keep["Resource"], "arn:*:dynamodb:*:*:table/audit");
    }

    #[test]
    fn the_hub_uses_a_bucket_only_where_it_keeps_its_checkpoints_there() {
        let of = |bucket| hub_role("R", None, &[], WriteBack::default(), None, bucket, None);
        assert!(!of(None).to_string().contains("s3:"));
        let policy = of(Some("example-witness"));
        let all = policy["Statement"].as_array().expect("statements");
        let named = |sid: &str| all.iter().find(|one| one["Sid"] == sid).expect("it")["Resource"].clone();
        assert_eq!(named("PutCheckpoints"), "arn:*:s3:::example-witness/*");
        assert_eq!(named("ReadWitness"), "arn:*:s3:::example-witness");
    }

    #[test]
    fn nothing_is_left_open() {
        let trusted = Trusted {
            hub_role_arn: "arn:aws:iam::111111111111:role/Hub".to_owned(),
            organization: "o-1".to_owned(),
            external_id: "\"}],\"x\":[{\"".to_owned(),
            source_identity: "rescind".to_owned(),
        };
        let both = [RemedyName::RoleSessions, RemedyName::UserKeys];
        let deployers = ["arn:aws:iam::*:role/stacksets-exec-*".to_owned()];
        let mut all = vec![
            member_trust(&trusted),
            hub_role(
                "RescindRemediation",
                Some("RescindDrill"),
                &[RemedyName::OrganizationDeny],
                both_back(),
                Some("rescind-log"),
                Some("example-witness"),
                Some("arn:aws:kms:eu-central-1:111122223333:key/1234abcd"),
            ),
            organization_delegation(&Delegate {
                hub_role_arn: trusted.hub_role_arn.clone(),
                organization: trusted.organization.clone(),
                management: "999999999999".parse().expect("legal"),
            }),
            organization_seal("RescindRemediation", &deployers),
            organization_guard("RescindRemediation", &deployers),
            quarantine(),
            drill_role("RescindDrill"),
        ];
        for remedies in
            [&both[..], &[RemedyName::Quarantine], &[RemedyName::RoleSessions, RemedyName::Quarantine]]
        {
            all.extend(member_role("a/RescindRemediation", remedies).into_iter().map(|(_, policy)| policy));
        }
        for document in all {
            assert!(document["Statement"].as_array().is_some_and(|all| !all.is_empty()), "{document}");
            assert!(!document.to_string().contains("${"), "{document}");
        }
        // A value stays a value.
        let trust = member_trust(&trusted);
        assert_eq!(trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"], "\"}],\"x\":[{\"");
        assert_eq!(trust.as_object().map(serde_json::Map::len), Some(2));
        assert_eq!(member_role("R", &[RemedyName::RoleSessions]).len(), 1);
    }

    #[test]
    fn the_remediation_role_may_only_look_at_itself() {
        let [(_, policy)] = &member_role("security/Remediation", &[RemedyName::RoleSessions])[..] else {
            panic!("one policy")
        };
        let denied: Vec<&Value> = policy["Statement"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|statement| statement["Effect"] == "Deny")
            .collect();
        assert_eq!(denied.len(), 1);
        assert_eq!(denied[0]["Resource"], "arn:*:iam::*:role/security/Remediation");
        // What it may do all the same is what it may do with every role, less the writes.
        assert_eq!(denied[0]["NotAction"], policy["Statement"][0]["Action"]);
    }

    #[test]
    fn the_hub_writes_control_policies_only_for_the_remedy_that_does() {
        let without = hub_role(
            "R",
            None,
            &[RemedyName::RoleSessions, RemedyName::Quarantine],
            WriteBack::default(),
            None,
            None,
            None,
        );
        assert!(!without.to_string().contains("organizations:AttachPolicy"), "{without}");
        let with = hub_role(
            "R",
            None,
            &[RemedyName::RoleSessions, RemedyName::OrganizationDeny],
            WriteBack::default(),
            None,
            None,
            None,
        );
        assert!(with.to_string().contains("organizations:AttachPolicy"), "{with}");
        assert!(with.to_string().len() < 10_240 / 2);
    }

    #[test]
    fn a_role_that_only_contains_writes_no_policy_and_no_key() {
        let [(name, policy)] = &member_role("R", &[RemedyName::Quarantine, RemedyName::OrganizationDeny])[..]
        else {
            panic!("one policy")
        };
        assert_eq!(*name, MEMBER_POLICY);
        let text = policy.to_string();
        for verb in ["Put", "Delete", "Update", "Create", "Add", "Set"] {
            assert!(!text.contains(&format!("iam:{verb}")), "{verb}");
        }
        assert!(text.contains("iam:AttachRolePolicy") && text.contains("iam:AttachUserPolicy"));
    }

    #[test]
    fn users_that_are_only_contained_are_read_and_quarantined() {
        for remedy in [RemedyName::Quarantine, RemedyName::OrganizationDeny] {
            let [_, (name, policy)] = &member_role("R", &[RemedyName::RoleSessions, remedy])[..] else {
                panic!("two policies")
            };
            let text = policy.to_string();
            assert_eq!(*name, USERS_POLICY);
            assert!(text.contains("iam:GetUser") && text.contains("iam:AttachUserPolicy"), "{text}");
            assert!(!text.contains("iam:PutUserPolicy") && !text.contains("iam:UpdateAccessKey"), "{text}");
        }
    }

    #[test]
    fn the_quarantine_is_of_the_principals_account() {
        let expected = "arn:aws-cn:iam::222222222222:policy/rescind/Quarantine";
        for principal in ["role/a/b/Remediation", "user/alice"] {
            assert_eq!(quarantine_beside(&format!("arn:aws-cn:iam::222222222222:{principal}")), expected);
        }
        // It is the one that the remediation role may attach.
        let both = [RemedyName::RoleSessions, RemedyName::UserKeys];
        for (_, policy) in member_role("R", &both) {
            assert!(
                policy.to_string().contains(r#""iam:PolicyARN":"arn:*:iam::*:policy/rescind/Quarantine""#)
            );
        }
    }

    #[test]
    fn the_path_of_the_hubs_role_is_taken_from_the_trust() {
        let trust = serde_json::json!({"Statement": [{"Principal": {"AWS": "arn:aws:iam::1:role/sec/Hub"}}]});
        assert_eq!(with_path("arn:aws:iam::1:role/Hub", &trust), "arn:aws:iam::1:role/sec/Hub");
        assert_eq!(with_path("arn:aws:iam::2:role/Hub", &trust), "arn:aws:iam::2:role/Hub");
        assert_eq!(with_path("arn:aws:iam::1:role/b", &trust), "arn:aws:iam::1:role/b");
    }

    /// IAM counts a role's inline policies to 10,240 characters, and Organizations an SCP.
    #[test]
    fn they_fit() {
        let both = [RemedyName::RoleSessions, RemedyName::UserKeys];
        let inline: usize = member_role("a/long/path/RescindRemediation", &both)
            .iter()
            .map(|(_, policy)| policy.to_string().len())
            .sum();
        assert!(inline < 10_240 / 2);
        let deployers = vec!["arn:aws:iam::*:role/aws-service-role/*".to_owned(); 8];
        for scp in [organization_seal, organization_guard] {
            assert!(scp("a/long/path/RescindRemediation", &deployers).to_string().len() < 10_240 / 2);
        }
    }
}
