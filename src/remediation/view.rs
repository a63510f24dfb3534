//! A remediation, put together from its entries.

use super::{
    Acceptance, Answer, Change, Ending, FirstDecision, Given, History, Impact, Proof, ReasonCode, Recorded,
    Recurrence, Refused, ReleaseRun, Rung, Standing, State, Subject, Target, Undo,
};
use crate::config::Approval;
use crate::finding::Finding;
use jiff::{SignedDuration, Timestamp};

/// A remediation, put together from its entries: where it stands, and how it came there.
#[derive(Debug, Clone, PartialEq)]
pub struct Remediation {
    /// Id of the remediation.
    pub id: String,
    /// State of the remediation.
    pub state: State,
    /// The finding that led to it.
    pub finding: Finding,
    /// The principal that it is for.
    pub target: Target,
    /// When credentials that it revokes were last seen in use, by any finding.
    pub last_seen: Timestamp,
    /// When the finding that led to it was recorded.
    pub seen_at: Timestamp,
    /// The entry that recorded it.
    pub finding_entry: i64,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// What was decided then.
    pub decision: FirstDecision,
    /// The finding that led to it follows an earlier remediation that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// What a person must do, where rescind cannot.
    pub what_to_do: Option<String>,
    /// The rule that it followed.
    pub rule: Option<String>,
    /// Who must approve it, as that rule said then.
    pub approval: Approval,
    /// The opt-outs that applied when it was decided.
    pub opt_outs: Vec<String>,
    /// What would be done, as it was looked at last for the person who is asked.
    pub proposal: Option<Proposal>,
    /// The approvals that were given while others had to approve as well. Each counts for the proposal that it judged.
    pub approvals: Vec<Answer>,
    /// The latest answer to what was asked last.
    pub answer: Option<Given>,
    /// The change that was made or is being made.
    pub change: Option<Change>,
    /// When AWS accepted a change of it last.
    pub accepted: Option<Acceptance>,
    /// Each rung of the proof that was reached since the change was begun last; none of what is lost.
    pub proofs: Vec<Recorded<Proof>>,
    /// The impact, once that was gathered.
    pub impact: Option<Box<Impact>>,
    /// When it was last reported who removed or altered the deny.
    pub culprit_reported_at: Option<Timestamp>,
    /// How it is being taken back.
    pub undoing: Option<Undo>,
    /// When it was taken back, and with which entry.
    pub undone: Option<(Timestamp, i64)>,
    /// Why it is not known whether the change is in place or was taken away, since it is in this state.
    pub uncertain: Option<String>,
    /// What happened to it, occasion by occasion.
    pub history: History,
}

/// What a person is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Number of the entry that recorded it.
    pub seq: i64,
    /// What would be done; none when it could not be looked at.
    pub change: Option<Change>,
    /// Why it could not be looked at.
    pub problem: Option<String>,
}

impl Remediation {
    /// How long after the last activity that GuardDuty saw; none when GuardDuty dates that later than when
    /// the finding was read: nothing can be counted from it.
    #[must_use]
    pub fn since_activity(&self, at: Timestamp) -> Option<SignedDuration> {
        let last = self.finding.last_seen();
        (last <= self.seen_at).then(|| at.duration_since(last))
    }

    /// Since when a person is asked, or was the last time.
    #[must_use]
    pub fn held_at(&self) -> Option<Timestamp> {
        self.history.asked.last().map(|asked| asked.since)
    }

    /// Why a person is asked, or was the last time: the reason's name, and in words.
    #[must_use]
    pub fn held_why(&self) -> Option<(ReasonCode, &str)> {
        self.history.asked.last().map(|asked| (asked.code, asked.reason.as_str()))
    }

    /// Until when a person can answer, if one is asked. What only a person can do waits until one reports it.
    #[must_use]
    pub fn answer_by(&self, timeout: SignedDuration) -> Option<Timestamp> {
        let held_at = self.held_at().filter(|_| self.target.is_supported())?;
        Some(held_at.saturating_add(timeout).unwrap_or(Timestamp::MAX))
    }

    /// When a person approved it, if that is the answer that counts.
    #[must_use]
    pub fn approved_at(&self) -> Option<Timestamp> {
        self.answer.as_ref().filter(|given| given.how == Ending::Approved).map(|given| given.at)
    }

    /// When AWS had accepted the change.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Timestamp> {
        self.accepted.map(|accepted| accepted.at)
    }

    /// The proof of the highest rung that was reached since the change was begun last; none of what is lost.
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.proofs.last().map(|proof| &proof.what)
    }

    /// How far the deny was proved that was released or retired.
    #[must_use]
    pub fn earlier_proof(&self) -> Option<&Proof> {
        let is_undone = matches!(self.state, State::Released | State::Retired);
        self.history.earlier_proof.as_ref().filter(|_| is_undone).map(|proof| &proof.what)
    }

    /// The deny was seen in place, now or earlier.
    #[must_use]
    pub fn has_acted(&self) -> bool {
        self.history.denied_at.is_some()
    }

    /// From the last activity that GuardDuty saw until AWS accepted the deny that was seen in place first.
    #[must_use]
    pub fn to_deny(&self) -> Option<SignedDuration> {
        self.history.denied_at.and_then(|at| self.since_activity(at))
    }

    /// The refusal because of which it is not carried out now.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        let refusals = self.history.refusals.last().filter(|_| self.state.is_refused());
        refusals.map(|refusal| &refusal.what)
    }

    /// Why it is in this state, where the record has a reason for that.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self.state {
            State::Held => self.held_why().map(|(_, why)| why),
            State::Lost | State::Contested => {
                let drift = self.history.drifts.last();
                let is_later = |release: &&ReleaseRun| drift.is_none_or(|drift| drift.entry < release.entry);
                let in_vain = self.release().filter(is_later).and_then(|release| release.not_done.as_deref());
                in_vain.or(drift.map(|drift| drift.what.as_str()))
            }
            _ => self.refused().map(|refused| refused.reason.as_str()).or(self.uncertain.as_deref()),
        }
    }

    /// The release that was asked for last.
    #[must_use]
    pub fn release(&self) -> Option<&ReleaseRun> {
        self.history.releases.last()
    }

    /// When its deny was last found gone.
    #[must_use]
    pub fn lost_at(&self) -> Option<Timestamp> {
        self.history.drifts.last().map(|drift| drift.at)
    }

    /// How far it is proved.
    #[must_use]
    pub fn rung(&self) -> Option<Rung> {
        self.proof().map(|proof| proof.rung)
    }

    /// Where it stands, and how far it is proved.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing { state: self.state, proof: self.rung() }
    }

    /// It was opened because the deny of another one is contested.
    #[must_use]
    pub fn is_escalated(&self) -> bool {
        self.decision.code == ReasonCode::DenyContested
    }

    /// It is put back after somebody took it away. It keeps its cutoff unless it is contested.
    #[must_use]
    pub fn is_put_back(&self) -> bool {
        self.lost_at().is_some() && self.change.is_some()
    }

    /// Its principal and account, in words.
    #[must_use]
    pub fn principal(&self) -> String {
        format!("{} in {}", self.target.principal(), self.target.account)
    }

    /// What an entry about it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            remediation: Some(self.id.clone()),
            finding: Some(self.finding.id.clone()),
            account: Some(self.target.account.clone()),
            region: Some(self.finding.region.clone()),
            principal: Some(self.target.name()),
        }
    }
}
