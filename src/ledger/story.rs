//! A remediation's story: what each entry adds to it.

use super::entry::Event;
use super::remediation::{Proposal, Remediation};
use super::state::State;
use crate::finding::Finding;
use jiff::Timestamp;

impl Remediation {
    /// As its decision leaves it; none when the entry is no decision that leads to a remediation.
    pub(super) fn begin(
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
    pub(super) fn take(&mut self, seq: i64, time: Timestamp, event: Event) {
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
            }
            Event::Accepted { aws_time, .. } => {
                self.accepted_at = Some(aws_time.unwrap_or(time));
                self.first_accepted.get_or_insert(seq);
                self.proofs.clear();
            }
            Event::Proof(proof) => self.proofs.push((time, proof)),
            Event::Impact(impact) => self.impact = Some(impact),
            Event::Drift { .. } => self.lost_at = Some(time),
            Event::ReleaseAsked(asked) => (self.release, self.undoing) = (Some((time, asked)), None),
            Event::Undoing { undo } => self.undoing = Some(undo),
            // The clock of this machine may be wrong.
            Event::Undone { aws_time, .. } => self.undone = Some((aws_time.unwrap_or(time), seq)),
            Event::Alert { code, .. } if code == "deny_removed_by" => self.culprit_told_at = Some(time),
            Event::Refused(refused) => self.refused = Some(refused),
            Event::Uncertain { error } => self.uncertain = Some(error),
            _ => {}
        }
    }
}
