//! What a person must do where rescind does not act.

use super::reason::{SkipReason, Unsupported};
use crate::finding::Finding;
use crate::remediation::{Cutoff, Deny};
use jiff::Timestamp;

/// Denies one session of an Identity Center role, in a service control policy or in the permission
/// set (IAM Identity Center User Guide, "Revoke active IAM role sessions created by permission sets").
const IDENTITY_CENTER: &str = include_str!("../../policies/identity-center-session.json");

/// Denies everything to the root user, in a service control policy.
const ROOT: &str = include_str!("../../policies/organization-root.json");

/// Denies everything to the hub's own role.
const CLOSED: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// What a person must do whom rescind leaves it to, with the statement to paste.
#[must_use]
pub fn by_hand(why: &Unsupported, finding: &Finding, now: Timestamp) -> String {
    let account = &finding.account;
    let cutoff = Cutoff::at(now).to_string();
    let key = finding.principal.as_ref().and_then(|p| p.access_key_id.as_deref()).unwrap_or("the access key");
    match why {
        Unsupported::IdentityCenterRole(_) => {
            let session = finding.principal.as_ref().and_then(|p| p.principal_id.as_deref());
            let Some(session) = session else {
                return format!(
                    "Disable the user's access in Identity Center, and deny the user's older sessions in account {account} by \
                     identitystore:userId and aws:TokenIssueTime, in an SCP or in the permission set."
                );
            };
            let statement = filled(IDENTITY_CENTER, "PRINCIPAL_ID", session, &cutoff);
            format!(
                "Disable the user's access in Identity Center, then put this into the permission set, or attach it to account {account} \
                 as an SCP (an SCP does not bind the management account): {statement}"
            )
        }
        Unsupported::ServiceLinkedRole(role) => format!(
            "Find out how {role} was used from outside its service. Neither IAM nor an SCP can deny a service-linked role: delete it in \
             account {account} by way of the feature that owns it (iam delete-service-linked-role --role-name {role}), or turn that \
             feature off; deny the role in the policies of the resources that it reached; and open a case with AWS Support."
        ),
        Unsupported::Root => {
            let arn = format!("arn:*:iam::{account}:root");
            let statement = filled(ROOT, "PRINCIPAL_ARN", &arn, &cutoff);
            format!(
                "Sign in as root of account {account}: change the password, delete its access keys ({key}), check its MFA. If that \
                 cannot be done at once, attach this to the account as an SCP (it does not bind the management account): {statement}"
            )
        }
        Unsupported::FederatedUser(name) => format!(
            "Look in CloudTrail of account {account} for GetFederationToken with the name {} to find the IAM user who issued it; then \
             deactivate that user's access keys, and put this on the user as an inline policy: {}",
            crate::ident::quoted(name),
            Deny::part(None, Cutoff::at(now)).document().unwrap_or_default()
        ),
        Unsupported::ForeignAccount(_) => format!(
            "Account {account} is not in this organization, so rescind cannot enter it. Notify its owner now: the sessions of {} must be \
             revoked there (IAM console, the role, Revoke active sessions), {key} was seen in use. The statement, for an inline policy: {}",
            finding
                .principal
                .as_ref()
                .and_then(|p| p.user_name.as_deref())
                .map_or_else(|| "the principal".to_owned(), crate::ident::quoted),
            Deny::part(None, Cutoff::at(now)).document().unwrap_or_default(),
        ),
        Unsupported::Unclear(_) => unclear(finding, now),
        Unsupported::ManagementAccount(_) => format!(
            "Revoke it by hand in the management account {account}, now: for a role, IAM console, the role, Revoke active sessions (for a \
             role of Identity Center, disable the user's access there first); for a user, deactivate the access key {key}; for root, sign \
             in, change the password and delete its access keys. The statement, for an inline policy: {}",
            Deny::part(None, Cutoff::at(now)).document().unwrap_or_default()
        ),
        Unsupported::InstanceIdentity(instance) => format!(
            "Isolate {instance} in account {account} now and find out who is on it: these are credentials of its identity role, which \
             services such as Systems Manager and EBS use. No policy can be put on that role and its sessions cannot be revoked: stop \
             or terminate the instance, deny the session in the policies of the resources that it reached, and ask AWS Support."
        ),
    }
}

