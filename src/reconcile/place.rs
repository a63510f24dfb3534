//! Finding the role that a finding is about by its unique id, when it does not name it.

use super::Reconciler;
use super::question::{Question, Search};
use crate::finding::{Finding, NotARole};
use crate::ident::{RoleId, RoleName};
use crate::ledger::LedgerError;
use crate::remediation::{CallScope, Refusal, Target, Who};
use crate::remedy::Purpose;
use crate::triage::{Beyond, HoldReason, Stage, Verdict};

impl Reconciler {
    /// Searches the account's roles for the one that the finding is about, when that would be held for a
    /// person because the finding does not name it.
    pub(super) async fn found_by_id(&self, finding: &Finding, asked: bool) -> Result<Search, LedgerError> {
        let Some(id) = nameless(finding) else { return Ok(Search::NotMade) };
        let Some(organization) = self.organization_for(&finding.account).await? else {
            return Ok(Search::NotMade);
        };
        let question = Question {
            finding,
            organization: &organization,
            history: &[],
            before_watch: if asked || self.backlog { None } else { self.before_watch(finding)? },
            stage: Stage::New,
        };
        let Verdict::Hold { target, why: HoldReason::Beyond(Beyond::Unclear(_)), .. } =
            self.decide(question).await?.verdict
        else {
            return Ok(Search::NotMade);
        };
        Ok(match self.role_with_id(&target, &id, &finding.id).await {
            Ok(Some(name)) => {
                tracing::info!(role = %name, %id, "the finding does not name the role: found by its id");
                Search::Found(Box::new(with_name(finding.clone(), &name)))
            }
            Ok(None) => Search::InVain(format!(
                "No role of account {} has the id {id} now: it was deleted, or it is another account's.",
                finding.account
            )),
            Err(refusal) => {
                tracing::warn!(%id, "the account's roles cannot be searched: {refusal}");
                Search::InVain(format!(
                    "The roles of account {} could not be searched for the id {id}: {refusal}.",
                    finding.account
                ))
            }
        })
    }

    async fn role_with_id(
        &self,
        target: &Target,
        id: &RoleId,
        finding: &str,
    ) -> Result<Option<RoleName>, Refusal> {
        let scope = CallScope { remediation: None, finding: Some(finding.to_owned()) };
        let session = self.access.open(target, finding, Purpose::Search, &scope).await?;
        session.role_with_id(id).await.map_err(Refusal::from_call)
    }
}

/// The id of the role that a finding is about and does not name.
fn nameless(finding: &Finding) -> Option<RoleId> {
    match finding.principal.as_ref()?.role(&finding.account) {
        Err(NotARole::Unclear { id, .. }) => id,
        _ => None,
    }
}

fn with_name(mut finding: Finding, name: &RoleName) -> Finding {
    if let Some(principal) = &mut finding.principal {
        principal.user_name = Some(name.to_string());
    }
    finding
}

/// The finding as it was decided about: with the name of the target, when that was found by the id in it.
pub(super) fn named_as(finding: Finding, target: &Target) -> Finding {
    match &target.who {
        Who::Role { role, role_id: Some(role_id), .. } if nameless(&finding).as_ref() == Some(role_id) => {
            with_name(finding, role)
        }
        _ => finding,
    }
}
