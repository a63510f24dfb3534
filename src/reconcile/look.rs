//! Checks whether a change is in place, and records the result.

use super::context::Context;
use crate::ledger::LedgerError;
use crate::remediation::{Change, Event, Refusal, Remediation};
use crate::remedy::{self, Session};

/// Whether a change is in place.
pub(super) enum InPlace {
    /// It is recorded as accepted.
    Yes,
    No,
    /// It is recorded as uncertain.
    Unknown,
}

/// Looks whether the change is in place, and records what it saw.
pub(super) async fn look(
    context: &Context,
    session: &Session,
    remediation: &Remediation,
    change: &Change,
) -> Result<InPlace, LedgerError> {
    match remedy::inspect(session, &remediation.target.found_as(&change.id)).await {
        Ok(found)
            if change.is_in_force(&found, context.expected(&remediation.target, &change.id)?.at_most()) =>
        {
            let aws_time = Some(session.aws_now());
            context.write(remediation, Event::Accepted { found_in_place: true, aws_time }).await?;
            Ok(InPlace::Yes)
        }
        Ok(_) | Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => Ok(InPlace::No),
        Err(refusal) => not_looked(context, remediation, &refusal).await.map(|()| InPlace::Unknown),
    }
}

/// It could not be looked at: the state stays as it is, and it is looked at again.
pub(super) async fn not_looked(
    context: &Context,
    remediation: &Remediation,
    refusal: &Refusal,
) -> Result<(), LedgerError> {
    let to_do = refusal.what_to_do(&context.access.role_arn(&remediation.target));
    tracing::error!(remediation = remediation.id, to_do, "not known whether it is revoked: {refusal}");
    let error = format!("not known whether it is in place: {refusal}. {to_do}");
    // The calls are recorded each time; the reason once.
    if context.reader.remediation(&remediation.id)?.uncertain.as_ref() == Some(&error) {
        return Ok(());
    }
    context.write(remediation, Event::Uncertain { error }).await
}
