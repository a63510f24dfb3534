//! What a person must do where rescind does not act.

use super::reason::SkipReason;
use crate::finding::Finding;
use crate::remedy::Cutoff;
use jiff::Timestamp;

/// Denies one session of an Identity Center role, in a service control policy or in the permission
/// set (IAM Identity Center User Guide, "Revoke active IAM role sessions created by permission sets").
const IDENTITY_CENTER: &str = include_str!("../../policies/identity-center-session.json");

/// What a person must do about a finding that rescind leaves alone; none when that is nothing.
#[must_use]
pub fn what_to_do(reason: &SkipReason, finding: &Finding, now: Timestamp) -> Option<String> {
    let account = &finding.account;
    Some(match reason {
        SkipReason::IdentityCenterRole(_) => {
            let session = finding.principal.as_ref().and_then(|p| p.principal_id.as_deref());
            let Some(session) = session else {
                return Some(format!(
                    "Disable the user's access in Identity Center, and deny the user's older sessions in account {account} by \
                     identitystore:userId and aws:TokenIssueTime, in an SCP or in the permission set."
                ));
            };
            let escaped = serde_json::Value::from(session).to_string();
            let statement = IDENTITY_CENTER
                .trim_end()
                .replace("\"${PRINCIPAL_ID}\"", &escaped)
                .replace("${CUTOFF}", &Cutoff::at(now).to_string());
            format!(
                "Disable the user's access in Identity Center, then attach this to account {account} as an SCP, or put it into \
                 the permission set: {statement}"
            )
        }
        SkipReason::ServiceLinkedRole(role) => format!(
            "Find out how {role} was used from outside its service. Its sessions can only be denied by an SCP on account {account}, \
             with aws:PrincipalArn and aws:TokenIssueTime; that stops the service as well."
        ),
        SkipReason::OwnRole(role) => format!(
            "Stop rescind. In account {account} revoke the sessions of {role} by hand (IAM console: Revoke active sessions), \
             read its CloudTrail for what was done with it, and give the hub fresh credentials."
        ),
        SkipReason::Protected { role, .. } => format!(
            "Judge it now. To revoke {role} in account {account} by hand: IAM console, the role, Revoke active sessions. \
             Or take it out of `protected`, restart rescind, and hand it the finding: `rescind handle FILE`."
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
        let reason = SkipReason::IdentityCenterRole("AWSReservedSSO_Admin_0123".parse().expect("legal"));
        for session in ["AROAEXAMPLEEXAMPLE00:alice@example.org", "x\"}},{\"Effect\":\"Allow", "${CUTOFF}"] {
            let now = "2026-11-22T03:00:00Z".parse().expect("a time");
            let text = what_to_do(&reason, &finding(session), now).expect("a person must act");
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
