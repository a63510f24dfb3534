//! What the policy under our name should contain by the ledger: what remediations deny, and what was there before
//! them. Pure.

use crate::remediation::{Change, Cutoff, Deny, Means, Past};
use jiff::Timestamp;

impl Past {
    /// It was in force when the change with the intent `seq` began.
    fn was_in_force(&self, seq: i64) -> bool {
        self.since.is_some_and(|since| since < seq) && self.undone.is_none_or(|at| at > seq)
    }

    /// It was put back, or made again: what was found then was found instead of it.
    pub(super) fn is_again(&self) -> bool {
        self.since.is_some_and(|since| since < self.seq)
    }

    /// What it wrote is there, or may be.
    fn may_be_there(&self) -> bool {
        self.live || self.undone.is_none()
    }
}

/// Maximum number of single sessions that are left denied although the ledger knows nothing of them. Each
/// takes some 200 of the 10,240 characters that a role's inline policies may have.
const MOST_UNKNOWN: usize = 8;

/// What the ledger says of the document under our name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// What kind of document it is.
    means: Means,
    /// What it should deny.
    should: Deny,
    /// What it may deny: also what a remediation wrote that is not known to be in force.
    may: Deny,
    /// What was taken back.
    gone: Vec<Deny>,
}

impl Expected {
    /// After all that was begun in a document of this kind.
    #[must_use]
    pub fn after(means: Means, past: &[Past]) -> Self {
        let base = base(past);
        let parts = |there: bool| past.iter().filter(move |one| one.may_be_there() == there);
        let kept: Vec<Deny> = parts(true).map(|one| one.change.part()).collect();
        // Where nothing of ours is in force, what lay beneath is anybody's.
        let is_in_force = past.iter().any(|one| one.was_in_force(i64::MAX));
        let should =
            if is_in_force { denied(&base, past.iter().filter(|one| one.live)) } else { Deny::default() };
        Self {
            means,
            should,
            may: kept.iter().fold(base, |all, part| all.with(part)),
            gone: parts(false).map(|one| one.change.part()).filter(|part| !kept.contains(part)).collect(),
        }
    }

    /// What it may deny at most.
    #[must_use]
    pub fn at_most(&self) -> &Deny {
        &self.may
    }

    /// What a change starts from: what should be there, and of what is there a deny of our form. What
    /// was taken back does not come again, and what only somebody else can have written is not adopted.
    pub(super) fn start(&self, document: Option<&str>, aws_now: Timestamp) -> Deny {
        let there = document.and_then(|text| Deny::read(text, self.means)).unwrap_or_default();
        self.should.with(&self.kept(&there.not_in(&self.gone), aws_now))
    }

    /// What of a deny of our form is left there: not what denies sessions that are yet to be issued, and not
    /// so many sessions of which the ledger knows nothing that there would be no room for ours.
    fn kept(&self, there: &Deny, aws_now: Timestamp) -> Deny {
        let early = there.not_later(Cutoff::latest(aws_now), &self.may);
        let unknown = early.not_in(std::slice::from_ref(&self.may));
        if unknown.sessions() > MOST_UNKNOWN { early.not_in(&[unknown]) } else { early }
    }

    /// The document was written by somebody else: it has not our form, or denies sessions that are yet to
    /// be issued, or more sessions than are left, which the ledger knows nothing of.
    #[must_use]
    pub fn is_foreign(&self, document: Option<&str>, aws_now: Timestamp) -> bool {
        let is_ours = |there: Deny| self.kept(&there, aws_now) == there;
        document.is_some_and(|text| !Deny::read(text, self.means).is_some_and(is_ours))
    }
}

/// What is denied when these changes are in force.
pub(super) fn denied<'a>(base: &Deny, changes: impl Iterator<Item = &'a Past>) -> Deny {
    changes.fold(base.clone(), |all, one| all.with(&one.change.part()))
}

/// What is there of which no remediation is known: under all that remediations wrote. What somebody put
/// in the place of a deny that was in force does not belong to it, nor what has not our form.
pub(super) fn base(past: &[Past]) -> Deny {
    let mut base = Deny::default();
    let mut parts = Vec::new();
    for one in past {
        let is_over_ours = past.iter().any(|other| other.was_in_force(one.seq));
        let read = |text: &str| Deny::read(text, one.change.means);
        let after = read(&one.change.after).unwrap_or_default();
        base = match one.change.before.as_deref().and_then(read) {
            // What was under a deny that somebody took away is what was there before it.
            None if is_over_ours => base,
            None => Deny::default(),
            Some(before) => {
                let unowned = before.not_in(&parts);
                // Of what was found instead of it that is left which was written again; of what was
                // found before it that which it did not replace.
                let unowned = if one.is_again() {
                    unowned.not_in(&[unowned.not_in(&[after])])
                } else {
                    // What a later cutoff covers is still beneath it.
                    unowned.under(&after)
                };
                let beneath = if is_over_ours { base } else { base.under(&before) };
                beneath.with(&unowned)
            }
        };
        parts.push(one.change.part());
    }
    base
}

/// What somebody else had written under our name when a change began, if it was replaced.
pub(super) fn replaced(change: &Change) -> Option<&str> {
    let after = Deny::read(&change.after, change.means).unwrap_or_default();
    let is_kept = |text: &str| Deny::read(text, change.means).is_some_and(|before| after.covers(&before));
    change.before.as_deref().filter(|text| !is_kept(text))
}

#[cfg(test)]
mod tests;
