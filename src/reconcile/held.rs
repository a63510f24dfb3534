//! Remediations that wait for a person.

use super::keyed_queue::Again;
use super::{Reconciler, lane};
use crate::alert::{Alert, approval_returned};
use crate::ledger::{Append, LedgerError};
use crate::remediation::{
    AlertCode, Answer, CallScope, Draft, Event, NOBODY, PriorRemediation, Remediation, Who,
};
use crate::remedy::Found;
use crate::triage::{NO_ROOM, Stage, UNPLACED, Verdict};
use jiff::Timestamp;
use std::sync::Arc;

impl Reconciler {
    /// Takes up what was approved, or is to be released, after entry `seq`; gives the last entry that it saw.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn take_up_approved(self: &Arc<Self>, seq: i64) -> Result<i64, LedgerError> {
        let mut last = seq;
        for entry in self.reader.answered_after(seq)? {
            last = last.max(entry.seq);
            let Some(id) = entry.subject.remediation else { continue };
            let remediation = self.reader.remediation(&id)?;
            tracing::info!(remediation = id, "{}: taken up", entry.event.kind());
            let lane = lane(&remediation.target.account, &remediation.target.key());
            self.submit_remediation(id, lane, Again::No);
        }
        Ok(last)
    }

    /// Looks what would be done, so that a person can judge it; and gives it up when nobody answered.
    pub(super) async fn wait_for_person(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        if let Some(by) = self.superseded_by(remediation)? {
            return self.write_if_held(remediation, Event::Superseded { by }).await;
        }
        let answer_by = remediation.answer_by(self.approval_timeout);
        if answer_by.is_some_and(|by| by <= Timestamp::now()) {
            return self.nobody_answered(remediation).await;
        }
        if remediation.held_why().is_some_and(|(code, _)| code == UNPLACED)
            && matches!(self.verdict(remediation, Stage::Begin).await?, Verdict::Remediate { .. })
        {
            let reason =
                "the account's OU and tags can be read now, and nothing speaks against it".to_owned();
            self.write_if_held(remediation, Event::Cleared { reason }).await?;
            return Box::pin(self.carry_out(&remediation.id)).await;
        }
        // There is nothing of ours to look at.
        if matches!(remediation.target.who, Who::Beyond { .. }) {
            return self.ask_for_hands(remediation).await;
        }
        // What could not be looked at is looked at again, at each start and every hour.
        let looked = remediation.proposal.as_ref().is_some_and(|proposal| proposal.change.is_some());
        if looked || !self.looks.passes(remediation.id.clone()) && remediation.proposal.is_some() {
            return Ok(());
        }
        let target = &remediation.target;
        let scope = CallScope {
            remediation: Some(remediation.id.clone()),
            finding: Some(remediation.finding.id.clone()),
        };
        let widen = remediation.held_why().is_some_and(|(code, _)| code == NO_ROOM);
        let looked = self.look_at(target, &remediation.finding.id, widen, &scope).await?;
        let (change, problem) = match looked {
            Ok(change) => (Some(change), None),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        if remediation
            .proposal
            .as_ref()
            .is_some_and(|before| before.change.is_none() && before.problem == problem)
        {
            return Ok(());
        }
        tracing::warn!(
            remediation = remediation.id, account = %target.account, principal = target.name(), problem,
            "HELD for approval: {}", remediation.held_why().map_or("", |(_, why)| why)
        );
        self.write_if_held(remediation, Event::Proposed { change, problem }).await
    }

    /// Nobody but a person can do something: they are told, once an hour.
    async fn ask_for_hands(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let (account, principal) = (&remediation.target.account, remediation.target.principal());
        let text =
            format!("a person must act: the credentials of {principal} in {account} are used from elsewhere");
        let what_to_do = remediation.what_to_do.as_deref().unwrap_or("`rescind show` tells the story.");
        self.alerts.raise_alert(Alert::new(AlertCode::ByHand, remediation.subject(), text, what_to_do)).await
    }

    /// Somebody may answer meanwhile: then there is nothing to write.
    async fn write_if_held(&self, remediation: &Remediation, event: Event) -> Result<(), LedgerError> {
        match self.write(remediation, event).await {
            Err(LedgerError::Illegal(_)) => Ok(()),
            done => done,
        }
    }

    async fn nobody_answered(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let answer = Answer {
            by: NOBODY.to_owned(),
            reason: "nobody answered in time".to_owned(),
            os_user: String::new(),
            aws_identity: None,
            judged: remediation.proposal.as_ref().map(|proposal| proposal.seq),
        };
        let target = &remediation.target;
        let text = format!(
            "rejected: nobody answered in time about {target} in {} ({})",
            target.account, remediation.id
        );
        let what_to_do = if matches!(target.who, Who::Beyond { .. }) {
            "Nothing is revoked. Judge it now: `rescind show` tells what to do by hand, `rescind done` that it is done."
        } else {
            "They are NOT revoked. Judge it now: `rescind show` tells the story, `rescind approve` still lets it go on."
        };
        let rejected = Draft { subject: remediation.subject(), event: Event::Rejected(answer) };
        let alert = Alert::new(AlertCode::NobodyAnswered, remediation.subject(), text, what_to_do);
        let alert = self.alerts.draft(alert);
        let entries = [Some(rejected), alert].into_iter().flatten().collect();
        match self.ledger.append(Append { entries, ..Append::default() }).await {
            // Somebody answered in the last moment.
            Err(LedgerError::Illegal(_)) => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// Another remediation of the same role whose deny is in place and covers this one.
    pub(super) fn superseded_by(&self, remediation: &Remediation) -> Result<Option<String>, LedgerError> {
        let target = &remediation.target;
        let history = self.reader.history_beside(&target.account, &target.key(), &remediation.id)?;
        let covers = |other: &PriorRemediation| {
            other.is_for(target) && other.has_revoked(remediation.last_seen).is_some()
        };
        Ok(history.into_iter().find(covers).map(|other| other.remediation))
    }

    /// It was about to begin, and a person must judge it (again).
    pub(super) async fn give_back(
        &self,
        remediation: &Remediation,
        code: &str,
        reason: String,
        alert: Option<Draft>,
    ) -> Result<(), LedgerError> {
        tracing::warn!(remediation = remediation.id, code, "held: {reason}");
        let alert = alert.or_else(|| approval_returned(remediation, &reason).map(Alert::raised));
        let event = Event::Returned { code: code.to_owned(), reason };
        let returned = Draft { subject: remediation.subject(), event };
        let entries = [Some(returned), alert].into_iter().flatten().collect();
        self.ledger.append(Append { entries, ..Append::default() }).await?;
        let again = self.reader.remediation(&remediation.id)?;
        Box::pin(self.wait_for_person(&again)).await
    }
}

/// In which way the role is not any more as the person saw it who approved.
pub(super) fn changed_since(remediation: &Remediation, found: &Found) -> Option<String> {
    remediation.approved_at()?;
    let (_, answer) = remediation.answer.as_ref()?;
    let proposal = remediation.proposal.as_ref()?;
    if answer.judged != Some(proposal.seq) {
        return Some("since it was judged it was looked at again".to_owned());
    }
    // What we did ourselves since is no change of the world.
    if remediation.history.changes.last().is_some_and(|made| made.entry > proposal.seq) {
        return None;
    }
    let Some(judged) = &proposal.change else {
        return Some("when it was approved, what would be done could not be looked at".to_owned());
    };
    // Our own name is ours: whoever writes there must not be able to take an answer back.
    (judged.id != found.id || judged.arn != found.arn).then(|| {
        format!(
            "since it was judged it was made again: it was {} ({}), it is {} ({})",
            judged.arn, judged.id, found.arn, found.id
        )
    })
}
