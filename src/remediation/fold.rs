//! The one fold: what each event adds to a remediation. The projection, the screens and the reports all say
//! what it says; only `audit` judges by itself.

use super::{
    Acceptance, AlertCode, AlertRaised, Answer, ChangeMade, ChangeOutcome, DriftSeen, Ending, Event,
    FirstDecision, Given, History, Proof, Proposal, Quarantine, Recorded, ReleaseRun, Remediation, Standing,
    State,
};
use crate::finding::Finding;
use jiff::Timestamp;

impl Remediation {
    /// As its decision leaves it; none when the event is no decision that leads to a remediation.
    #[must_use]
    pub fn begin(id: &str, seen: &Recorded<Finding>, decision: Recorded<Event>) -> Option<Self> {
        let Standing { state, .. } = Standing::after(None, &decision.what, id).ok().flatten()?;
        let (entry, opened_at) = (decision.entry, decision.at);
        let Event::Decision {
            target,
            verdict,
            code,
            reason,
            rule,
            approval,
            opt_outs,
            recurrence,
            what_to_do,
            last_seen,
            ..
        } = decision.what
        else {
            return None;
        };
        let mut history = History::default();
        if state == State::Held {
            history.ask(opened_at, code, reason.clone());
        }
        Some(Self {
            id: id.to_owned(),
            state,
            finding: seen.what.clone(),
            target: target?,
            last_seen,
            seen_at: seen.at,
            finding_entry: seen.entry,
            opened_at,
            decision: FirstDecision { entry, verdict, code, reason },
            recurrence,
            what_to_do,
            rule,
            approval,
            opt_outs,
            proposal: None,
            approvals: Vec::new(),
            answer: None,
            change: None,
            accepted: None,
            proofs: Vec::new(),
            impact: None,
            culprit_reported_at: None,
            undoing: None,
            undone: None,
            uncertain: None,
            history,
        })
    }

