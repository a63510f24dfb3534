//! The quarantine beside a deny: attached with it, and lifted when the deny has been in place for long enough.
//!
//! Whatever happens in between, a quarantine that was begun is in the ledger until it was seen to be gone: a restart
//! takes it up, and a failed detach is tried again.

use super::context::Context;
use super::next::Next;
use crate::alert::{quarantine_altered, quarantine_stays};
use crate::aws::MemberSession;
use crate::config::WhenContested;
use crate::ledger::LedgerError;
use crate::remediation::{CallError, Draft, Event, Means, Refusal, Remediation, Target};
use crate::remedy::{self, NotQuarantined, Purpose};
use std::time::Duration;

/// Interval in which it is asked whether a fought deny has come to rest.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The quarantine that goes with a change, and the entry that begins it unless it is begun already.
pub(super) struct Beside {
    pub policy: Option<String>,
    pub begins: Option<Draft>,
}

/// What is to be attached beside a change of this remediation.
pub(super) fn beside(context: &Context, remediation: &Remediation) -> Beside {
    let is_on = !context.policy().quarantine.is_zero();
    let is_beside = is_on && remediation.target.means == Means::InlinePolicy;
    let policy = remedy::quarantine_policy(&remediation.target).filter(|_| is_beside);
    let begins = policy
        .clone()
        .filter(|_| remediation.quarantine().is_none())
        .map(|policy| Draft { subject: remediation.subject(), event: Event::Quarantining { policy } });
    Beside { policy, begins }
}

/// Reads the policy that is to be attached, beside the change or as the change.
pub(super) async fn check(
    session: Option<&MemberSession>,
    target: &Target,
    beside: &Beside,
) -> Result<(), NotQuarantined> {
    let own = remedy::quarantine_policy(target).filter(|_| target.means == Means::Quarantine);
    match (session, own.as_ref().or(beside.policy.as_ref())) {
        (Some(session), Some(policy)) => remedy::check_quarantine(session, policy).await,
        _ => Ok(()),
    }
}

/// Attaches it, if it is to be and may be: as it was read when `checked`.
pub(super) async fn attach(
    session: Option<&MemberSession>,
    target: &Target,
    beside: &Beside,
    checked: Result<(), NotQuarantined>,
) -> Option<Result<(), NotQuarantined>> {
    let (policy, session) = (beside.policy.as_deref()?, session?);
    if checked.is_err() {
        return Some(checked);
    }
    Some(remedy::quarantine(session, target, policy).await.map_err(NotQuarantined::NotAttached))
}

/// Whether IAM refused one of two changes because they came together.
pub(super) fn is_concurrent(error: &CallError) -> bool {
    error.code.as_deref().is_some_and(|code| code.starts_with("ConcurrentModification"))
}

/// The entry about the attachment. Without an answer there is none: it may be attached, and is lifted as if it were.
pub(super) fn attached(
    remediation: &Remediation,
    beside: &Beside,
    result: Option<Result<(), NotQuarantined>>,
) -> Option<Draft> {
    let policy = beside.policy.clone()?;
    let event = match result? {
        Ok(()) => Event::Quarantined { policy },
        Err(why) => {
            tracing::warn!(remediation = remediation.id, "not quarantined, the deny goes on without: {why}");
            let what_to_do = why.what_to_do()?.to_owned();
            match (&beside.begins, &why) {
                (Some(_), _) => Event::NotQuarantined { policy, reason: why.to_string(), what_to_do },
                // What an earlier change attached does something else by now.
                (None, NotQuarantined::Altered { .. }) => Event::Lifting { policy },
                // What an earlier change attached stays attached.
                (None, _) => return None,
            }
        }
    };
    Some(Draft { subject: remediation.subject(), event })
}

/// What comes next for a remediation whose steps have ended with `next`: an open quarantine is lifted when its time has
/// come, and waited for until then.
pub(super) async fn go_on(context: &Context, id: &str, next: Next) -> Result<Next, LedgerError> {
    let mut remediation = context.reader.remediation(id)?;
    if remediation.quarantine().is_none() {
        return Ok(next);
    }
    let length = context.policy().quarantine;
    let mut left = remediation.quarantine_left(context.now(), length);
    if remediation.is_quarantine_uncertain() && left.is_none_or(|left| !left.is_zero()) {
        make_sure(context, &remediation).await?;
        remediation = context.reader.remediation(id)?;
        left = remediation.quarantine_left(context.now(), length);
    }
    if is_kept(context, &remediation) {
        return Ok(next);
    }
    let after = match left {
        Some(left) if left.is_zero() => match lift(context, &remediation).await? {
            Lifted::Yes => return Ok(next),
            Lifted::NotYet => context.try_again(id),
        },
        Some(left) => Next::RequeueAfter(left.unsigned_abs()),
        None => Next::RequeueAfter(ASK_AGAIN),
    };
    Ok(next.sooner(after))
}

