//! What a rule says about a deny that somebody takes away again and again: the organization denies the principal.

use super::context::Context;
use crate::config::{Mode, WhenContested};
use crate::ledger::LedgerError;
use crate::remediation::{Check, Draft, Event, Means, ReasonCode, Remediation, Target, VerdictName, Who};

/// Opens a remediation of the same principal by a service control policy, once; gives its id.
pub(super) async fn escalate(context: &Context, id: &str) -> Result<Option<String>, LedgerError> {
    let remediation = context.reader.remediation(id)?;
    let policy = context.policy();
    let rule = remediation.rule.as_deref();
    let is_of_iam = matches!(remediation.target.who, Who::Role { .. } | Who::User { .. });
    if !remediation.history.is_contested
        || remediation.target.means == Means::ServiceControlPolicy
        || !is_of_iam
        || policy.when_contested(rule) != WhenContested::OrganizationDeny
    {
        return Ok(None);
    }
    let target = Target { means: Means::ServiceControlPolicy, ..remediation.target.clone() };
    let earlier = context.reader.of_principal(&target.account, &target.key())?;
    if earlier.iter().any(|one| is_answered(one, &remediation)) {
        return Ok(None);
    }
    let organization = context.decider.accounts.snapshot();
    if organization.management == target.account {
        tracing::error!(
            remediation = id,
            "contested, and no service control policy binds the management account"
        );
        return Ok(None);
    }
    let is_enforced = policy.mode_of_rule(rule) == Some(Mode::Enforce) && policy.mode == Mode::Enforce;
    let escalated = escalated_id(&remediation, earlier.len());
    let reason = format!(
        "the deny of {id} is taken away again and again: a service control policy on the account is to deny {target}"
    );
    let (verdict, code) = if is_enforced {
        (VerdictName::Remediate, ReasonCode::DenyContested)
    } else {
        (VerdictName::Hold, ReasonCode::OrganizationDeny)
    };
    let event = Event::Decision {
        occurrence: remediation.finding.occurrence(),
        verdict,
        code,
        reason,
        what_to_do: None,
        rule: remediation.rule.clone(),
        approval: remediation.approval,
        opt_outs: remediation.opt_outs.clone(),
        checks: vec![Check { check: "contested".to_owned(), result: id.to_owned(), decided: true }],
        remedy: Some(target.remedy().to_owned()),
        target: Some(target),
        covered_by: None,
        incident: context.reader.incident_of(id)?,
        recurrence: None,
        last_seen: remediation.last_seen,
        organization_read_at: organization.read_at,
        placement_read_at: None,
    };
    let mut subject = remediation.subject();
    subject.remediation = Some(escalated.clone());
    tracing::warn!(
        remediation = escalated,
        "contested: a service control policy is to deny what {id} denies"
    );
    context.ledger.append(Draft { subject, event }).await?;
    Ok(Some(escalated))
}

/// Whether what the organization denies already covers what this remediation is about, or will when it is done. What
/// was rejected, released or failed since this deny was opened was answered as well.
fn is_answered(one: &Remediation, remediation: &Remediation) -> bool {
    let covers = || {
        one.target.session() == remediation.target.session()
            && one.change.as_ref().is_some_and(|change| change.cutoff.covers(remediation.last_seen))
    };
    if one.state.is_in_place() {
        covers()
    } else {
        one.state.is_open() || one.opened_at >= remediation.opened_at
    }
}

/// As that of every remediation, from the occurrence; and from what it follows.
fn escalated_id(remediation: &Remediation, number: usize) -> String {
    let from = format!("{}/contested/{}/{number}", remediation.finding.occurrence(), remediation.id);
    format!("r-{}", &crate::digest::sha256(from.as_bytes())[..24])
}
