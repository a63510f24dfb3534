//! The step that revokes: from the decision until AWS has accepted the deny. This is the critical path.

use super::budgets::RoleCount;
use super::context::Context;
use super::keyed_queue::KeyedQueue;
use super::look::{InPlace, look};
use super::next::{Attempt, Next};
use super::{principal_tag, quarantine};
use crate::alert::{foreign_policy, quarantine_altered};
use crate::config::Mode;
use crate::finding::Order;
use crate::ledger::LedgerError;
use crate::remediation::{
    Change, Cutoff, Disposition, Draft, Event, Means, ReasonCode, Refusal, Refused, RefusedBy, Remediation,
    State, Who,
};
use crate::remedy::{self, Ask, Expected, Found, NotQuarantined, Session};
use crate::triage::{Stage, Verdict};
use jiff::{SignedDuration, Timestamp};
use std::ops::ControlFlow;
use std::time::Duration;

/// Maximum number of times that a change is made in one go, when it is not kept or loses its margin.
pub(super) const TRIES: usize = 3;

/// Interval between two attempts at a deny that somebody fights.
const CONTESTED: Duration = Duration::from_secs(1);

/// Minimum time between AWS's now and the cutoff. With less, tokens that are issued while the change spreads
/// might slip through.
pub(super) const LEAST_MARGIN: SignedDuration = SignedDuration::from_secs(20);

/// Nothing has been changed yet, or what was changed is not there.
pub(super) async fn step(
    context: &Context,
    remediation: &Remediation,
    attempt: &mut Attempt,
) -> Result<Next, LedgerError> {
    if attempt.made >= TRIES {
        let is_contested = remediation.state == State::Contested;
        return Ok(if is_contested {
            Next::RequeueAfter(CONTESTED)
        } else {
            context.try_again(&remediation.id)
        });
    }
    // What was made a moment ago was judged then.
    if attempt.made == 0
        && let ControlFlow::Break(next) = judge(context, remediation, attempt).await?
    {
        return Ok(next);
    }
    make(context, remediation, attempt).await
}

