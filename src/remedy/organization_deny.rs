//! `organization_deny`: denies a principal by a service control policy on its account.
//!
//! It is for whom IAM's own policies do not hold: sessions of Identity Center's roles, the root user, federated users,
//! and roles and users whose own policies are full or fought over. Nobody in the account can take it away. An account
//! has one such policy, with a statement for each of its principals, which goes by `aws:userid` (IAM User Guide,
//! "Policy elements: Variables and tags"). It does not bind the management account.

use super::ask::{Ask, note_of};
use super::found::Found;
use super::look::{self, Look};
use super::who_it_is::who_it_is;
use crate::aws::{AccountPolicy, MemberSession};
use crate::remediation::{Change, Cutoff, Deny, Means, Proof, Refusal, Rung, Target, Undo, Verified, Who};

/// What a reader should know of a proof: there is no higher one by asking.
const NOT_SIMULATED: &str = "read back from the organization; IAM's simulator is not asked about it";

/// The remedy. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OrganizationDeny;

impl OrganizationDeny {
    /// Looks what is there.
    pub async fn inspect(
        policy: &AccountPolicy,
        member: Option<&MemberSession>,
        target: &Target,
    ) -> Result<Found, Refusal> {
        let (facts, attached) = futures::join!(who_it_is(member, target), policy.attached());
        let found = facts?;
        let document = attached.map_err(Refusal::from_call)?.map(|found| found.content);
        Ok(Found { document, ..found })
    }

    /// Looks at the policy alone.
    pub async fn document(policy: &AccountPolicy, arn: &str, id: &str) -> Result<Found, Refusal> {
        let document = policy.attached().await.map_err(Refusal::from_call)?.map(|found| found.content);
        Ok(Found { arn: arn.to_owned(), id: id.to_owned(), document, ..Found::default() })
    }

    /// What to change. Pure.
    pub fn plan(target: &Target, found: &Found, ask: &Ask<'_>) -> Change {
        let there = ask.expected.start(found.document.as_deref(), ask.aws_now);
        let user_id = user_id(target, &found.id);
        let earlier = there.cutoff_of_principal(&user_id).filter(|cutoff| *cutoff < Cutoff::never());
        let cutoff = ask.keep.unwrap_or_else(|| Cutoff::at(ask.aws_now).not_before(earlier));
        Change {
            name: target.name(),
            arn: found.arn.clone(),
            id: found.id.clone(),
            policy_name: AccountPolicy::name(&target.account),
            means: Means::ServiceControlPolicy,
            before: found.document.clone(),
            after: there.with(&Deny::of_principal(&user_id, cutoff)).document().unwrap_or_default(),
            cutoff,
            session: target.session().map(|one| one.user_id.clone()),
            user_id: Some(user_id),
            key: None,
            note: note_of(found, &there, None, ask),
        }
    }

    /// Makes the change.
    pub async fn apply(policy: &AccountPolicy, change: &Change) -> Result<(), Refusal> {
        // One of our name that is not on the account: a crash came before it was attached, or it is somebody else's.
        let mut id = policy.attached().await.map_err(Refusal::from_call)?.map(|found| found.id);
        if id.is_none()
            && let Some(found) = policy.unattached().await.map_err(Refusal::from_call)?
        {
            if found.is_elsewhere || Deny::read(&found.content, change.means).is_none() {
                return Err(Refusal::NotOurs(change.policy_name.clone()));
            }
            id = Some(found.id);
        }
        policy.put(id, &change.after).await.map_err(Refusal::from_call)
    }

    /// Looks how far the change is in force.
    pub async fn verify(policy: &AccountPolicy, change: &Change, at_most: &Deny) -> Verified {
        look::patiently(|| async {
            let document = match policy.attached().await {
                Ok(found) => found.map(|found| found.content),
                Err(error) => {
                    let unread = Verified::Unread(format!("could not read it back: {error}"));
                    return Look::unanswered(unread, &error);
                }
            };
            let found = Found { document, ..Found::of(change) };
            if let Some(what) = change.difference(&found, at_most) {
                return Look::NotYet(Verified::Missing(what));
            }
            let proof = Proof::new(Rung::Present, Some(NOT_SIMULATED.to_owned()), policy.aws_now());
            Look::Sure(Verified::Proved(proof.into()))
        })
        .await
    }

    /// Takes changes back.
    pub async fn undo(policy: &AccountPolicy, undo: &Undo) -> Result<(), Refusal> {
        let done = match &undo.leave {
            _ if !undo.changes_policy() => Ok(()),
            Some(text) => match policy.attached().await {
                Ok(found) => policy.put(found.map(|found| found.id), text).await,
                Err(error) => Err(error),
            },
            None => policy.remove().await,
        };
        done.map_err(Refusal::from_call)
    }
}

/// The `aws:userid` of whom it denies, as a pattern: of all sessions of a role, of one, or of the principal itself.
fn user_id(target: &Target, id: &str) -> String {
    match &target.who {
        Who::Role { session: Some(one), .. } => one.user_id.clone(),
        Who::Role { session: None, .. } => format!("{id}:*"),
        _ => id.to_owned(),
    }
}
