//! Decides about findings without acting on them, for `rescind plan`.

use super::Reconciler;
use super::decider::Circumstances;
use super::find_role::{Search, find_role};
use super::look_ahead::look_ahead;
use super::release::how_to_undo;
use crate::finding::Finding;
use crate::ledger::{Decided, LedgerError};
use crate::remediation::{CallScope, Change, Impact, Refusal, Remediation, Undo};
use crate::remedy::{self, Drift, Purpose};
use crate::triage::{Decision, Stage};

/// What would be done about a finding.
#[derive(Debug)]
pub struct Planned {
    pub finding: Finding,
    /// What the ledger has about this very occurrence: it is not decided again.
    pub recorded: Option<Decided>,
    /// The decision that would be made.
    pub decision: Decision,
    /// The change that would be made, or why it could not be; none when nothing would be.
    pub change: Option<Result<Change, Refusal>>,
    /// The impact, if it was asked for.
    pub impact: Option<Impact>,
}

impl Reconciler {
    /// Decides about a finding and looks at the role, and changes nothing. Only the AWS calls
    /// are recorded.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn plan(&self, finding: Finding, with_impact: bool) -> Result<Planned, LedgerError> {
        let (context, decider) = (self.context(), &self.context().decider);
        let mut finding = match find_role(decider, &context.access, &finding, None).await? {
            Search::Found(named) => *named,
            Search::NotMade | Search::InVain(_) => finding,
        };
        finding.take_up(context.now());
        // If it cannot be read again, the plan rests on what there is.
        let organization = decider.accounts.snapshot_for(&finding.account).await?;
        let organization = &organization.unwrap_or_else(|| decider.accounts.snapshot());
        let recorded = context.reader.decided(&finding.occurrence())?;
        let history = &decider.history(&finding)?;
        let circumstances = Circumstances { organization, history, before_watch: None, stage: Stage::New };
        let decision = decider.decide(&finding, circumstances).await?;
        let scope = CallScope { remediation: None, finding: Some(finding.id.clone()) };
        let target = decision.verdict.target().filter(|target| target.is_supported());
        let change = match target {
            None => None,
            Some(target) => {
                let (access, reader, policy) = (&context.access, &context.reader, &context.policy());
                Some(look_ahead(access, reader, policy, target, &finding.id, false, &scope).await?)
            }
        };
        let impact = match (target, &change) {
            (Some(target), Some(Ok(change))) if with_impact => {
                let impact = self.evidence.impact(target, &finding.id, change.cutoff, &scope).await;
                impact.unwrap_or_else(|refusal| {
                    tracing::warn!("the impact is unknown: {refusal}");
                    None
                })
            }
            _ => None,
        };
        Ok(Planned { finding, recorded, decision, change, impact })
    }

    /// How a release would be carried out now. Nothing is changed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn plan_release(
        &self,
        remediation: &Remediation,
    ) -> Result<Result<Result<Undo, Box<Drift>>, Refusal>, LedgerError> {
        let session = match self.context().access.open_for(remediation, Purpose::Look).await {
            Ok(session) => session,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match remedy::inspect(&session, &remediation.target).await {
            Ok(found) => Ok(Ok(how_to_undo(&self.context().reader, remediation, &found)?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}
