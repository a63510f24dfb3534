//! The life of a remediation, as docs/SEMANTICS.md draws it: which step may follow which.
//!
//! Written from the drawing and not from the writer's code, so that a mistake in one shows in the other.

use super::canonical::Members;
use sha2::Digest;
use std::collections::{BTreeMap, HashMap};

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Held,
    Queued,
    Approved,
    Revoking,
    Verifying,
    Revoked,
    Unverified,
    Lost,
    Contested,
    Retrying,
    Blocked,
    Failed,
    Rejected,
    Superseded,
    DoneByHand,
    Releasing,
    Released,
    Expired,
    Retiring,
    Retired,
}

/// What a step says that its legality depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Remediate,
    Hold,
    Proposed,
    ApprovalGiven,
    Rejected,
    Cleared,
    Approved,
    Reheld,
    Superseded,
    Reopened,
    Intent,
    Uncertain,
    Accepted,
    NotApplied,
    Proof,
    /// A proof that the policy simulator contradicts.
    Contradicted,
    Drift,
    Contested,
    Settled,
    ReleaseAsked,
    Undoing,
    Undone,
    /// It leads back to where the release was asked for.
    NotReleased(Stage),
    Expired,
    DoneByHand,
    /// It leads to where it is tried again, or not.
    Refused(Stage),
    /// No step that the drawing has.
    Unknown,
}

impl Act {
    /// From an entry's kind and data; none for what may come at any time and changes nothing.
    pub fn of(kind: &str, data: &str) -> Option<Self> {
        let says = |name, word| Members::of(data.as_bytes()).is_some_and(|data| data.is(name, Some(word)));
        Some(match kind {
            "call" | "alert" | "impact" | "trace" | "pursuit_asked" | "doors_closed" | "quarantining"
            | "quarantined" | "not_quarantined" | "lifting" | "lifted" | "writing_back" | "written_back"
            | "alert_acknowledged" | "request_refused" | "ticket" => {
                return None;
            }
            "decision" if says("verdict", "remediate") => Self::Remediate,
            "decision" if says("verdict", "hold") => Self::Hold,
            "refused" if says("disposition", "final") => Self::Refused(Stage::Failed),
            "refused" if says("disposition", "blocked") => Self::Refused(Stage::Blocked),
            "refused" => Self::Refused(Stage::Retrying),
            "proposed" => Self::Proposed,
            "approval_given" => Self::ApprovalGiven,
            "rejected" => Self::Rejected,
            "cleared" => Self::Cleared,
            "approved" => Self::Approved,
            "reheld" => Self::Reheld,
            "superseded" => Self::Superseded,
            "reopened" => Self::Reopened,
            "intent" => Self::Intent,
            "uncertain" => Self::Uncertain,
            "accepted" => Self::Accepted,
            "not_applied" => Self::NotApplied,
            "proof" if says("rung", "present") && says("old_token", "allowed") => Self::Contradicted,
            "proof" => Self::Proof,
            "drift" => Self::Drift,
            "contested" => Self::Contested,
            "settled" => Self::Settled,
            "release_asked" => Self::ReleaseAsked,
            "undoing" => Self::Undoing,
            "undone" => Self::Undone,
            "not_released" => Self::NotReleased(back(&says)),
            "expired" => Self::Expired,
            "done_by_hand" => Self::DoneByHand,
            _ => Self::Unknown,
        })
    }
}

/// Where a release that was not carried out leads back to: what was in place is not any more.
fn back(says: &impl Fn(&'static str, &'static str) -> bool) -> Stage {
    let known = [
        ("expired", Stage::Expired),
        ("retired", Stage::Retired),
        ("retrying", Stage::Retrying),
        ("blocked", Stage::Blocked),
        ("failed", Stage::Failed),
        ("held", Stage::Held),
        ("rejected", Stage::Rejected),
    ];
    known.into_iter().find(|(name, _)| says("was", name)).map_or(Stage::Lost, |(_, stage)| stage)
}

