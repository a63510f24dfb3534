//! Finding the role that a finding is about by its unique id, when it does not name it.

use super::decider::{Circumstances, Decider, nameless, with_name};
use crate::finding::Finding;
use crate::ident::{RoleId, RoleName};
use crate::ledger::LedgerError;
use crate::remediation::{CallScope, Refusal, Target};
use crate::remedy::{MemberAccess, Purpose};
use crate::triage::{HoldReason, Stage, Unsupported, Verdict};
use jiff::Timestamp;

/// What became of the search for a role.
pub(super) enum Search {
    /// There is nothing to search for, or no reason to.
    NotMade,
    /// The same finding, with the name of the role.
    Found(Box<Finding>),
    /// Why it was not found, as a sentence.
    InVain(String),
}

/// Searches the account's roles for the one that the finding is about, when that would be held for a
/// person because the finding does not name it.
///
/// # Errors
/// When the ledger fails.
pub(super) async fn find_role(
    decider: &Decider,
    access: &MemberAccess,
    finding: &Finding,
    before_watch: Option<Timestamp>,
) -> Result<Search, LedgerError> {
    let Some(id) = nameless(finding) else { return Ok(Search::NotMade) };
    let Some(organization) = decider.accounts.snapshot_for(&finding.account).await? else {
        return Ok(Search::NotMade);
    };
    let organization = &organization;
    let circumstances = Circumstances { organization, history: &[], before_watch, stage: Stage::New };
    let Verdict::Hold { target, why: HoldReason::Unsupported(Unsupported::Unclear(_)), .. } =
        decider.decide(finding, circumstances).await?.verdict
    else {
        return Ok(Search::NotMade);
    };
    Ok(match role_with_id(access, &target, &id, &finding.id).await {
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
    access: &MemberAccess,
    target: &Target,
    id: &RoleId,
    finding: &str,
) -> Result<Option<RoleName>, Refusal> {
    let scope = CallScope { remediation: None, finding: Some(finding.to_owned()) };
    let session = access.open(target, finding, Purpose::Search, &scope).await?;
    session.role_with_id(id).await.map_err(Refusal::from_call)
}
