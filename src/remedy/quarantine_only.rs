//! `quarantine`: attaches the managed policy that denies everything to a role or user, until a person releases it.
//!
//! It needs no permission to write a policy, so the remediation role of such an account can do nothing but deny.

use super::ask::Ask;
use super::found::Found;
use super::look::{self, Look};
use super::quarantine::{lift_quarantine, quarantine, quarantine_policy};
use super::who_it_is::who_it_is;
use crate::aws::MemberSession;
use crate::policies::QUARANTINE_POLICY;
use crate::remediation::{
    CallError, Change, Cutoff, Deny, ErrorKind, Means, Refusal, Target, Undo, Verified, Who,
};

/// The remedy. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QuarantineOnly;

impl QuarantineOnly {
    /// Looks what is there: what the policy says counts as there when it is attached.
    pub async fn inspect(session: &MemberSession, target: &Target) -> Result<Found, Refusal> {
        let (facts, document) = futures::join!(who_it_is(Some(session), target), attached(session, target));
        let found = facts?;
        Ok(Found { document: document.map_err(Refusal::from_call)?, ..found })
    }

    /// What to change. Pure.
    pub fn plan(target: &Target, found: &Found, ask: &Ask<'_>) -> Change {
        Change {
            name: target.name(),
            arn: found.arn.clone(),
            id: found.id.clone(),
            policy_name: QUARANTINE_POLICY.to_owned(),
            means: Means::Quarantine,
            before: found.document.clone(),
            after: Deny::everything().document().unwrap_or_default(),
            cutoff: ask.keep.unwrap_or_else(|| Cutoff::at(ask.aws_now)),
            session: None,
            user_id: None,
            key: None,
            note: None,
        }
    }

    /// Attaches the policy.
    pub async fn apply(session: &MemberSession, target: &Target) -> Result<(), Refusal> {
        match quarantine_policy(target) {
            Some(policy) => quarantine(session, target, &policy).await.map_err(|error| match error.kind {
                // The principal was there a moment ago: it is the policy that is not.
                ErrorKind::NotFound => Refusal::NoQuarantine(error.to_string()),
                _ => Refusal::from_call(error),
            }),
            None => Err(Refusal::Unmodifiable(target.principal())),
        }
    }

    /// Looks how far the change is in force.
    pub async fn verify(
        session: &MemberSession,
        target: &Target,
        change: &Change,
        at_most: &Deny,
    ) -> Verified {
        look::patiently(|| async {
            let document = match attached(session, target).await {
                Ok(document) => document,
                Err(error) => {
                    let unread = Verified::Unread(format!("could not read it back: {error}"));
                    return Look::unanswered(unread, &error);
                }
            };
            let found = Found { document, ..Found::of(change) };
            let read_at = session.aws_now();
            match change.difference(&found, at_most) {
                Some(what) => Look::NotYet(Verified::Missing(what)),
                None => look::simulate_everything(session, change, read_at).await,
            }
        })
        .await
    }

    /// Detaches the policy.
    pub async fn undo(session: &MemberSession, target: &Target, undo: &Undo) -> Result<(), Refusal> {
        match quarantine_policy(target).filter(|_| undo.changes_policy() && undo.leave.is_none()) {
            Some(policy) => {
                lift_quarantine(session, target, &policy).await.map(|_| ()).map_err(Refusal::from_call)
            }
            None => Ok(()),
        }
    }
}

/// What the attached policy says; none when it is not attached.
async fn attached(session: &MemberSession, target: &Target) -> Result<Option<String>, CallError> {
    let Some(policy) = quarantine_policy(target) else { return Ok(None) };
    let is_attached = async {
        match &target.who {
            Who::Role { role, .. } => session.is_attached_to_role(role, &policy).await,
            Who::User { user, .. } => session.is_attached_to_user(user, &policy).await,
            Who::Root { .. } | Who::Federated { .. } | Who::Unsupported { .. } => Ok(false),
        }
    };
    let (is_attached, document) = futures::join!(is_attached, session.managed_policy(&policy));
    if is_attached? { document } else { Ok(None) }
}
