//! What was done about a principal before, and whether that takes care of a finding.

use super::SkipReason;
use crate::config::Mode;
use crate::finding::{Finding, Order};
use crate::remediation::{DeniedCall, PriorRemediation, Recurrence, Sign, State, Target};
use jiff::Timestamp;

/// Whether no earlier remediation of the principal takes care of what was seen. When one should have
/// ended it and did not, that is the recurrence.
pub(super) fn uncovered(
    finding: &Finding,
    target: &Target,
    history: &[PriorRemediation],
    mode: Mode,
    now: Timestamp,
) -> Result<Option<Recurrence>, SkipReason> {
    let mut recurrence = None;
    for earlier in history {
        // One session was revoked, and this is about that session's key: unless a person wants all of the role.
        let is_wider = finding.cause.order().is_some_and(Order::is_by_person) && target.session().is_none();
        let is_its_key = earlier.session.is_some()
            && !is_wider
            && key_of(finding).is_some_and(|key| earlier.access_keys.iter().any(|known| known == key));
        if !earlier.is_of(target) && !is_its_key {
            continue;
        }
        if earlier.is_for(target) || is_its_key {
            takes_care(finding, target, earlier, mode, now)?;
        }
        // The newest one is first.
        if recurrence.is_none() && earlier.accepted_at.is_some() && earlier.ended_at.is_none() {
            let of = earlier.remediation.clone();
            recurrence = sign(finding, earlier).map(|sign| Recurrence { of, sign });
        }
    }
    Ok(recurrence)
}

/// Whether an earlier remediation for the same takes care of what was seen: then that is the error.
fn takes_care(
    finding: &Finding,
    target: &Target,
    earlier: &PriorRemediation,
    mode: Mode,
    now: Timestamp,
) -> Result<(), SkipReason> {
    let last_seen = finding.last_seen();
    let remediation = earlier.remediation.clone();
    let key = key_of(finding).filter(|key| earlier.access_keys.iter().any(|known| known == key));
    if let (Some(key), Some(code), false) = (key, denial(finding, earlier), earlier.is_doubted) {
        let call = Box::new(denied_call(finding, key, code));
        return Err(SkipReason::Denied { remediation, call });
    }
    // A token that was in use before the cutoff was issued before the cutoff.
    if let Some(cutoff) = earlier.has_revoked(last_seen).filter(|_| !earlier.is_doubted) {
        return Err(SkipReason::AlreadyRevoked { remediation, cutoff });
    }
    if let Some(at) = earlier.ended_at.filter(|at| last_seen <= *at) {
        match earlier.state {
            // Who released it has judged this key, and no other.
            State::Released if key.is_some() => return Err(SkipReason::Released { remediation, at }),
            // So has who did it by hand, as far as there was one.
            State::DoneByHand if key.is_some() || key_of(finding).is_none() => {
                return Err(SkipReason::DoneByHand { remediation, at });
            }
            _ => {}
        }
    }
    let fixed = earlier.state.has_fixed_cutoff() || earlier.keeps_cutoff;
    match earlier.covering_cutoff() {
        // Its change is made, or may be: the cutoff will not move any more.
        Some(cutoff)
            if fixed && earlier.is_under_way() && cutoff.covers(last_seen) && mode <= Mode::Approve =>
        {
            return Err(SkipReason::UnderWay { remediation });
        }
        // It will begin after this moment, and so will its cutoff lie after it.
        // One that is named otherwise may never begin: IAM compares names in a policy letter by letter.
        _ if !fixed
            && earlier.state.is_to_begin()
            && earlier.name == target.name()
            && last_seen <= now
            && mode <= Mode::Approve =>
        {
            return Err(SkipReason::UnderWay { remediation });
        }
        _ => {}
    }
    Ok(())
}

fn key_of(finding: &Finding) -> Option<&str> {
    finding.principal.as_ref()?.access_key_id.as_deref()
}

/// The error code of a call that was denied after the cutoff. A long-term key that is denied a call works:
/// one that is inactive would get another answer.
fn denial<'a>(finding: &'a Finding, earlier: &PriorRemediation) -> Option<&'a str> {
    let code = finding.evidence.error_code.as_deref().filter(|code| DeniedCall::is_denial(code))?;
    let is_after = earlier.cutoff.is_some_and(|cutoff| !cutoff.covers(finding.last_seen()));
    let is_session = key_of(finding).is_some_and(|key| key.starts_with("ASIA"));
    (is_after && is_session && earlier.state.is_in_place()).then_some(code)
}

fn denied_call(finding: &Finding, key: &str, code: &str) -> DeniedCall {
    DeniedCall {
        source: "guardduty".to_owned(),
        access_key: key.to_owned(),
        api: finding.evidence.api.clone(),
        error_code: code.to_owned(),
        at: finding.last_seen(),
        id: finding.id.clone(),
    }
}

/// What activity after the cutoff of an earlier remediation shows.
fn sign(finding: &Finding, earlier: &PriorRemediation) -> Option<Sign> {
    let is_after = earlier.cutoff.is_some_and(|cutoff| !cutoff.covers(finding.last_seen()));
    let key = key_of(finding).filter(|_| is_after && !earlier.access_keys.is_empty())?;
    Some(if earlier.access_keys.iter().any(|known| known == key) { Sign::SameKey } else { Sign::NewKey })
}
