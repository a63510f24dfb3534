//! The tag of a role or user that says that less may be done to it.
//!
//! It is read when the remediation is about to begin, from GetRole or GetUser, which are made anyway. It only makes
//! rescind more cautious: whatever less it says than `enforce`, a person is asked. A thief may be able to set it, so it
//! counts only where CloudTrail shows nobody who set it since shortly before the theft was first seen. CloudTrail is
//! late: while a call may still be on its way there, the remediation is held, and begins by itself when the call comes.

use super::context::Context;
use super::next::Next;
use crate::alert::Alert;
use crate::config::{LateTags, Mode};
use crate::finding::Finding;
use crate::ident::quoted;
use crate::ledger::LedgerError;
use crate::remediation::{AlertCode, Event, ReasonCode, Remediation};
use crate::remedy::Found;
use crate::triage::{Policy, mode_of_tag};
use crate::watch::{LAG, TagHistory};
use jiff::{SignedDuration, Timestamp};
use std::ops::ControlFlow;
use std::time::Duration;

/// Time before the first sight of a theft from which on a tag is not older than the theft: GuardDuty sees a call, and
/// the theft came before it.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Interval between two looks into CloudTrail while a call may still be on its way there.
const LOOK_AGAIN: Duration = Duration::from_mins(5);

/// The tag's key and value, where it says that less may be done than to revoke.
pub(super) fn asks_for_less<'a>(policy: &Policy, found: &'a Found) -> Option<(&'a str, &'a str)> {
    let key = policy.principal_tag.as_ref()?;
    // To IAM, keys that differ in case are the same.
    let (key, value) = found.tags.iter().find(|(there, _)| there.eq_ignore_ascii_case(key))?;
    (mode_of_tag(value) > Mode::Enforce).then_some((key, value))
}

/// What a person should know of the tag who asks what would be done.
pub(super) fn note(policy: &Policy, found: &Found) -> Option<String> {
    let (key, value) = asks_for_less(policy, found)?;
    Some(format!(
        "the tag {key} = {} asks for less: it is held before anything is changed, unless the tag was set after the theft",
        quoted(value)
    ))
}

/// Whether the remediation may begin, by what is found. What a person approved was judged then.
pub(super) async fn judge(
    context: &Context,
    remediation: &Remediation,
    found: &Found,
) -> Result<ControlFlow<Next>, LedgerError> {
    let was_judged =
        remediation.approved_at().is_some() || remediation.is_put_back() || remediation.is_escalated();
    let policy = context.policy();
    let Some((key, value)) = asks_for_less(&policy, found).filter(|_| !was_judged) else {
        return Ok(ControlFlow::Continue(()));
    };
    if !context.reader.state(&remediation.id)?.is_to_begin() {
        return Ok(ControlFlow::Continue(()));
    }
    let tag =
        format!("the tag {key} = {} of {} asks for less", quoted(value), remediation.target.principal());
    let reason = match history(context, remediation).await? {
        TagHistory::Set(who) => {
            let alert = set_late(remediation, &tag, &who);
            context.alerts.raise_alert(alert).await?;
            return Ok(ControlFlow::Continue(()));
        }
        TagHistory::Quiet if policy.late_tags == LateTags::Count => tag,
        TagHistory::Quiet => format!(
            "{tag}; CloudTrail shows nobody who set it since shortly before the theft, and is read again within {} minutes: it is some minutes late",
            LAG.as_mins()
        ),
        TagHistory::Unread(why) => format!("{tag}, and who set it is not known: {why}"),
    };
    context.hold_again(remediation, ReasonCode::PrincipalTag, reason).await.map(ControlFlow::Break)
}

/// Looks again at a remediation that is held because of the tag: it begins when the tag turns out to have been set
/// late. Gives when to look again; none when it is left to a person.
pub(super) async fn look_again(
    context: &Context,
    remediation: &Remediation,
) -> Result<Option<Next>, LedgerError> {
    let policy = context.policy();
    if policy.late_tags == LateTags::Count || !policy.cloudtrail {
        return Ok(None);
    }
    // By the clock of the entries.
    let held_for = Timestamp::now().duration_since(remediation.held_at().unwrap_or(Timestamp::MIN));
    let is_on_its_way = held_for < LAG;
    // Once more when all must have come, and then when CloudTrail could not be read before.
    if !is_on_its_way && !context.looks.passes(format!("tag of {}", remediation.id)) {
        return Ok(None);
    }
    if let TagHistory::Set(who) = history(context, remediation).await? {
        let reason =
            format!("the tag was set when the theft had been seen already, and does not count: {who}");
        context.write(remediation, Event::Cleared { reason }).await?;
        return Ok(Some(Next::Continue));
    }
    Ok(is_on_its_way.then_some(Next::RequeueAfter(LOOK_AGAIN)))
}

/// Who set the tag since shortly before the theft was first seen.
async fn history(context: &Context, remediation: &Remediation) -> Result<TagHistory, LedgerError> {
    let policy = context.policy();
    let Some(key) = policy.principal_tag.as_ref().filter(|_| policy.late_tags == LateTags::Ignore) else {
        return Ok(TagHistory::Quiet);
    };
    if !policy.cloudtrail {
        return Ok(TagHistory::Unread("`cloudtrail` is false".to_owned()));
    }
    let attached = context.reader.attached(&remediation.id)?;
    let first = attached.iter().chain([&remediation.finding]).map(Finding::first_sight).min();
    let since = first.unwrap_or(remediation.opened_at).saturating_sub(MARGIN).unwrap_or(Timestamp::MIN);
    Ok(context.evidence.tag_history(remediation, key, since).await)
}

fn set_late(remediation: &Remediation, tag: &str, who: &str) -> Alert {
    let text = format!(
        "{tag}, and does not count: it was set later than one hour before the theft was first seen: {who}"
    );
    let what_to_do = "What was decided is done. If the thief set it, revoke those credentials as well. If it was one of you, release it, and use an opt-out or `protected`.";
    Alert::about(AlertCode::TagSetLate, remediation, text, what_to_do)
}
