//! What would be done, without doing it.

use super::{Engine, Question};
use crate::aws::CallScope;
use crate::finding::Finding;
use crate::ledger::{Decided, LedgerError};
use crate::remedy::{Change, Refusal, Remedy, Target};
use crate::triage::{Decision, Stage};

/// What would be done about a finding.
#[derive(Debug)]
pub struct Planned {
    /// The finding.
    pub finding: Finding,
    /// What the ledger has about this very occurrence: it is not decided again.
    pub recorded: Option<Decided>,
    /// The decision that would be made.
    pub decision: Decision,
    /// The change that would be made, or why it could not be; none when nothing would be.
    pub change: Option<Result<Change, Refusal>>,
}

impl<R: Remedy + 'static> Engine<R> {
    /// Decides about a finding and looks at the role, and changes nothing. Only the AWS calls
    /// are recorded.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn plan(&self, finding: Finding) -> Result<Planned, LedgerError> {
        // If it cannot be read again, the plan rests on what there is.
        let organization =
            self.organization_for(&finding.account).await?.unwrap_or_else(|| self.organization());
        let recorded = self.reader.decided(&finding.occurrence())?;
        let history = self.history(&finding)?;
        let question = Question {
            finding: &finding,
            organization: &organization,
            history: &history,
            before_watch: None,
            stage: Stage::New,
        };
        let decision = self.decide(question).await?;
        let change = match decision.verdict.target() {
            None => None,
            Some(target) => {
                let scope = CallScope { remediation: None, finding: Some(finding.id.clone()) };
                Some(self.look_at(target, &finding.id, "plan-", &scope).await)
            }
        };
        Ok(Planned { finding, recorded, decision, change })
    }

    /// The change that would be made to a role as it is now. Nothing is changed.
    pub(super) async fn look_at(
        &self,
        target: &Target,
        finding: &str,
        purpose: &str,
        scope: &CallScope,
    ) -> Result<Change, Refusal> {
        let session = self.enter_for(target, finding, purpose, scope).await?;
        let found = self.remedy.inspect(&session, target).await?;
        Ok(self.remedy.plan(target, &found, session.aws_now()))
    }
}