    /// Takes what an entry adds. A step that cannot follow the one before it leaves the state as it is: it is
    /// for `ledger verify` to find.
    pub fn take(&mut self, recorded: Recorded<Event>) {
        let Recorded { entry, at, what: event } = recorded;
        if let Ok(Some(next)) = Standing::after(Some(self.standing()), &event, &self.id) {
            if next.state != self.state {
                self.uncertain = None;
            }
            self.state = next.state;
            if next.proof.is_none() {
                let last = self.proofs.drain(..).next_back();
                self.history.earlier_proof = last.or_else(|| self.history.earlier_proof.take());
            }
        }
        match event {
            Event::ApprovalGiven(answer) => self.approvals.push(answer),
            Event::Proposed { change, problem } => {
                self.proposal = Some(Proposal { seq: entry, change, problem });
            }
            Event::Approved(answer) => {
                self.answered(at, Ending::Approved, answer);
                self.history.superseded_by = None;
            }
            Event::Rejected(answer) => self.answered(at, Ending::Rejected, answer),
            Event::DoneByHand(answer) => self.answered(at, Ending::DoneByHand, answer),
            Event::Cleared { .. } => self.history.end_asking(at, Ending::Cleared, None),
            Event::Superseded { by } => {
                self.history.end_asking(at, Ending::Superseded, None);
                self.history.superseded_by = Some(by);
            }
            Event::Reheld { code, reason } => {
                (self.answer, self.proposal) = (None, None);
                self.history.ask(at, code, reason);
            }
            Event::Reopened { .. } => {
                // An answer is for what was asked, and not for what comes later.
                (self.answer, self.proposal) = (None, None);
                if self.state == State::Held {
                    self.history.ask_again(at);
                }
            }
            Event::Intent { change } => {
                self.change = Some(change.clone());
                let outcome = ChangeOutcome::Pending;
                self.history.changes.push(ChangeMade { entry, at, outcome, accepted_at: None, change });
            }
            // The clock of this machine may be wrong.
            Event::Accepted { found_in_place, aws_time } => {
                self.accepted(Acceptance { entry, at: aws_time.unwrap_or(at), found_in_place });
            }
            Event::NotApplied { .. } => self.history.outcome(ChangeOutcome::NotApplied),
            Event::Uncertain { error } => {
                // What AWS has accepted stays accepted, though it cannot be looked at or taken away now.
                if self.state == State::Revoking {
                    self.history.outcome(ChangeOutcome::Uncertain);
                }
                self.uncertain = Some(error);
            }
            Event::Proof(proof) => self.proved(Recorded { entry, at, what: proof }),
            Event::Refused(refused) => {
                if self.history.changes.last().is_some_and(|made| made.outcome == ChangeOutcome::Pending) {
                    self.history.outcome(ChangeOutcome::Refused);
                }
                self.history.refusals.push(Recorded { entry, at, what: refused });
            }
            Event::Impact(impact) => self.impact = Some(impact),
            Event::Trace(trace) => self.history.activities.extend(trace.activities),
            Event::PursuitAsked(_) => self.history.is_pursuit_asked = true,
            Event::Drift { what, seen_in_place, .. } => {
                self.history.drifts.push(DriftSeen { entry, at, seen_in_place, what, by: None });
            }
            Event::Alert { code, text, what_to_do } => {
                self.alerted(Recorded { entry, at, what: AlertRaised { code, text, what_to_do } });
            }
            event @ (Event::Quarantining { .. }
            | Event::Quarantined { .. }
            | Event::NotQuarantined { .. }
            | Event::Lifting { .. }
            | Event::Lifted { .. }) => Quarantine::take(&mut self.history.quarantines, entry, at, event),
            Event::Contested { .. } => {
                self.history.is_contested = true;
                self.history.was_contested = true;
            }
            Event::Settled { .. } => self.history.is_contested = false,
            Event::ReleaseAsked(asked) => {
                self.undoing = None;
                self.history.end_asking(at, Ending::ReleaseAsked, Some(asked.answer.clone()));
                self.history.releases.push(ReleaseRun { entry, at, asked, done_at: None, not_done: None });
            }
            Event::Undoing { undo } => self.undoing = Some(undo),
            Event::Undone { aws_time, .. } => {
                let at = aws_time.unwrap_or(at);
                self.undone = Some((at, entry));
                // What is retired was not released.
                if self.state == State::Released {
                    self.open_releases().for_each(|release| release.done_at = Some(at));
                }
            }
            Event::NotReleased { why, .. } => {
                self.open_releases().for_each(|release| release.not_done = Some(why.clone()));
                if self.state == State::Held {
                    self.history.ask_again(at);
                }
            }
            Event::Expired { .. } => self.history.expired_at = Some(at),
            _ => {}
        }
    }

    fn alerted(&mut self, alert: Recorded<AlertRaised>) {
        if alert.what.code == AlertCode::DenyRemovedBy {
            self.culprit_reported_at = Some(alert.at);
            if let Some(drift) = self.history.drifts.last_mut() {
                drift.by = Some(alert.what.text.clone());
            }
        }
        self.history.alerts.push(alert);
    }

    fn answered(&mut self, at: Timestamp, how: Ending, answer: Answer) {
        let given = Given { at, how, answer };
        self.history.answered(&given, &self.decision);
        self.answer = Some(given);
    }

    fn open_releases(&mut self) -> impl Iterator<Item = &mut ReleaseRun> {
        self.history.releases.iter_mut().filter(|release| release.is_open())
    }

    fn accepted(&mut self, accepted: Acceptance) {
        self.history.outcome(ChangeOutcome::Accepted);
        if let Some(made) = self.history.changes.last_mut() {
            made.accepted_at = Some(accepted.at);
        }
        self.history.first_accepted.get_or_insert(accepted.entry);
        self.accepted = Some(accepted);
    }

    fn proved(&mut self, proof: Recorded<Proof>) {
        if self.history.denied_at.is_none() && !proof.what.is_contradicted() {
            self.history.denied_at = self.accepted.map(|accepted| accepted.at);
        }
        self.proofs.push(proof);
    }
}
