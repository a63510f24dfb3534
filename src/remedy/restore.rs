//! What a principal has after an undo: what was there before, plus what other remediations still deny, without what
//! somebody else had written. Pure.

use super::Found;
use super::expected::{base, denied, replaced};
use crate::remediation::{Deny, POLICY_NAME, Past, Undo, same};

/// What is there is not what was written: somebody changed it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub written: Option<String>,
    /// What taking it back would do all the same.
    pub undo: Undo,
}

/// How to take the changes of `remediation` back: what is left is what other remediations deny, and of what
/// lay beneath what is still there. When what is there is not what was written, that is the error:
/// somebody changed it since, and their change would be lost.
///
/// # Errors
/// The drift.
pub fn undo(past: &[Past], remediation: &str, found: &Found) -> Result<Undo, Box<Drift>> {
    let own = past.iter().rev().find(|one| one.remediation == remediation);
    let base = base(past);
    let others = || past.iter().filter(|one| one.live && one.remediation != remediation);
    let live = || past.iter().filter(|one| one.live);
    let all = denied(&base, live());
    let (now, there) = (all.document(), found.document.as_deref());
    let means = own.map(|own| own.change.means).unwrap_or_default();
    let denied_there = there.map_or_else(|| Some(Deny::default()), |text| Deny::read(text, means));
    let still_there = denied_there.as_ref().map(|there| base.under(there)).unwrap_or_default();
    let then = denied(&still_there, others()).document();
    // What was there before comes back letter by letter, whichever remediation found it.
    let mut found_before = past.iter().filter_map(|one| one.change.before.as_deref());
    let verbatim = found_before.find(|before| is_same(Some(before), then.as_deref()));
    let leave = verbatim.map(str::to_owned).or(then);
    let foreign = past.iter().rev().find_map(|one| replaced(&one.change)).map(str::to_owned);
    let about_rest = match (&leave, is_same(now.as_deref(), leave.as_deref()), others().next().is_some()) {
        (None, ..) | (Some(_), false, false) => None,
        (Some(_), true, true) => Some("other remediations deny the same: the policy stays as it is"),
        (Some(_), true, false) => {
            Some("what was there before rescind came denies the same: the policy stays as it is")
        }
        (Some(_), false, true) => Some("other remediations of this principal stay in force"),
    };
    let about_foreign = foreign.as_ref().map(|_| "what somebody else wrote under this name is not restored");
    let notes: Vec<&str> = about_rest.into_iter().chain(about_foreign).collect();
    let undo = Undo {
        arn: found.arn.clone(),
        policy_name: own.map_or_else(|| POLICY_NAME.to_owned(), |own| own.change.policy_name.clone()),
        means,
        found: found.document.clone(),
        leave,
        foreign,
        reactivate: key_to_reactivate(past, remediation, found),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    };
    // What lay beneath may be less by now, or gone: it was none of ours.
    let is_ours = |there: Deny| there.covers(&denied(&Deny::default(), live())) && all.covers(&there);
    if denied_there.is_some_and(is_ours) || is_same(there, undo.leave.as_deref()) {
        Ok(undo)
    } else {
        Err(Box::new(Drift { written: now, undo }))
    }
}

/// The access key that was active before the remediation, or before another one that it followed; and
/// that no other remediation still wants off.
fn key_to_reactivate(past: &[Past], remediation: &str, found: &Found) -> Option<String> {
    let own: Vec<&Past> = past.iter().filter(|one| one.remediation == remediation).collect();
    let key = own.iter().find_map(|one| one.change.key.as_ref())?;
    let of_key = |one: &&Past| one.change.key.as_ref().is_some_and(|other| other.id == key.id);
    let first = own.iter().map(|one| one.seq).min()?;
    let is_ours = past.iter().filter(of_key).any(|one| {
        // Who activated it while it was to be off is no reason to leave it on.
        let was_active = one.change.key.as_ref().is_some_and(|key| key.was_active) && !one.is_again();
        // Another one had deactivated it, and that still counted when this one began.
        let counts =
            one.remediation == remediation || one.seq < first && one.undone.is_none_or(|at| at > first);
        was_active && counts
    });
    let is_wanted_off = past.iter().filter(of_key).any(|one| one.wants && one.remediation != remediation);
    let is_off = found.keys.iter().any(|there| there.id == key.id && !there.active);
    (is_ours && !is_wanted_off && is_off).then(|| key.id.clone())
}

fn is_same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b || same(a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
