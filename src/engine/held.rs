//! Remediations that wait for a person.

use super::lanes::Again;
use super::{Engine, lane};
use crate::aws::CallScope;
use crate::ledger::{Answer, Event, LedgerError, NOBODY, Remediation};
use crate::remedy::{Found, Refusal, Remedy};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

impl Remediation {
    /// Until when a person can answer, if one is asked.
    #[must_use]
    pub fn answer_by(&self, timeout: SignedDuration) -> Option<Timestamp> {
        self.held_at.map(|at| at.saturating_add(timeout).unwrap_or(Timestamp::MAX))
    }
}

impl<R: Remedy + 'static> Engine<R> {
    /// Takes up what was approved after entry `seq`; gives the last entry that it saw.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn take_up_approved(self: &Arc<Self>, seq: i64) -> Result<i64, LedgerError> {
        let mut last = seq;
        for entry in self.reader.approved_after(seq)? {
            last = last.max(entry.seq);
            let Some(id) = entry.subject.remediation else { continue };
            let remediation = self.reader.remediation(&id)?;
            tracing::info!(remediation = id, "approved: taken up");
            let lane = lane(&remediation.target.account, &remediation.target.role);
            self.submit_remediation(id, lane, Again::No);
        }
        Ok(last)
    }

    /// Looks what would be done, so that a person can judge it; and gives it up when nobody answered.
    pub(super) async fn wait_for_person(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let answer_by = remediation.answer_by(self.approval_timeout);
        if answer_by.is_some_and(|by| by <= Timestamp::now()) {
            return self.nobody_answered(remediation).await;
        }
        if remediation.proposal.is_some() {
            return Ok(());
        }
        let target = &remediation.target;
        let scope = CallScope {
            remediation: Some(remediation.id.clone()),
            finding: Some(remediation.finding.id.clone()),
        };
        let looked: Result<_, Refusal> = async {
            let session = self.enter_for(target, &remediation.finding.id, "look-", &scope).await?;
            let found = self.remedy.inspect(&session, target).await?;
            Ok(self.remedy.plan(target, &found, session.aws_now()))
        }
        .await;
        let (change, problem) = match looked {
            Ok(change) => (Some(change), None),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        tracing::warn!(
            remediation = remediation.id, account = %target.account, role = %target.role, problem,
            "HELD for approval: {}", remediation.held_why.as_deref().unwrap_or_default()
        );
        self.write(remediation, Event::Proposed { change, problem }).await
    }

    async fn nobody_answered(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let answer = Answer {
            by: NOBODY.to_owned(),
            reason: "nobody answered in time".to_owned(),
            os_user: String::new(),
            aws_identity: None,
            judged: remediation.proposal.as_ref().map(|proposal| proposal.seq),
        };
        match self.write(remediation, Event::Rejected(answer)).await {
            // Somebody answered in the last moment.
            Err(LedgerError::Illegal(_)) => return Ok(()),
            done => done?,
        }
        let target = &remediation.target;
        let text = format!(
            "rejected: nobody answered in time about the stolen sessions of role {} in {} ({})",
            target.role, target.account, remediation.id
        );
        let what_to_do = "They are NOT revoked. Judge it now: `rescind show` tells the story, `rescind handle` with the finding asks again.";
        self.alert(remediation.subject(), "nobody_answered", text, what_to_do).await
    }

    /// It was about to begin, and a person must judge it (again).
    pub(super) async fn give_back(
        &self,
        remediation: &Remediation,
        code: &str,
        reason: String,
    ) -> Result<(), LedgerError> {
        tracing::warn!(remediation = remediation.id, code, "held: {reason}");
        self.guards.take_back(remediation);
        self.write(remediation, Event::Returned { code: code.to_owned(), reason }).await?;
        let again = self.reader.remediation(&remediation.id)?;
        Box::pin(self.wait_for_person(&again)).await
    }
}

/// In which way the role is not any more as the person saw it who approved.
pub(super) fn changed_since(remediation: &Remediation, found: &Found) -> Option<String> {
    remediation.approved_at()?;
    let judged = remediation.proposal.as_ref()?.change.as_ref()?;
    // What we did ourselves since is no change of the world.
    if remediation.change.is_some() {
        return None;
    }
    if judged.role_id != found.role.id || judged.role_arn != found.role.arn {
        return Some(format!(
            "since it was judged the role was made again: it was {} ({}), it is {} ({})",
            judged.role_arn, judged.role_id, found.role.arn, found.role.id
        ));
    }
    (judged.before != found.document)
        .then(|| format!("since it was judged the policy {} on the role has changed", judged.policy_name))
}
