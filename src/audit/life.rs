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
    Decided,
    Applying,
    Accepted,
    Proved,
    /// Refused, and tried again.
    Waiting,
    Failed,
    Rejected,
    Superseded,
    /// A person has done it.
    ByHand,
    Lost,
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
    Rejected,
    Cleared,
    Approved,
    Returned,
    Superseded,
    Reopened,
    Intent,
    Uncertain,
    Accepted,
    NotApplied,
    Proof,
    Drift,
    ReleaseAsked,
    Undoing,
    Undone,
    /// It leads back to where the release was asked for.
    NotReleased(Stage),
    Expired,
    DoneByHand,
    Refused,
    RefusedForGood,
    /// No step that the drawing has.
    Unknown,
}

impl Act {
    /// From an entry's kind and data; none for what may come at any time and changes nothing.
    pub fn of(kind: &str, data: &str) -> Option<Self> {
        let says = |name, word| Members::of(data.as_bytes()).is_some_and(|data| data.is(name, Some(word)));
        Some(match kind {
            "call" | "alert" | "impact" => return None,
            "decision" if says("verdict", "remediate") => Self::Remediate,
            "decision" if says("verdict", "hold") => Self::Hold,
            "refused" if says("disposition", "final") => Self::RefusedForGood,
            "refused" => Self::Refused,
            "proposed" => Self::Proposed,
            "rejected" => Self::Rejected,
            "cleared" => Self::Cleared,
            "approved" => Self::Approved,
            "returned" => Self::Returned,
            "superseded" => Self::Superseded,
            "reopened" => Self::Reopened,
            "intent" => Self::Intent,
            "uncertain" => Self::Uncertain,
            "accepted" => Self::Accepted,
            "not_applied" => Self::NotApplied,
            "proof" => Self::Proof,
            "drift" => Self::Drift,
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
    let was = |states: &[&'static str]| states.iter().any(|state| says("was", state));
    if was(&["expired"]) {
        Stage::Expired
    } else if was(&["retired"]) {
        Stage::Retired
    } else if was(&["retrying", "blocked"]) {
        Stage::Waiting
    } else if was(&["failed"]) {
        Stage::Failed
    } else if was(&["held"]) {
        Stage::Held
    } else if was(&["rejected"]) {
        Stage::Rejected
    } else {
        Stage::Lost
    }
}

/// The stage that `act` leads to from `stage`; none when it cannot follow.
fn after(stage: Option<Stage>, act: Act) -> Option<Stage> {
    use Stage::{
        Accepted, Applying, ByHand, Decided, Expired, Failed, Held, Lost, Proved, Rejected, Released,
        Releasing, Retired, Retiring, Superseded, Waiting,
    };
    let Some(stage) = stage else {
        return match act {
            Act::Hold => Some(Held),
            Act::Remediate => Some(Decided),
            _ => None,
        };
    };
    let to_begin = matches!(stage, Decided | Waiting);
    let under_way = matches!(stage, Applying | Accepted);
    match act {
        Act::Proposed if stage == Held => Some(Held),
        Act::Rejected if stage == Held => Some(Rejected),
        Act::Cleared if stage == Held => Some(Decided),
        Act::Approved if matches!(stage, Held | Rejected | Superseded) => Some(Decided),
        Act::Returned if to_begin || stage == Lost => Some(Held),
        Act::Superseded if to_begin || stage == Held => Some(Superseded),
        Act::Reopened if stage == Rejected => Some(Held),
        Act::Reopened if stage == Failed => Some(Decided),
        Act::Intent if to_begin || matches!(stage, Accepted | Lost) => Some(Applying),
        Act::Uncertain if under_way => Some(stage),
        Act::Accepted if stage == Applying => Some(Accepted),
        Act::NotApplied if under_way => Some(Decided),
        // Which rung follows which is not looked at here.
        Act::Proof if matches!(stage, Accepted | Proved) => Some(Proved),
        Act::Drift if stage == Proved => Some(Lost),
        Act::Expired if matches!(stage, Proved | Lost) => Some(Expired),
        Act::ReleaseAsked
            if matches!(stage, Proved | Lost | Expired | Retired | Waiting | Failed | Held | Rejected) =>
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
        Act::DoneByHand if matches!(stage, Held | Rejected) => Some(ByHand),
        Act::Refused if to_begin || under_way || stage == Lost => Some(Waiting),
        Act::RefusedForGood if to_begin || under_way || stage == Lost => Some(Failed),
        _ => None,
    }
}

/// A step of a remediation, as far as its legality asks.
pub struct Step {
    /// The entry.
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

/// All remediations that were met.
#[derive(Default)]
pub struct Lives {
    stages: HashMap<u128, Stage>,
    /// An intent was recorded, and what became of it was not.
    open: BTreeMap<u128, Box<str>>,
}

impl Lives {
    /// Takes one step. Tells what is wrong when it cannot follow the one before.
    ///
    /// # Errors
    /// The problem.
    pub fn step(&mut self, step: Step) -> Result<(), String> {
        let before = self.stages.get(&step.remediation).copied();
        let Some(next) = after(before, step.act) else {
            let before = before.map_or("nothing".to_owned(), |stage| format!("{stage:?}").to_lowercase());
            return Err(format!("a step of a remediation that cannot be: {:?} after {before}", step.act));
        };
        self.stages.insert(step.remediation, next);
        match (next, step.name) {
            (Stage::Applying, Some(name)) => drop(self.open.insert(step.remediation, name)),
            (Stage::Applying, None) => {}
            _ => drop(self.open.remove(&step.remediation)),
        }
        Ok(())
    }

    /// The remediations whose change is neither accepted nor known not to be.
    pub fn open(self) -> Vec<String> {
        self.open.into_values().map(String::from).collect()
    }
}