/// Whether it stays until a person releases the remediation: who fought the deny once may only be waiting.
fn is_kept(context: &Context, remediation: &Remediation) -> bool {
    context.policy().when_contested(remediation.rule.as_deref()) == WhenContested::KeepQuarantine
        && remediation.history.was_contested
        && !remediation.is_taken_back()
        && remediation.quarantine().is_some_and(|open| open.lifting_at.is_none())
}

/// Attaches an open quarantine of which that is not known. When that is refused it may be attached all the same, so it
/// stays open, and is lifted when its time has come.
async fn make_sure(context: &Context, remediation: &Remediation) -> Result<(), LedgerError> {
    let session = match context.access.enter_for(remediation, Purpose::Revoke).await {
        Ok(session) => Some(session),
        Err(refusal) => {
            tracing::warn!(remediation = remediation.id, "not known whether it is quarantined: {refusal}");
            return Ok(());
        }
    };
    let (beside, target) = (beside(context, remediation), &remediation.target);
    let checked = check(session.as_ref(), target, &beside).await;
    let result = attach(session.as_ref(), target, &beside, checked).await;
    if let Some(Err(why @ NotQuarantined::Altered { .. })) = &result {
        context.alerts.raise_alert(quarantine_altered(remediation, &why.to_string())).await?;
    }
    match attached(remediation, &beside, result) {
        Some(entry) => context.ledger.append(entry).await.map(|_| ()),
        None => Ok(()),
    }
}

/// What came of lifting a quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifted {
    Yes,
    /// It is tried again.
    NotYet,
}

/// Another remediation of the same principal whose remedy is the quarantine itself.
fn contained_beside(context: &Context, remediation: &Remediation) -> Result<Option<String>, LedgerError> {
    let target = &remediation.target;
    let all = context.reader.of_principal(&target.account, &target.key())?;
    let contains = |other: &Remediation| {
        other.id != remediation.id && other.target.means == Means::Quarantine && other.state.is_live()
    };
    Ok(all.into_iter().find(contains).map(|other| other.id))
}

/// Detaches the policy of an open quarantine, and records that it is gone.
pub(super) async fn lift(context: &Context, remediation: &Remediation) -> Result<Lifted, LedgerError> {
    let Some(open) = remediation.quarantine() else { return Ok(Lifted::Yes) };
    let (policy, target) = (open.policy.clone(), &remediation.target);
    // One attachment serves all remediations of the principal: the last one takes it away.
    let other = context.reader.quarantined_beside(remediation)?.or(contained_beside(context, remediation)?);
    if let Some(other) = other {
        let note = format!("left to {other}, which needs it as well");
        context.write(remediation, Event::Lifted { note: Some(note) }).await?;
        return Ok(Lifted::Yes);
    }
    if open.lifting_at.is_none() {
        context.write(remediation, Event::Lifting { policy: policy.clone() }).await?;
    }
    let done = match context.access.enter_for(remediation, Purpose::Undo).await {
        Ok(session) => {
            let lifted = remedy::lift_quarantine(&session, target, &policy).await;
            lifted.map_err(Refusal::from_call)
        }
        Err(refusal) => Err(refusal),
    };
    let why = match done {
        Ok(true) => {
            tracing::info!(remediation = remediation.id, "the quarantine is lifted: {target}");
            context.write(remediation, Event::Lifted { note: None }).await?;
            return Ok(Lifted::Yes);
        }
        Ok(false) => "AWS accepted the detachment, and it is still attached".to_owned(),
        // Nothing is left that it could be attached to.
        Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => {
            let note = format!("{} does not exist any more", target.principal());
            context.write(remediation, Event::Lifted { note: Some(note) }).await?;
            return Ok(Lifted::Yes);
        }
        Err(refusal) => refusal.to_string(),
    };
    tracing::error!(remediation = remediation.id, "the quarantine is NOT lifted: {why}");
    context.alerts.raise_alert(quarantine_stays(remediation, &policy, &why)).await?;
    Ok(Lifted::NotYet)
}
