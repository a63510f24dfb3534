//! The step that undoes a change: because a person asked for it, or because it is no longer needed.

use super::context::Context;
use super::next::Next;
use super::quarantine::{self, Lifted};
use crate::alert::Alert;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{AlertCode, Event, Means, Refusal, Remediation, State, Undo};
use crate::remedy::{self, Drift, Found, Purpose, Session};
use std::time::Duration;

/// Delays between looks at whether the deny is gone: IAM is eventually consistent.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Takes a remediation's changes back, from wherever it stands.
pub(super) async fn step(context: &Context, remediation: &Remediation) -> Result<Next, LedgerError> {
    let session = match context.access.open_for(remediation, Purpose::Undo).await {
        Ok(session) => session,
        Err(refusal) => return not_undone(context, remediation, &refusal).await,
    };
    // With the quarantine nothing would be released.
    if quarantine::lift(context, remediation).await? == Lifted::NotYet {
        return Ok(context.try_again(&remediation.id));
    }
    let target = &remediation.target;
    let found = match remedy::inspect(&session, target).await {
        Ok(found) => found,
        // Its statement is in the account's policy all the same.
        Err(Refusal::Gone(_) | Refusal::Recreated { .. }) if target.means == Means::ServiceControlPolicy => {
            match remedy::inspect_document(&session, target, remediation.change.as_ref()).await {
                Ok(found) => found,
                Err(refusal) => return not_undone(context, remediation, &refusal).await,
            }
        }
        Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => {
            let note =
                format!("{} does not exist any more: there is nothing to take back", target.principal());
            return undone(context, remediation, true, &session, Some(note)).await;
        }
        Err(refusal) => return not_undone(context, remediation, &refusal).await,
    };
    // One attachment serves all remediations of the principal.
    if target.means == Means::Quarantine
        && let Some(other) = context.reader.quarantined_beside(remediation)?
    {
        let note = format!("left to {other}, which needs it as well");
        return undone(context, remediation, true, &session, Some(note)).await;
    }
    // A crash came between the call and its record.
    if let Some(undo) = remediation.undoing.as_ref().filter(|undo| undo.is_done(&found)) {
        return undone(context, remediation, true, &session, undo.note.clone()).await;
    }
    let undo = match how_to_undo(&context.reader, remediation, &found)? {
        Ok(undo) => undo,
        Err(drift) if is_forced(remediation) => drift.undo,
        Err(drift) => return drifted(context, remediation, &drift, &session).await,
    };
    if undo.is_nothing() {
        return undone(context, remediation, true, &session, undo.note).await;
    }
    context.write(remediation, Event::Undoing { undo: undo.clone() }).await?;
    match remedy::take_back(&session, target, &undo).await {
        Ok(()) => {}
        Err(refusal) => return not_undone(context, remediation, &refusal).await,
    }
    for pause in [Duration::ZERO].into_iter().chain(PAUSES) {
        tokio::time::sleep(pause).await;
        let found = match remedy::inspect(&session, target).await {
            Err(Refusal::Gone(_) | Refusal::Recreated { .. })
                if target.means == Means::ServiceControlPolicy =>
            {
                remedy::inspect_document(&session, target, remediation.change.as_ref()).await
            }
            found => found,
        };
        match found {
            Ok(found) if undo.is_done(&found) => {
                return undone(context, remediation, false, &session, undo.note).await;
            }
            Ok(_) => {}
            Err(refusal) => return not_undone(context, remediation, &refusal).await,
        }
    }
    let what = "AWS accepted it, and what was there is still there".to_owned();
    not_undone(context, remediation, &Refusal::NotKept(what)).await
}

/// How the changes would be taken back, or what somebody changed since.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn how_to_undo(
    reader: &Reader,
    remediation: &Remediation,
    found: &Found,
) -> Result<Result<Undo, Box<Drift>>, LedgerError> {
    let target = &remediation.target;
    let past = reader.past(target, &found.id)?;
    let undo = remedy::undo(&past, &remediation.id, found);
    // Nobody asked for the key: that a deny is inert does not make a leaked key safe.
    let asked = !matches!(remediation.state, State::Expired | State::Retiring);
    Ok(undo.map(|undo| Undo { reactivate: undo.reactivate.filter(|_| asked), ..undo }))
}

/// Somebody changed since what was written.
async fn drifted(
    context: &Context,
    remediation: &Remediation,
    drift: &Drift,
    session: &Session,
) -> Result<Next, LedgerError> {
    let (policy, target) = (&drift.undo.policy_name, &remediation.target);
    if remediation.state != State::Releasing {
        // It denies nothing that lives, and what is there is somebody else's.
        let note = format!("left as it is: the policy {policy} was changed since by somebody else");
        return undone(context, remediation, true, session, Some(note)).await;
    }
    let why = format!(
        "the policy {policy} of {} is not what rescind wrote: it was changed since",
        target.principal()
    );
    let was = remediation.release().map_or(State::Lost, |release| release.asked.was);
    context.write(remediation, Event::NotReleased { why: why.clone(), was }).await?;
    let text = format!("not released: {} ({}): {why}", target, remediation.id);
    let what_to_do = "`rescind release` shows the difference; with --force it is released all the same, and the change is lost.";
    let alert = Alert::new(AlertCode::NotReleased, remediation.subject(), text, what_to_do);
    context.alerts.raise_alert(alert).await?;
    // It is again what it was: that says what comes next.
    Ok(context.try_again(&remediation.id))
}

/// It could not be done now: tried again.
async fn not_undone(
    context: &Context,
    remediation: &Remediation,
    refusal: &Refusal,
) -> Result<Next, LedgerError> {
    let to_do = refusal.what_to_do(&context.access.role_arn(&remediation.target));
    tracing::error!(remediation = remediation.id, to_do, "not undone yet: {refusal}");
    let error = format!("not undone yet: {refusal}. {to_do}");
    if context.reader.remediation(&remediation.id)?.uncertain.as_ref() != Some(&error) {
        context.write(remediation, Event::Uncertain { error }).await?;
    }
    Ok(context.try_again(&remediation.id))
}

async fn undone(
    context: &Context,
    remediation: &Remediation,
    found_in_place: bool,
    session: &Session,
    note: Option<String>,
) -> Result<Next, LedgerError> {
    let word = if remediation.state == State::Releasing { "released" } else { "retired" };
    tracing::info!(remediation = remediation.id, note, "{word}: {}", remediation.target);
    // When it was seen to be gone, by AWS's time.
    let aws_time = Some(session.aws_now());
    context.write(remediation, Event::Undone { found_in_place, aws_time, note }).await?;
    Ok(Next::Done)
}

/// It is to be released also over a change that somebody made since.
fn is_forced(remediation: &Remediation) -> bool {
    remediation.state == State::Releasing && remediation.release().is_some_and(|release| release.asked.force)
}