/// The reads side by side, the durable intent, the change.
pub(super) async fn make(
    context: &Context,
    remediation: &Remediation,
    attempt: &mut Attempt,
) -> Result<Next, LedgerError> {
    context.queue.step_forward().await;
    let session = match attempt.session(&context.access, remediation).await {
        Ok(session) => session,
        Err(refusal) => return context.refuse(remediation, &refusal, attempt).await,
    };
    let is_first = attempt.made == 0;
    let beside = quarantine::beside(context, remediation);
    let change = remediation.change.as_ref();
    let principal =
        change.map_or_else(|| remediation.target.clone(), |change| remediation.target.found_as(&change.id));
    let (found, roles, checked) = futures::join!(
        remedy::inspect(&session, &principal),
        async {
            if !is_first {
                return RoleCount::NotAsked;
            }
            context.budgets.count_roles(remediation, session.member(), &context.queue).await
        },
        quarantine::check(session.member(), &remediation.target, &beside)
    );
    let found = match found {
        Ok(found) => found,
        Err(refusal) => return context.refuse(remediation, &refusal, attempt).await,
    };
    // Only before the first change: what is there afterwards is ours, or somebody fights it.
    if is_first && let Some(why) = changed_since(remediation, &found) {
        return context.hold_again(remediation, ReasonCode::WorldChanged, why).await;
    }
    if let Some(pattern) = context.policy().protects(&found.arn) {
        let refusal = Refusal::Protected { arn: found.arn.clone(), pattern: pattern.to_string() };
        return context.refuse(remediation, &refusal, attempt).await;
    }
    if let Some(refusal) = no_such_key(remediation, &found) {
        return context.refuse(remediation, &refusal, attempt).await;
    }
    // What was said while AWS was waited for counts as well.
    if is_first {
        if let ControlFlow::Break(next) = judge(context, remediation, attempt).await? {
            return Ok(next);
        }
        if let ControlFlow::Break(next) = principal_tag::judge(context, remediation, &found).await? {
            return Ok(next);
        }
        if let ControlFlow::Break(next) = spend(context, remediation, &session, roles).await? {
            return Ok(next);
        }
    }
    // What denies nothing is not attached, whatever it is called.
    if remediation.target.means == Means::Quarantine
        && let Err(why) = &checked
    {
        let refusal = Refusal::NoQuarantine(why.to_string());
        return context.refuse(remediation, &refusal, attempt).await;
    }
    let expected = context.expected(&remediation.target, &found.id)?;
    let asked = Asked::of(remediation, attempt);
    let mut change = remedy::plan(&remediation.target, &found, &asked.at(session.aws_now(), &expected));
    // What another remediation attached for some minutes was not there before.
    if change.means == Means::Quarantine && context.reader.quarantined_beside(remediation)?.is_some() {
        change.before = None;
    }
    // Afterwards it is somebody who fights it, which is another alert.
    let is_foreign = is_first && expected.is_foreign(found.document.as_deref(), session.aws_now());
    let alert = is_foreign.then(|| foreign_policy(remediation, &change)).flatten();
    let alert = alert.and_then(|alert| context.alerts.draft(alert));
    let target = &remediation.target;
    let altered = match &checked {
        Err(why @ NotQuarantined::Altered { .. }) => {
            context.alerts.draft(quarantine_altered(remediation, &why.to_string()))
        }
        _ => None,
    };
    let more = alert.into_iter().chain(altered).chain(beside.begins.clone());
    context.write_with(remediation, Event::Intent { change: change.clone() }, more).await?;
    attempt.made += 1;
    let (mut applied, mut attached) = futures::join!(
        remedy::apply(&session, target, &change),
        quarantine::attach(session.member(), target, &beside, checked)
    );
    // IAM can refuse one of two changes that come together. The deny comes first.
    if matches!(&applied, Err(Refusal::Unavailable(error)) if quarantine::is_concurrent(error)) {
        applied = remedy::apply(&session, target, &change).await;
    }
    if matches!(&attached, Some(Err(NotQuarantined::NotAttached(error))) if quarantine::is_concurrent(error))
    {
        attached = quarantine::attach(session.member(), target, &beside, Ok(())).await;
    }
    let attached = quarantine::attached(remediation, &beside, attached);
    outcome(context, remediation, attempt, &session, &change, applied, attached).await
}

/// Who orders a key deactivated that is not the user's has named the wrong one. Of a finding the key may be gone.
fn no_such_key(remediation: &Remediation, found: &Found) -> Option<Refusal> {
    let Who::User { user, access_key: Some(key), .. } = &remediation.target.who else { return None };
    let is_ordered = remediation.finding.cause.order().is_some_and(Order::is_by_person);
    let looks_at_keys = remediation.target.means == Means::InlinePolicy;
    // Once it was deactivated it may be deleted.
    let is_new = remediation.change.is_none();
    let is_theirs = found.keys.iter().any(|one| one.id == *key);
    (is_ordered && is_new && looks_at_keys && !is_theirs)
        .then(|| Refusal::NoSuchKey { user: user.to_string(), key: key.clone() })
}

