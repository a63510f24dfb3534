//! Alerts about a decision: what is stolen and is not revoked, or should have been ended before.

use super::Alert;
use crate::finding::Finding;
use crate::ident::AccountId;
use crate::remediation::{AlertCode, Sign, Subject};
use crate::triage::{BudgetExceeded, Decision, HoldReason, SkipReason, Verdict};

/// An earlier remediation of the same principal should have ended this, and did not.
#[must_use]
pub fn recurring(finding: &Finding, decision: &Decision) -> Option<Alert> {
    let (recurrence, target) = (decision.recurrence.as_ref()?, decision.verdict.target()?);
    let subject = Subject {
        remediation: decision.verdict.remediation().map(str::to_owned),
        principal: Some(target.name()),
        ..Subject::of_finding(finding)
    };
    let text = format!("{} in {}: {recurrence}", target.principal(), target.account);
    let (code, what_to_do) = match (recurrence.sign, finding.evidence.instance_id.as_deref()) {
        (Sign::SameKey, _) => (
            AlertCode::StillWorks,
            "It is revoked again. Check that the deny is on the principal (`rescind recheck`) and what else is allowed \
             to it: a key that works under the deny is not denied by IAM."
                .to_owned(),
        ),
        (Sign::NewKey, Some(instance)) => (
            AlertCode::Recurring,
            format!(
                "Isolate {instance} now, then stop and start it or associate its instance profile anew: it hands out a new key \
                 after each revocation."
            ),
        ),
        (Sign::NewKey, None) => (
            AlertCode::Recurring,
            "Find what hands out the keys, and isolate it now: each revocation is followed by a new key.".to_owned(),
        ),
    };
    Some(Alert::new(code, subject, text, what_to_do))
}

/// Credentials are stolen that rescind leaves alone: those of its own role, or of a protected principal.
#[must_use]
pub fn skipped(finding: &Finding, decision: &Decision) -> Option<Alert> {
    let Verdict::Skip(reason) = &decision.verdict else { return None };
    let code = match reason {
        SkipReason::OwnRole(_) => AlertCode::OwnRoleStolen,
        SkipReason::Protected { .. } => AlertCode::ProtectedStolen,
        _ => return None,
    };
    let text = format!("NOT revoked in {}: {reason}", finding.account);
    Some(Alert::new(code, Subject::of_finding(finding), text, decision.what_to_do.as_deref()?))
}

/// The account's tag asks for less, and was set when the theft had been seen already.
#[must_use]
pub fn tag_set_late(finding: &Finding, decision: &Decision) -> Option<Alert> {
    let tag = decision.late_tag.as_ref()?;
    let text = format!(
        "{tag} of account {} does not count: it was set when the theft had been seen already",
        finding.account
    );
    let what_to_do = "What was decided without it is done. CloudTrail of the management account names who set it (TagResource). If it \
         was one of you, release the remediation, and use an opt-out.";
    let subject = Subject { account: Some(finding.account.clone()), ..Subject::default() };
    Some(Alert::new(AlertCode::TagSetLate, subject, text, what_to_do))
}

/// A remediation is held because the finding contradicts itself, or because a budget is used up. That a rule
/// asks for approval is everyday work, and no alert.
#[must_use]
pub fn contradictory_or_over_budget(account: &AccountId, why: &HoldReason) -> Option<Alert> {
    let of_account = Subject { account: Some(account.clone()), ..Subject::default() };
    let exceeded = match why {
        HoldReason::Budget(exceeded) => exceeded,
        HoldReason::Doubtful { .. } => {
            let text = format!("NOT revoked in {account}: {why}");
            let what_to_do = "Find out whose credentials these are: `rescind show` prints the finding. Approved, the \
                 sessions of the role that it names are revoked.";
            return Some(Alert::new(AlertCode::FindingContradictory, of_account, text, what_to_do));
        }
        _ => return None,
    };
    let in_account = format!("account {account}: {exceeded}");
    let (code, subject, text) = match exceeded {
        BudgetExceeded::Account { .. } => (AlertCode::AccountBudgetUsedUp, of_account, in_account),
        BudgetExceeded::Roles { .. } => (AlertCode::RolesBudgetUsedUp, of_account, in_account),
        BudgetExceeded::Organization { .. } => {
            (AlertCode::OrganizationBudgetUsedUp, Subject::default(), exceeded.to_string())
        }
    };
    let what_to_do = "Find out whether this is an attack on many roles, or a fault in what reports them. Everything beyond \
         the budget is held: `rescind list` names it, `rescind approve` lets it go on, `budget` in rescind.toml sets the limits.";
    Some(Alert::new(code, subject, text, what_to_do))
}

/// Another occurrence has led to the remediation id that this finding leads to.
#[must_use]
pub fn id_taken(finding: &Finding, id: &str) -> Alert {
    let text = format!(
        "NOT revoked: the finding {} leads to remediation {id}, and that is another theft's: two findings were forged to give the same id, or the ledger was altered",
        crate::ident::quoted(&finding.id)
    );
    let what_to_do = "Revoke the role's sessions by hand. Keep a copy of the ledger, and check it with `rescind ledger verify` and `rescind ledger rebuild --check`.";
    Alert::new(AlertCode::IdTaken, Subject::of_finding(finding), text, what_to_do)
}
