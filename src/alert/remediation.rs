//! Alerts about a remediation: somebody works against it, or it cannot go on as it was approved.

use super::Alert;
use crate::remediation::{AlertCode, Change, Refusal, Remediation, Who};

/// The deny is there, and the simulator still allows what it is to deny.
#[must_use]
pub fn still_allowed(remediation: &Remediation) -> Alert {
    let text = format!(
        "NOT called revoked: the deny is on {}, and IAM's simulator still allows the old session",
        remediation.principal()
    );
    let what_to_do = "Look at the role's policies, its boundary and CloudTrail now: the stolen session may still work. It is \
         looked at again until the simulator denies it.";
    Alert::about(AlertCode::StillAllowed, remediation, text, what_to_do)
}

/// The quarantine could not be detached: legitimate sessions are denied meanwhile.
#[must_use]
pub fn quarantine_stays(remediation: &Remediation, policy: &str, why: &str) -> Alert {
    let text = format!("the quarantine of {} is not lifted: {why}", remediation.principal());
    let by_hand = match &remediation.target.who {
        Who::User { user, .. } => {
            format!("aws iam detach-user-policy --policy-arn {policy} --user-name {user}")
        }
        Who::Role { role, .. } => {
            format!("aws iam detach-role-policy --policy-arn {policy} --role-name {role}")
        }
        Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => remediation.target.principal(),
    };
    let what_to_do = format!(
        "Every session of it is denied until then, legitimate ones as well. It is tried again. By hand, as an administrator \
         of the account: {by_hand}"
    );
    Alert::about(AlertCode::QuarantineStays, remediation, text, what_to_do)
}

/// What is attached as the quarantine does not deny everything any more.
#[must_use]
pub fn quarantine_altered(remediation: &Remediation, why: &str) -> Alert {
    let text = format!("no quarantine for {}: {why}", remediation.principal());
    let what_to_do = "Somebody changed what the quarantine of this account does. Find out who (CloudTrail: CreatePolicyVersion, \
         SetDefaultPolicyVersion), and deploy the member role's stack again. The seal prevents it.";
    Alert::about(AlertCode::QuarantineAltered, remediation, text, what_to_do)
}

/// Somebody else had written under rescind's name, and that is replaced. None when it is a deny that is put
/// back: that it was altered is an alert already.
#[must_use]
pub fn foreign_policy(remediation: &Remediation, change: &Change) -> Option<Alert> {
    if remediation.is_put_back() {
        return None;
    }
    let text = format!(
        "the policy {} on {} was written by somebody else, and is replaced",
        change.policy_name,
        remediation.principal()
    );
    let what_to_do = "The name is rescind's own, so take it for the thief's doing until you know better: `rescind show` has the text, \
         CloudTrail who put it there (PutRolePolicy, PutUserPolicy). A release does not bring it back.";
    Some(Alert::about(AlertCode::ForeignPolicy, remediation, text, what_to_do))
}

/// AWS accepted a change, and it is gone again. `role_arn` is the remediation role's.
#[must_use]
pub fn deny_not_kept(remediation: &Remediation, found: &str, role_arn: &str) -> Alert {
    let text = format!("the deny on {} does not stay: AWS accepted it, and {found}", remediation.principal());
    let what_to_do = Refusal::NotKept(found.to_owned()).what_to_do(role_arn);
    Alert::about(AlertCode::DenyNotKept, remediation, text, what_to_do)
}

/// What a person had approved is held again. None when nobody had.
#[must_use]
pub fn reheld(remediation: &Remediation, reason: &str) -> Option<Alert> {
    remediation.approved_at()?;
    let target = &remediation.target;
    let text = format!(
        "NOT revoked, though it was approved: {target} in {} ({}): {reason}",
        target.account, remediation.id
    );
    let what_to_do = "Nothing was changed. `rescind show` has the current state; answer again with `rescind approve` or `rescind reject`.";
    Some(Alert::new(AlertCode::Reheld, remediation.subject(), text, what_to_do))
}
