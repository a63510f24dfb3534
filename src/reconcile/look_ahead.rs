//! Determines what would be done to a principal, without doing it.

use super::principal_tag;
use crate::ledger::{LedgerError, Reader};
use crate::remediation::{CallScope, Change, Refusal, Target};
use crate::remedy::{self, Ask, Expected, MemberAccess, Purpose};
use crate::triage::Policy;

/// The change that would be made to a principal as it is now: with `widen` to all sessions of the
/// role, though the target is one. Nothing is changed.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn look_ahead(
    access: &MemberAccess,
    reader: &Reader,
    policy: &Policy,
    target: &Target,
    finding: &str,
    widen: bool,
    scope: &CallScope,
) -> Result<Result<Change, Refusal>, LedgerError> {
    let looked = async {
        let session = access.open_session(target, finding, Purpose::Look, scope).await?;
        Ok((session.aws_now(), remedy::inspect(&session, target).await?))
    };
    let (aws_now, found) = match looked.await {
        Ok(looked) => looked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let expected = Expected::after(target.means, &reader.past(target, &found.id)?);
    let change = remedy::plan(target, &found, &Ask { widen, ..Ask::at(aws_now, &expected) });
    let notes: Vec<String> = change.note.into_iter().chain(principal_tag::note(policy, &found)).collect();
    Ok(Ok(Change { note: (!notes.is_empty()).then(|| notes.join("; ")), ..change }))
}
