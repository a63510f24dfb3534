//! What would be done, without doing it.

use super::Reconciler;
use super::question::{Question, Search};
use crate::finding::Finding;
use crate::ledger::{Decided, LedgerError};
use crate::remediation::{CallScope, Change, Impact, Refusal, Target, Who};
use crate::remedy::{self, Ask, Purpose};
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
    /// Whom it would concern, if that was asked for.
    pub impact: Option<Impact>,
}

impl Reconciler {
    /// Decides about a finding and looks at the role, and changes nothing. Only the AWS calls
    /// are recorded.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn plan(&self, finding: Finding, with_impact: bool) -> Result<Planned, LedgerError> {
        let finding = match self.found_by_id(&finding, true).await? {
            Search::Found(named) => *named,
            Search::NotMade | Search::InVain(_) => finding,
        };
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
            Some(target) if matches!(target.who, Who::Beyond { .. }) => None,
            Some(target) => {
                let scope = CallScope { remediation: None, finding: Some(finding.id.clone()) };
                Some(self.look_at(target, &finding.id, false, &scope).await?)
            }
        };
        let scope = CallScope { remediation: None, finding: Some(finding.id.clone()) };
        let impact = match (decision.verdict.target(), &change) {
            (Some(target), Some(Ok(change))) if with_impact => {
                self.impact(target, &finding.id, change.cutoff, &scope).await.unwrap_or_else(|refusal| {
                    tracing::warn!("whom it would concern is not known: {refusal}");
                    None
                })
            }
            _ => None,
        };
        Ok(Planned { finding, recorded, decision, change, impact })
    }

    /// The change that would be made to a principal as it is now: with `widen` to all sessions of the
    /// role, though the target is one. Nothing is changed.
    pub(super) async fn look_at(
        &self,
        target: &Target,
        finding: &str,
        widen: bool,
        scope: &CallScope,
    ) -> Result<Result<Change, Refusal>, LedgerError> {
        let looked = async {
            let session = self.access.open(target, finding, Purpose::Look, scope).await?;
            Ok((session.aws_now(), remedy::inspect(&session, target).await?))
        };
        let (aws_now, found) = match looked.await {
            Ok(looked) => looked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let expected = self.expected(target, &found.id)?;
        Ok(Ok(remedy::plan(target, &found, &Ask { widen, ..Ask::at(aws_now, &expected) })))
    }
}