/// The stage that `act` leads to from `stage`; none when it cannot follow.
fn after(stage: Option<Stage>, act: Act) -> Option<Stage> {
    use Stage::{
        Approved, Blocked, Contested, DoneByHand, Expired, Failed, Held, Lost, Queued, Rejected, Released,
        Releasing, Retired, Retiring, Retrying, Revoked, Revoking, Superseded, Unverified, Verifying,
    };
    let Some(stage) = stage else {
        return match act {
            Act::Hold => Some(Held),
            Act::Remediate => Some(Queued),
            _ => None,
        };
    };
    let to_begin = matches!(stage, Queued | Approved | Retrying | Blocked);
    let under_way = matches!(stage, Revoking | Verifying);
    let in_place = matches!(stage, Revoked | Unverified | Contested);
    let lost = matches!(stage, Lost | Contested);
    match act {
        Act::Proposed if stage == Held => Some(Held),
        Act::ApprovalGiven if matches!(stage, Held | Rejected | Superseded) => Some(stage),
        Act::Rejected if stage == Held => Some(Rejected),
        Act::Cleared if stage == Held => Some(Queued),
        Act::Approved if matches!(stage, Held | Rejected | Superseded) => Some(Approved),
        Act::Reheld if to_begin || lost => Some(Held),
        Act::Superseded if to_begin || matches!(stage, Held | Contested) => Some(Superseded),
        Act::Reopened if stage == Rejected => Some(Held),
        Act::Reopened if stage == Failed => Some(Queued),
        Act::Intent if to_begin || lost || stage == Verifying => Some(Revoking),
        Act::Uncertain if under_way => Some(stage),
        Act::Accepted if stage == Revoking => Some(Verifying),
        Act::NotApplied if under_way => Some(Queued),
        Act::Contested if matches!(stage, Queued | Lost | Revoked | Unverified) => Some(Contested),
        Act::Settled if stage == Contested => Some(Revoked),
        Act::Proof | Act::Contradicted if stage == Contested => Some(Contested),
        // Which rung follows which is not looked at here.
        Act::Proof if in_place || stage == Verifying => Some(Revoked),
        Act::Contradicted if in_place || stage == Verifying => Some(Unverified),
        Act::Drift if in_place => Some(Lost),
        Act::Expired if in_place || lost => Some(Expired),
        Act::ReleaseAsked
            if in_place
                || matches!(
                    stage,
                    Lost | Expired | Retired | Retrying | Blocked | Failed | Held | Rejected | Releasing
                ) =>
        {
            Some(Releasing)
        }
        Act::Undoing | Act::Uncertain if stage == Releasing => Some(Releasing),
        Act::Undone if stage == Releasing => Some(Released),
        Act::NotReleased(back) if stage == Releasing => Some(back),
        Act::Uncertain if stage == Expired => Some(Expired),
        Act::Undoing if stage == Expired => Some(Retiring),
        Act::Undoing | Act::Uncertain if stage == Retiring => Some(Retiring),
        Act::Undone if matches!(stage, Expired | Retiring) => Some(Retired),
        Act::DoneByHand if matches!(stage, Held | Rejected | Failed) => Some(DoneByHand),
        Act::Refused(next) if to_begin || under_way || lost => Some(next),
        _ => None,
    }
}

/// A step of a remediation, as far as its legality asks.
pub struct Step {
    pub seq: i64,
    /// A fingerprint of the remediation's id: there may be millions.
    pub remediation: u128,
    pub act: Act,
    /// The id, for what may have to be named.
    pub name: Option<Box<str>>,
}

impl Step {
    pub fn new(seq: i64, id: &str, act: Act) -> Self {
        let hash: [u8; 32] = sha2::Sha256::digest(id).into();
        let remediation = hash[..16].iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        Self { seq, remediation, act, name: (act == Act::Intent).then(|| id.into()) }
    }
}

/// A step of a remediation that cannot follow what was there before.
#[derive(Debug, thiserror::Error)]
#[error("impossible step of a remediation: {act:?} after {}", named(*before))]
pub struct Impossible {
    before: Option<Stage>,
    act: Act,
}

fn named(stage: Option<Stage>) -> String {
    stage.map_or_else(|| "nothing".to_owned(), |stage| format!("{stage:?}"))
}

/// All remediations that were met.
#[derive(Default)]
pub struct Lives {
    stages: HashMap<u128, Stage>,
    /// An intent was recorded, and what became of it was not.
    open: BTreeMap<u128, Box<str>>,
}

impl Lives {
    /// Takes one step.
    ///
    /// # Errors
    /// When it cannot follow the one before.
    pub fn step(&mut self, step: Step) -> Result<(), Impossible> {
        let before = self.stages.get(&step.remediation).copied();
        let Some(next) = after(before, step.act) else {
            return Err(Impossible { before, act: step.act });
        };
        self.stages.insert(step.remediation, next);
        match (next, step.name) {
            (Stage::Revoking, Some(name)) => drop(self.open.insert(step.remediation, name)),
            (Stage::Revoking, None) => {}
            _ => drop(self.open.remove(&step.remediation)),
        }
        Ok(())
    }

    /// The remediations whose change is neither accepted nor known not to be.
    pub fn open(self) -> Vec<String> {
        self.open.into_values().map(String::from).collect()
    }
}
