//! The steps that check whether a change took effect, and prove it.

use super::context::{Context, change_of};
use super::look::{InPlace, look, not_looked};
use super::next::{Attempt, Next};
use super::revoke::{self, LEAST_MARGIN, TRIES};
use crate::alert::{deny_not_kept, still_allowed};
use crate::ledger::LedgerError;
use crate::remediation::{Change, Event, Proof, Remediation, Verified};
use crate::remedy;
use jiff::Timestamp;

/// An intent without an outcome: look what is there, then record it.
pub(super) async fn revoking(
    context: &Context,
    remediation: &Remediation,
    attempt: &mut Attempt,
) -> Result<Next, LedgerError> {
    let change = change_of(remediation)?;
    context.queue.step_forward().await;
    let session = match attempt.session(&context.access, remediation).await {
        Ok(session) => session,
        Err(refusal) => {
            not_looked(context, remediation, &refusal).await?;
            return Ok(context.try_again(&remediation.id));
        }
    };
    Ok(match look(context, &session, remediation, change).await? {
        InPlace::Yes => Next::Continue,
        InPlace::No => {
            let found = "another document, or none".to_owned();
            context.write(remediation, Event::NotApplied { found }).await?;
            Next::Continue
        }
        InPlace::Unknown => context.try_again(&remediation.id),
    })
}

/// Accepted, not verified. It is made again when it is not kept, or when it came so late that its cutoff
/// had lost its margin.
pub(super) async fn verifying(
    context: &Context,
    remediation: &Remediation,
    attempt: &mut Attempt,
) -> Result<Next, LedgerError> {
    let change = change_of(remediation)?;
    let session = match attempt.session(&context.access, remediation).await {
        Ok(session) => session,
        Err(refusal) => {
            not_looked(context, remediation, &refusal).await?;
            return Ok(context.try_again(&remediation.id));
        }
    };
    let accepted = remediation.accepted_at().unwrap_or_else(|| session.aws_now());
    let is_late = !remediation.is_put_back() && change.cutoff.time().duration_since(accepted) < LEAST_MARGIN;
    if is_late && revoke::may_be_made_again(context, remediation).await? {
        if attempt.made >= TRIES {
            return Ok(context.try_again(&remediation.id));
        }
        tracing::warn!(remediation = remediation.id, "accepted late: the cutoff is moved forward");
        return revoke::make(context, remediation, attempt).await;
    }
    context.queue.step_back().await;
    let expected = context.expected(&remediation.target, &change.id)?;
    match remedy::verify(&session, &remediation.target, change, expected.at_most()).await {
        Verified::Proved(proof) => proved(context, remediation, change, proof).await,
        Verified::Missing(found) => {
            tracing::error!(remediation = remediation.id, found, "accepted by AWS, and NOT in place");
            let role_arn = context.access.role_arn(&remediation.target);
            let alert = context.alerts.draft(deny_not_kept(remediation, &found, &role_arn));
            let event = Event::NotApplied { found };
            let contested = context.alerts.contested(remediation, 1, Timestamp::now());
            context.write_with(remediation, event, contested.into_iter().chain(alert)).await?;
            Ok(Next::Continue)
        }
        Verified::Unread(error) => {
            tracing::error!(
                remediation = remediation.id,
                error,
                "accepted by AWS, and not seen in place yet"
            );
            context.write(remediation, Event::Uncertain { error }).await?;
            Ok(context.try_again(&remediation.id))
        }
    }
}

/// Records how far the change is proved.
async fn proved(
    context: &Context,
    remediation: &Remediation,
    change: &Change,
    proof: Box<Proof>,
) -> Result<Next, LedgerError> {
    metrics::counter!("rescind_proofs_total", "rung" => proof.rung.to_string()).increment(1);
    let note = proof.note.as_deref();
    let is_contradicted = proof.is_contradicted();
    let contested = context.alerts.contested(remediation, 0, Timestamp::now());
    if !is_contradicted {
        let what = if contested.is_empty() { "revoked" } else { "contested, and put back" };
        tracing::info!(remediation = remediation.id, rung = %proof.rung, note, "{what}, cutoff {}", change.cutoff);
    }
    context.write_with(remediation, Event::Proof(*proof), contested).await?;
    if is_contradicted {
        context.alerts.raise_alert(still_allowed(remediation)).await?;
    }
    Ok(Next::Done)
}