/// Records what came of the change.
async fn outcome(
    context: &Context,
    remediation: &Remediation,
    attempt: &mut Attempt,
    session: &Session,
    change: &Change,
    applied: Result<(), Refusal>,
    attached: Option<Draft>,
) -> Result<Next, LedgerError> {
    if let (Err(_), Some(attached)) = (&applied, attached.clone()) {
        context.ledger.append(attached).await?;
    }
    match applied {
        Ok(()) => {
            KeyedQueue::make_room();
            let accepted = Event::Accepted { found_in_place: false, aws_time: Some(session.aws_now()) };
            context.write_with(remediation, accepted, attached).await?;
            let took = Timestamp::now().duration_since(remediation.seen_at).as_secs_f64();
            metrics::histogram!("rescind_seen_to_deny_seconds").record(took.max(0.0));
            Ok(Next::Continue)
        }
        // No answer is not a no: the change may have been made.
        Err(Refusal::Unavailable(error)) => {
            context.write(remediation, Event::Uncertain { error: error.to_string() }).await?;
            match look(context, session, remediation, change).await? {
                InPlace::Yes => Ok(Next::Continue),
                InPlace::No => context.refuse(remediation, &Refusal::Unavailable(error), attempt).await,
                InPlace::Unknown => Ok(context.try_again(&remediation.id)),
            }
        }
        // One session's deny has no room: if the rule allows it, all sessions'.
        Err(Refusal::Quota(error)) if change.session.is_some() && change.means == Means::InlinePolicy => {
            let found = format!("there is no room for one more session: {error}");
            context.write(remediation, Event::NotApplied { found }).await?;
            if remediation.target.session().is_some_and(|one| one.may_widen) {
                attempt.widen = true;
                return Ok(Next::Continue);
            }
            let why = "the role's policies have no room for one more session: approved, all sessions of the role are revoked";
            context.hold_again(remediation, ReasonCode::NoRoom, why.to_owned()).await
        }
        Err(refusal) => context.refuse(remediation, &refusal, attempt).await,
    }
}

/// Whether the change may be begun, now: what was decided must still hold, an opt-out may have
/// come since. What is too old is given up; what now needs a person is held.
async fn judge(
    context: &Context,
    remediation: &Remediation,
    attempt: &mut Attempt,
) -> Result<ControlFlow<Next>, LedgerError> {
    let is_put_back = remediation.is_put_back();
    // What is put back was judged when it was done.
    if !is_put_back && context.is_too_old(remediation) && context.policy().mode <= Mode::Approve {
        let refused = Refused {
            code: RefusedBy::Triage(ReasonCode::TooOld),
            reason: "the credentials were last seen longer ago than max_finding_age".to_owned(),
            what_to_do: "Judge whether it still matters. If it does, set a longer max_finding_age and hand the finding to `rescind handle`.".to_owned(),
            disposition: Disposition::Final,
        };
        return context.give_up(remediation, refused, attempt).await.map(ControlFlow::Break);
    }
    let state = context.reader.state(&remediation.id)?;
    let is_to_begin = state.is_to_begin() || matches!(state, State::Lost | State::Contested);
    let approved = remediation.approved_at();
    // What a person approved is done, whatever the ledger remembers: the deny may be gone by now.
    // What was in force is put back for itself: the other one may be released.
    if is_to_begin
        && approved.is_none()
        && !is_put_back
        && let Some(by) = context.superseded_by(remediation)?
    {
        context.write(remediation, Event::Superseded { by }).await?;
        return Ok(ControlFlow::Break(Next::Done));
    }
    let verdict = verdict(context, remediation).await?;
    if let Verdict::Remediate { target, .. } = &verdict {
        let is_named = target.means == Means::ServiceControlPolicy;
        let was_judged = is_put_back || approved.is_some() || remediation.is_escalated();
        if remediation.target.means != Means::ServiceControlPolicy || is_named || was_judged {
            return Ok(ControlFlow::Continue(()));
        }
        let why = "no rule names organization_deny for it any more".to_owned();
        let held = context.hold_again(remediation, ReasonCode::OrganizationDeny, why).await?;
        return Ok(ControlFlow::Break(held));
    }
    tracing::warn!(remediation = remediation.id, "left as it is: {verdict}");
    let next = if !is_to_begin {
        context.try_again(&remediation.id)
    } else if matches!(verdict, Verdict::Hold { .. }) || approved.is_some() {
        context.hold_again(remediation, verdict.code(), verdict.to_string()).await?
    } else {
        forbidden(context, remediation, &verdict).await?
    };
    Ok(ControlFlow::Break(next))
}

/// What would be decided now. What was approved, or was in force and is put back, was judged then.
async fn verdict(context: &Context, remediation: &Remediation) -> Result<Verdict, LedgerError> {
    let is_judged = remediation.is_put_back() || remediation.is_escalated();
    let judged = remediation.approved_at().or_else(|| is_judged.then(|| context.now()));
    context.decider.verdict(remediation, judged.map_or(Stage::Begin, Stage::Approved)).await
}

