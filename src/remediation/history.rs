//! Everything that happened to a remediation, in order; its state is only the latest of it.

use super::{AlertCode, Answer, Change, Proof, Quarantine, ReasonCode, Refused, ReleaseAsked, VerdictName};
use crate::trail::Activity;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that an entry recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Recorded<T> {
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What the entry recorded.
    #[serde(flatten)]
    pub what: T,
}

/// What was decided at first, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstDecision {
    /// Number of the decision's entry.
    pub entry: i64,
    /// What was decided: `remediate` or `hold`.
    pub verdict: VerdictName,
    /// The code of the reason.
    pub code: ReasonCode,
    /// The reason in words.
    pub reason: String,
}

/// A time in which a person was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// When a person was first asked.
    pub since: Timestamp,
    /// The code of the reason.
    pub code: ReasonCode,
    /// The reason in words.
    pub reason: String,
    /// How the asking ended. none when a person is asked now.
    pub ended: Option<AskedEnd>,
}

/// What ended a time in which a person was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskedEnd {
    /// When the asking ended.
    pub at: Timestamp,
    /// How the asking ended.
    pub how: Ending,
    /// The latest answer, if one was given. It is by `nobody` when nobody answered in time.
    pub answer: Option<Answer>,
}

/// The answer that counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// When it was given.
    pub at: Timestamp,
    /// Which answer it was.
    pub how: Ending,
    /// Who gave it, and why. It is by `nobody` when nobody answered in time.
    #[serde(flatten)]
    pub answer: Answer,
}

/// The ways in which asking a person ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A person approved it.
    Approved,
    /// A person rejected it, or nobody answered in time.
    Rejected,
    /// A person has done it by hand.
    DoneByHand,
    /// What kept it from being decided is gone.
    Cleared,
    /// Another remediation has revoked the same sessions.
    Superseded,
    /// A person asked for the release of what had been begun.
    ReleaseAsked,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A change that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeMade {
    /// The entry of its intent.
    pub entry: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: ChangeOutcome,
    /// When AWS accepted it.
    pub accepted_at: Option<Timestamp>,
    /// What was changed, and to what.
    #[serde(flatten)]
    pub change: Change,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// It is being made.
    Pending,
    /// AWS accepted the change.
    Accepted,
    /// It did not take effect.
    NotApplied,
    /// It is not known whether it took effect.
    Uncertain,
    /// AWS refused the change.
    Refused,
}

impl fmt::Display for ChangeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// AWS's acceptance of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// When, by AWS's clock where it was asked.
    pub at: Timestamp,
    /// The change was found in place by a later look, not answered for.
    pub found_in_place: bool,
}

/// The deny was found gone or altered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftSeen {
    /// Number of the entry that recorded it.
    pub entry: i64,
    /// When it was found.
    pub at: Timestamp,
    /// When a look last saw it in place, or AWS accepted it.
    pub seen_in_place: Option<Timestamp>,
    /// How the deny differs from what was written.
    pub what: String,
    /// Who did it, where CloudTrail has it.
    pub by: Option<String>,
}

/// A release that was asked for, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseRun {
    /// The entry that asked for it.
    pub entry: i64,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who asked for what.
    #[serde(flatten)]
    pub asked: ReleaseAsked,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// Why it was not done.
    pub not_done: Option<String>,
}

impl ReleaseRun {
    /// It was neither done nor given up.
    pub(super) fn is_open(&self) -> bool {
        self.done_at.is_none() && self.not_done.is_none()
    }
}

/// What a person was asked to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertRaised {
    /// The code of the alert.
    pub code: AlertCode,
    /// What happened, in words.
    pub text: String,
    /// What to do about it.
    pub what_to_do: String,
}

/// Everything that happened to a remediation, each kind in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Each time that a person was asked.
    pub asked: Vec<Asked>,
    /// All changes that were begun.
    pub changes: Vec<ChangeMade>,
    /// Why it was not carried out, each time.
    pub refusals: Vec<Recorded<Refused>>,
    /// Each time its deny was found gone or altered.
    pub drifts: Vec<DriftSeen>,
    /// Each time its release was asked for.
    pub releases: Vec<ReleaseRun>,
    /// Somebody takes its deny away again and again, and it has not stayed since.
    pub is_contested: bool,
    /// It was contested at some time.
    pub was_contested: bool,
    /// Each time that the quarantine was attached beside its deny.
    pub quarantines: Vec<Quarantine>,
    /// What the credentials were used for, as far as CloudTrail shows it and it matters.
    pub activities: Vec<Activity>,
    /// A person asked that CloudTrail is searched for that, whatever becomes of the remediation.
    pub is_pursuit_asked: bool,
    /// The alerts that were raised about it.
    pub alerts: Vec<Recorded<AlertRaised>>,
    /// The entry with which AWS had accepted a change of it for the first time.
    pub first_accepted: Option<i64>,
    /// When AWS accepted the change that was seen in place for the first time.
    pub denied_at: Option<Timestamp>,
    /// The last proof of a deny that is not in place any more.
    pub earlier_proof: Option<Recorded<Proof>>,
    /// When no token that it denies could be alive any more.
    pub expired_at: Option<Timestamp>,
    /// The remediation that has revoked the same sessions, unless a person wanted this one all the same.
    pub superseded_by: Option<String>,
}

impl History {
    /// A person is asked from now on.
    pub(super) fn ask(&mut self, since: Timestamp, code: ReasonCode, reason: String) {
        self.asked.push(Asked { since, code, reason, ended: None });
    }

    /// The same is asked once more.
    pub(super) fn ask_again(&mut self, since: Timestamp) {
        if let Some(Asked { code, reason, .. }) = self.asked.last().cloned() {
            self.ask(since, code, reason);
        }
    }

    /// Nobody is asked any more.
    pub(super) fn end_asking(&mut self, at: Timestamp, how: Ending, answer: Option<Answer>) {
        if let Some(Asked { ended: ended @ None, .. }) = self.asked.last_mut() {
            *ended = Some(AskedEnd { at, how, answer });
        }
    }

    /// A person has answered. Perhaps nobody was asked at the time: who rejected can think better of it, and
    /// what was superseded can be approved. Such an answer is a question of its own, about what was asked last
    /// or decided.
    pub(super) fn answered(&mut self, given: &Given, decision: &FirstDecision) {
        if self.asked.last().is_none_or(|asked| asked.ended.is_some()) {
            let last = self.asked.last().map(|asked| (asked.code, asked.reason.clone()));
            let (code, reason) = last.unwrap_or_else(|| (decision.code, decision.reason.clone()));
            self.ask(given.at, code, reason);
        }
        self.end_asking(given.at, given.how, Some(given.answer.clone()));
    }

    /// What became of the latest change.
    pub(super) fn outcome(&mut self, outcome: ChangeOutcome) {
        if let Some(made) = self.changes.last_mut() {
            made.outcome = outcome;
        }
    }
}
