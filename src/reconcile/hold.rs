//! The step of a held remediation: determines what would be done, so that a person can judge it, and rejects it
//! when nobody answered in time. What only a person can do is held until one reports that it is done.

use super::context::Context;
use super::look_ahead::look_ahead;
use super::next::Next;
use super::principal_tag;
use crate::alert::Alert;
use crate::finding::Finding;
use crate::ledger::LedgerError;
use crate::remediation::{AlertCode, Answer, CallScope, Event, NOBODY, ReasonCode, Remediation};
use crate::triage::{Stage, Verdict};
use jiff::Timestamp;

pub(super) async fn step(context: &Context, remediation: &Remediation) -> Result<Next, LedgerError> {
    if let Some(by) = context.superseded_by(remediation)? {
        return if_still_held(context.write(remediation, Event::Superseded { by }).await, Next::Done);
    }
    if ends_at(context, remediation)?.is_some_and(|end| end <= context.now()) {
        let answer = nobodys_answer(remediation, "the session has ended by itself");
        return if_still_held(context.write(remediation, Event::Rejected(answer)).await, Next::Done);
    }
    let answer_by = remediation.answer_by(context.approval_timeout);
    if answer_by.is_some_and(|by| by <= Timestamp::now()) {
        return nobody_answered(context, remediation).await;
    }
    let is_for = |code| remediation.held_why().is_some_and(|(why, _)| why == code);
    if is_for(ReasonCode::PlacementUnknown)
        && matches!(context.decider.verdict(remediation, Stage::Begin).await?, Verdict::Remediate { .. })
    {
        let reason = "the account's OU and tags can be read now, and nothing speaks against it".to_owned();
        return if_still_held(context.write(remediation, Event::Cleared { reason }).await, Next::Continue);
    }
    if !is_for(ReasonCode::PrincipalTag) {
        return ask(context, remediation).await;
    }
    match principal_tag::look_again(context, remediation).await {
        Ok(Some(Next::Continue)) | Err(LedgerError::Illegal(_)) => Ok(Next::Continue),
        Ok(later) => Ok(ask(context, remediation).await?.sooner(later.unwrap_or(Next::AwaitPerson))),
        Err(error) => Err(error),
    }
}

/// Looks what would be done, once, for the person who is asked.
async fn ask(context: &Context, remediation: &Remediation) -> Result<Next, LedgerError> {
    let is_for = |code| remediation.held_why().is_some_and(|(why, _)| why == code);
    // There is nothing of ours to look at.
    if !remediation.target.is_supported() {
        return ask_for_hands(context, remediation).await;
    }
    // What could not be looked at is looked at again, at each start and every hour.
    let looked = remediation.proposal.as_ref().is_some_and(|proposal| proposal.change.is_some());
    if looked || !context.looks.passes(remediation.id.clone()) && remediation.proposal.is_some() {
        return Ok(Next::AwaitPerson);
    }
    let (target, finding) = (&remediation.target, &remediation.finding.id);
    let scope = CallScope { remediation: Some(remediation.id.clone()), finding: Some(finding.clone()) };
    let (access, reader, policy) = (&context.access, &context.reader, &context.policy());
    let looked =
        look_ahead(access, reader, policy, target, finding, is_for(ReasonCode::NoRoom), &scope).await?;
    let (change, problem) = match looked {
        Ok(change) => (Some(change), None),
        Err(refusal) => (None, Some(refusal.to_string())),
    };
    let is_known =
        |before: &crate::remediation::Proposal| before.change.is_none() && before.problem == problem;
    if remediation.proposal.as_ref().is_some_and(is_known) {
        return Ok(Next::AwaitPerson);
    }
    tracing::warn!(
        remediation = remediation.id, account = %target.account, principal = target.name(), problem,
        "HELD for approval: {}", remediation.held_why().map_or("", |(_, why)| why)
    );
    if_still_held(context.write(remediation, Event::Proposed { change, problem }).await, Next::AwaitPerson)
}

/// Somebody may answer meanwhile: then there was nothing to write, and the new state says what comes next.
fn if_still_held(written: Result<(), LedgerError>, next: Next) -> Result<Next, LedgerError> {
    match written {
        Err(LedgerError::Illegal(_)) => Ok(Next::Continue),
        written => written.map(|()| next),
    }
}

/// Nobody but a person can do something: an alert says so, once an hour.
async fn ask_for_hands(context: &Context, remediation: &Remediation) -> Result<Next, LedgerError> {
    let (account, principal) = (&remediation.target.account, remediation.target.principal());
    let text = format!("act by hand: the credentials of {principal} in {account} are used from elsewhere");
    let what_to_do = remediation.what_to_do.as_deref().unwrap_or("`rescind show` has the details.");
    let alert = Alert::new(AlertCode::ByHand, remediation.subject(), text, what_to_do);
    context.alerts.raise_alert(alert).await?;
    Ok(Next::AwaitPerson)
}

/// When the last of the sessions ends that it is for; none when one has no end, or it is for others.
fn ends_at(context: &Context, remediation: &Remediation) -> Result<Option<Timestamp>, LedgerError> {
    let end = |finding: &Finding| finding.derived().and_then(|derived| derived.expires);
    let Some(mut last) = end(&remediation.finding) else { return Ok(None) };
    for finding in context.reader.attached(&remediation.id)? {
        match end(&finding) {
            Some(end) => last = last.max(end),
            None => return Ok(None),
        }
    }
    Ok(Some(last))
}

fn nobodys_answer(remediation: &Remediation, reason: &str) -> Answer {
    Answer {
        by: NOBODY.to_owned(),
        reason: reason.to_owned(),
        os_user: String::new(),
        aws_identity: None,
        identity: None,
        judged: remediation.proposal.as_ref().map(|proposal| proposal.seq),
    }
}

async fn nobody_answered(context: &Context, remediation: &Remediation) -> Result<Next, LedgerError> {
    let answer = nobodys_answer(remediation, "nobody answered in time");
    let target = &remediation.target;
    let text = format!(
        "rejected: nobody answered in time about {target} in {} ({})",
        target.account, remediation.id
    );
    let what_to_do =
        "They are NOT revoked. Judge it now: `rescind show` has the details; `rescind approve` still works.";
    let alert = Alert::new(AlertCode::NobodyAnswered, remediation.subject(), text, what_to_do);
    let alert = context.alerts.draft(alert);
    if_still_held(context.write_with(remediation, Event::Rejected(answer), alert).await, Next::Done)
}