/// Whether what AWS has accepted may be made again, because its cutoff had lost its margin.
pub(super) async fn may_be_made_again(
    context: &Context,
    remediation: &Remediation,
) -> Result<bool, LedgerError> {
    Ok(!context.is_too_old(remediation)
        && matches!(verdict(context, remediation).await?, Verdict::Remediate { .. }))
}

/// What was decided may not be done any more: recorded once.
async fn forbidden(
    context: &Context,
    remediation: &Remediation,
    verdict: &Verdict,
) -> Result<Next, LedgerError> {
    let refused = Refused {
        code: RefusedBy::Triage(verdict.code()),
        reason: verdict.to_string(),
        what_to_do: "Nothing, if this is as it should be. Otherwise take away what forbids it: it is tried again at each start, at new activity and every hour.".to_owned(),
        disposition: Disposition::Blocked,
    };
    if remediation.refused() != Some(&refused) {
        context.write(remediation, Event::Refused(refused)).await?;
    }
    Ok(context.blocked(&remediation.id))
}

/// Counts it as begun, where the budgets allow that. If they do not, it is held.
async fn spend(
    context: &Context,
    remediation: &Remediation,
    session: &Session,
    roles: RoleCount,
) -> Result<ControlFlow<Next>, LedgerError> {
    // What has begun and is not brought to an end is no new one.
    if !context.reader.state(&remediation.id)?.is_to_begin() {
        return Ok(ControlFlow::Continue(()));
    }
    let Err(exceeded) = context.budgets.begin(remediation, session.member(), roles).await else {
        return Ok(ControlFlow::Continue(()));
    };
    context.hold_over_budget(remediation, exceeded).await.map(ControlFlow::Break)
}

/// What a plan is asked for, beside the time.
struct Asked {
    keep: Option<Cutoff>,
    widen: bool,
    earlier: Vec<Change>,
}

impl Asked {
    fn of(remediation: &Remediation, attempt: &Attempt) -> Self {
        // While somebody fights it, tokens may have been issued after the cutoff: it moves with each put.
        let keeps = remediation.is_put_back() && remediation.state != State::Contested;
        let keep = remediation.change.as_ref().filter(|_| keeps).map(|change| change.cutoff);
        let no_room = remediation.held_why().is_some_and(|(code, _)| code == ReasonCode::NoRoom);
        // What was widened stays so.
        let was_widened = remediation.change.as_ref().is_some_and(|change| change.session.is_none());
        let widen = remediation.target.session().is_some()
            && (attempt.widen || was_widened || no_room && remediation.approved_at().is_some());
        let earlier = remediation.history.changes.iter().map(|made| made.change.clone()).collect();
        Self { keep, widen, earlier }
    }

    fn at<'a>(&'a self, aws_now: Timestamp, expected: &'a Expected) -> Ask<'a> {
        Ask { aws_now, keep: self.keep, widen: self.widen, earlier: &self.earlier, expected }
    }
}

/// In which way the role is not any more as the person saw it who approved.
fn changed_since(remediation: &Remediation, found: &Found) -> Option<String> {
    remediation.approved_at()?;
    let given = remediation.answer.as_ref()?;
    let proposal = remediation.proposal.as_ref()?;
    if given.answer.judged != Some(proposal.seq) {
        return Some("the proposed change was determined again after the decision".to_owned());
    }
    // What we did ourselves since is no change of the world.
    if remediation.history.changes.last().is_some_and(|made| made.entry > proposal.seq) {
        return None;
    }
    let Some(judged) = &proposal.change else {
        return Some("when it was approved, the planned change could not be determined".to_owned());
    };
    // Our own name is ours: whoever writes there must not be able to take an answer back.
    (judged.id != found.id || judged.arn != found.arn).then(|| {
        format!(
            "since it was judged it was made again: it was {} ({}), it is {} ({})",
            judged.arn, judged.id, found.arn, found.id
        )
    })
}