/// How to find somebody whom a finding does not name, by what it does say.
fn unclear(finding: &Finding, now: Timestamp) -> String {
    let account = &finding.account;
    let principal = finding.principal.as_ref();
    let mut known = Vec::new();
    let said =
        |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(crate::ident::quoted);
    for (what, text) in [
        ("name", principal.and_then(|p| said(&p.user_name))),
        ("principal id", principal.and_then(|p| said(&p.principal_id))),
        ("access key", principal.and_then(|p| said(&p.access_key_id))),
        ("instance", finding.evidence.instance_id.as_deref().map(crate::ident::quoted)),
        ("address", finding.evidence.remote_ip.as_deref().map(crate::ident::quoted)),
    ] {
        known.extend(text.map(|text| format!("{what} {text}")));
    }
    let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
    let mut ways = Vec::new();
    if let Some(id) = principal.and_then(crate::finding::Principal::role_id) {
        ways.push(format!("aws iam list-roles --query \"Roles[?RoleId=='{id}'].Arn\""));
    }
    let instance = finding.evidence.instance_id.as_deref();
    if let Some(instance) = instance.filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')) {
        ways.push(format!(
            "aws ec2 describe-instances --region {} --instance-ids {instance} --query \"Reservations[].Instances[].IamInstanceProfile.Arn\"",
            finding.region
        ));
    }
    let key = principal.and_then(|p| p.access_key_id.as_deref());
    if let Some(key) = key.filter(|key| key.bytes().all(|b| b.is_ascii_alphanumeric())) {
        ways.push(format!(
            "aws cloudtrail lookup-events --region {} --lookup-attributes AttributeKey=AccessKeyId,AttributeValue={key}",
            finding.region
        ));
    }
    let ways =
        if ways.is_empty() { String::new() } else { format!(" (in account {account}: {})", ways.join("; ")) };
    format!(
        "Find out whose credentials these are{ways}, and revoke them by hand: for a role, IAM console, the role, Revoke active sessions; \
         for a user, deactivate the access key and deny the older sessions. Known is: {known}. The statement, for an inline policy: {}",
        Deny::part(None, Cutoff::at(now)).document().unwrap_or_default()
    )
}

/// A template with its placeholders filled in. What comes from outside cannot break out of its text.
fn filled(template: &str, placeholder: &str, value: &str, cutoff: &str) -> String {
    let escaped = serde_json::Value::from(value).to_string();
    let text = template.trim_end().replace("${CUTOFF}", cutoff);
    text.replace(&format!("\"${{{placeholder}}}\""), &escaped)
}

/// What a person must do about a finding that rescind leaves alone; none when that is nothing.
#[must_use]
pub fn what_to_do(reason: &SkipReason, finding: &Finding) -> Option<String> {
    let account = &finding.account;
    Some(match reason {
        SkipReason::OwnRole(role) => format!(
            "Follow \"The hub may be compromised\" in docs/runbook.md. First lock the hub out of all members, as an administrator of the hub \
             account (the role's name is that of your stack): aws iam put-role-policy --role-name RescindHub --policy-name Closed \
             --policy-document '{CLOSED}'. It locks rescind out as well. Then revoke the sessions of {role} in account {account} by hand \
             (IAM console: Revoke active sessions), and read its CloudTrail for what was done with it."
        ),
        SkipReason::Protected { principal, .. } => format!(
            "Judge it now. To revoke {principal} in account {account} by hand: for a role, IAM console, the role, Revoke active sessions; \
             for a user, deactivate the access key and put a deny on older sessions on the user. \
             Or take it out of `protected`, send the service SIGHUP, and decide again: `rescind handle FILE`, or order it again."
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_center_statement_is_filled_in_and_cannot_be_broken_out_of() {
        let finding = |session: &str| {
            let value = serde_json::json!({
                "id": "f", "accountId": "222222222222", "region": "eu-central-1", "type": "T", "updatedAt": "2026-11-21T23:50:00Z",
                "resource": {"accessKeyDetails": {"userType": "AssumedRole", "principalId": session}},
            });
            crate::finding::decode(value.to_string().as_bytes()).remove(0).expect("a finding")
        };
        let reason = Unsupported::IdentityCenterRole("AWSReservedSSO_Admin_0123".parse().expect("legal"));
        for session in ["AROAEXAMPLEEXAMPLE00:alice@example.org", "x\"}},{\"Effect\":\"Allow", "${CUTOFF}"] {
            let now = "2026-11-22T03:00:00Z".parse().expect("a time");
            let text = by_hand(&reason, &finding(session), now);
            let json = &text[text.find('{').expect("a statement")..];
            let policy: serde_json::Value = serde_json::from_str(json).expect("JSON");
            let condition = &policy["Statement"][0]["Condition"];
            if session != "${CUTOFF}" {
                assert_eq!(condition["StringEquals"]["aws:userid"], session);
            }
            assert_eq!(condition["DateLessThan"]["aws:TokenIssueTime"], "2026-11-22T03:00:30Z");
            assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(1));
        }
    }
}
