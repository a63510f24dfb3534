//! A remediation, put together from its entries: the one fold.

use super::{
    AlertCode, Answer, Change, Event, Impact, Proof, Recurrence, Refused, ReleaseAsked, Rung, State, Subject,
    Target, Undo,
};
use crate::finding::Finding;
use jiff::{SignedDuration, Timestamp};

/// A remediation, put together from its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Remediation {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// The finding that led to it.
    pub finding: Finding,
    /// Whom it is for.
    pub target: Target,
    /// When credentials that it revokes were last seen in use, by any finding.
    pub last_seen: Timestamp,
    /// When the finding that led to it was seen.
    pub seen_at: Timestamp,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// The finding that led to it follows an earlier remediation that should have ended this.
    pub recurrence: Option<Recurrence>,
    /// What a person must do, where rescind cannot.
    pub what_to_do: Option<String>,
    /// The rule that it followed.
    pub rule: Option<String>,
    /// The opt-outs that applied when it was decided.
    pub opt_outs: Vec<String>,
    /// Since when a person is asked, if one was.
    pub held_at: Option<Timestamp>,
    /// Why a person is asked: the reason's name, and in words.
    pub held_why: Option<(String, String)>,
    /// The entry of the latest intent.
    pub intent_seq: Option<i64>,
    /// What would be done, as it was looked at last for the person who is asked.
    pub proposal: Option<Proposal>,
    /// The answer, and when it was given.
    pub answer: Option<(Timestamp, Answer)>,
    /// The change that was made or is being made.
    pub change: Option<Change>,
    /// When AWS had accepted the change.
    pub accepted_at: Option<Timestamp>,
    /// The entry with which AWS had accepted a change of it for the first time.
    pub first_accepted: Option<i64>,
    /// All changes that were begun, with the entries of their intents.
    pub changes: Vec<(i64, Change)>,
    /// Each rung of the proof that was reached since the change was begun last, and when; none of what is lost.
    pub proofs: Vec<(Timestamp, Proof)>,
    /// Whom and what it concerns, once that was gathered.
    pub impact: Option<Box<Impact>>,
    /// When its deny was last found gone.
    pub lost_at: Option<Timestamp>,
    /// When it was told last who did that.
    pub culprit_told_at: Option<Timestamp>,
    /// The release that was asked for last, and when.
    pub release: Option<(Timestamp, ReleaseAsked)>,
    /// How it is being taken back.
    pub undoing: Option<Undo>,
    /// When it was taken back, and with which entry.
    pub undone: Option<(Timestamp, i64)>,
    /// The latest refusal.
    pub refused: Option<Refused>,
    /// Why it is not known whether the change is in place.
    pub uncertain: Option<String>,
}

/// What a person is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its entry.
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

    /// Until when a person can answer, if one is asked.
    #[must_use]
    pub fn answer_by(&self, timeout: SignedDuration) -> Option<Timestamp> {
        self.held_at.map(|at| at.saturating_add(timeout).unwrap_or(Timestamp::MAX))
    }

    /// When a person approved it, if one did and it was not held again since.
    #[must_use]
    pub fn approved_at(&self) -> Option<Timestamp> {
        self.answer
            .as_ref()
            .map(|(at, _)| *at)
            .filter(|_| !matches!(self.state, State::Held | State::Rejected | State::Superseded))
    }

    /// The proof of the highest rung that was reached since the change was begun last; none of what is lost.
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.proofs.last().map(|(_, proof)| proof)
    }

    /// How far it is proved.
    #[must_use]
    pub fn rung(&self) -> Option<Rung> {
        self.proof().map(|proof| proof.rung)
    }

    /// It is put back after somebody took it away, and keeps its cutoff.
    #[must_use]
    pub fn is_put_back(&self) -> bool {
        self.lost_at.is_some() && self.change.is_some()
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

impl Remediation {
    /// As its decision leaves it; none when the entry is no decision that leads to a remediation.
    pub fn begin(
        id: &str,
        state: State,
        finding: &Finding,
        seen_at: Timestamp,
        opened_at: Timestamp,
        decision: Event,
    ) -> Option<Self> {
        let Event::Decision {
            target,
            verdict,
            code,
            reason,
            rule,
            opt_outs,
            recurrence,
            what_to_do,
            last_seen,
            ..
        } = decision
        else {
            return None;
        };
        Some(Self {
            id: id.to_owned(),
            state,
            finding: finding.clone(),
            target: target?,
            last_seen,
            seen_at,
            opened_at,
            recurrence,
            what_to_do,
            rule,
            opt_outs,
            held_at: None,
            held_why: (verdict == "hold").then_some((code, reason)),
            intent_seq: None,
            proposal: None,
            answer: None,
            change: None,
            changes: Vec::new(),
            accepted_at: None,
            first_accepted: None,
            proofs: Vec::new(),
            impact: None,
            lost_at: None,
            culprit_told_at: None,
            release: None,
            undoing: None,
            undone: None,
            refused: None,
            uncertain: None,
        })
    }

    /// Takes what an entry adds.
    pub fn take(&mut self, seq: i64, time: Timestamp, event: Event) {
        match event {
            Event::Proposed { change, problem } => self.proposal = Some(Proposal { seq, change, problem }),
            Event::Approved(answer) | Event::Rejected(answer) | Event::DoneByHand(answer) => {
                self.answer = Some((time, answer));
            }
            Event::Returned { code, reason } => {
                (self.held_why, self.answer, self.proposal) = (Some((code, reason)), None, None);
            }
            // An answer is for what was asked, and not for what comes later.
            Event::Reopened { .. } => (self.answer, self.proposal) = (None, None),
            Event::Intent { change } => {
                self.changes.push((seq, change.clone()));
                (self.change, self.intent_seq) = (Some(change), Some(seq));
                self.proofs.clear();
            }
            Event::Accepted { aws_time, .. } => {
                self.accepted_at = Some(aws_time.unwrap_or(time));
                self.first_accepted.get_or_insert(seq);
            }
            Event::Proof(proof) => self.proofs.push((time, proof)),
            Event::Impact(impact) => self.impact = Some(impact),
            Event::Drift { .. } => {
                self.lost_at = Some(time);
                self.proofs.clear();
            }
            Event::NotReleased { was, .. } if was.after_release_in_vain() == State::Lost => {
                self.proofs.clear();
            }
            Event::ReleaseAsked(asked) => (self.release, self.undoing) = (Some((time, asked)), None),
            Event::Undoing { undo } => self.undoing = Some(undo),
            // The clock of this machine may be wrong.
            Event::Undone { aws_time, .. } => self.undone = Some((aws_time.unwrap_or(time), seq)),
            Event::Alert { code: AlertCode::DenyRemovedBy, .. } => self.culprit_told_at = Some(time),
            Event::Refused(refused) => self.refused = Some(refused),
            Event::Uncertain { error } => self.uncertain = Some(error),
            _ => {}
        }
    }
}
