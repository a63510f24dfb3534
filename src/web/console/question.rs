//! What is asked of a person about a remediation.

use super::advice::Advice;
use super::policy::Changed;
use super::words::When;
use crate::config::Config;
use crate::desk::{Kind, at_the_approval, may_answer};
use crate::remediation::{Change, Means, Remediation, State};
use jiff::Timestamp;

/// What is asked of a person, and what they can answer.
pub(super) struct Question {
    pub why: String,
    /// Approving does nothing as long as what forbids it is there.
    pub is_forbidden: bool,
    /// Who must approve it, where that is not just one person.
    pub approval: Option<String>,
    pub change: Option<Changed>,
    /// What an approval makes of it.
    pub at_the_approval: String,
    pub problem: String,
    /// Number of the entry with the plan that is judged.
    pub plan: i64,
    pub answer_by: Option<When>,
    pub is_over: bool,
    pub can_approve: bool,
    pub can_reject: bool,
    pub can_be_done: bool,
    /// What only a person can do.
    pub by_hand: Vec<Advice>,
}

impl Question {
    /// What is asked about a remediation; none when nothing is.
    pub fn of(r: &Remediation, config: &Config) -> Option<Self> {
        let can = |kind| may_answer(r, kind).is_ok();
        let (can_approve, can_reject) = (can(Kind::Approve), can(Kind::Reject));
        let can_be_done = can(Kind::Done);
        let is_held = r.state == State::Held;
        if !(can_approve || can_reject || can_be_done || is_held) {
            return None;
        }
        let held = r.held_why();
        let proposal = r.proposal.as_ref();
        let change = proposal.and_then(|one| one.change.as_ref());
        let quarantines = |change: &Change| !config.quarantine.is_zero() && change.means != Means::Quarantine;
        let answer_by = r.answer_by(config.approval_timeout).filter(|_| is_held);
        Some(Self {
            why: held.map(|(_, why)| why.to_owned()).unwrap_or_default(),
            is_forbidden: is_held
                && r.target.is_supported()
                && held.is_none_or(|(code, _)| !code.is_for_approval()),
            approval: r.approval.asks_for_others().then(|| r.approval.to_string()),
            at_the_approval: change
                .map(|one| at_the_approval(one, Some(quarantines(one))))
                .unwrap_or_default(),
            change: change.map(|one| Changed::of(&r.target, one)),
            problem: proposal.and_then(|one| one.problem.clone()).unwrap_or_default(),
            plan: proposal.map_or(0, |one| one.seq),
            is_over: answer_by.is_some_and(|until| until < Timestamp::now()),
            answer_by: answer_by.map(When::of),
            can_approve,
            can_reject,
            can_be_done,
            by_hand: if r.target.is_supported() {
                Vec::new()
            } else {
                r.what_to_do.as_deref().map(Advice::of).unwrap_or_default()
            },
        })
    }
}
