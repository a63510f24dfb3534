//! Sessions in member accounts: each for one principal and one purpose, and for nothing else.

use super::confine::{Purpose, session_policy};
use super::session::{Session, beside_the_organization};
use crate::aws::{AssumeRole, Hub, MemberSession};
use crate::config::Member;
use crate::ident::session_name;
use crate::remediation::{CallScope, Means, Refusal, Remediation, Target, Who};

/// The way into member accounts.
#[derive(Clone)]
pub struct MemberAccess {
    hub: Hub,
    member: Member,
}

impl MemberAccess {
    /// From the hub, with the remediation role that the configuration names.
    #[must_use]
    pub fn new(hub: Hub, member: Member) -> Self {
        Self { hub, member }
    }

    /// Opens a session in the target's account that can do no more than this purpose asks for, to this
    /// one principal.
    ///
    /// # Errors
    /// When the account cannot be entered.
    pub async fn open(
        &self,
        target: &Target,
        finding: &str,
        purpose: Purpose,
        scope: &CallScope,
    ) -> Result<MemberSession, Refusal> {
        let request = AssumeRole {
            account: &target.account,
            role_arn: &self.role_arn(target),
            session_name: &session_name(purpose.prefix(), finding),
            external_id: &self.member.external_id,
            source_identity: &self.member.source_identity,
            session_policy: &session_policy(target, purpose),
        };
        self.hub.assume_role(&request, scope).await.map_err(Refusal::from_entry)
    }

    /// The same for a remediation.
    ///
    /// # Errors
    /// When the account cannot be entered.
    pub async fn open_for(&self, remediation: &Remediation, purpose: Purpose) -> Result<Session, Refusal> {
        let finding = &remediation.finding.id;
        let scope = CallScope { remediation: Some(remediation.id.clone()), finding: Some(finding.clone()) };
        self.open_session(&remediation.target, finding, purpose, &scope).await
    }

    /// Opens what the remedy of this target works through.
    ///
    /// # Errors
    /// When the account cannot be entered.
    pub async fn open_session(
        &self,
        target: &Target,
        finding: &str,
        purpose: Purpose,
        scope: &CallScope,
    ) -> Result<Session, Refusal> {
        if target.means != Means::ServiceControlPolicy {
            return self
                .open(target, finding, purpose, scope)
                .await
                .map(|session| Session::Member(session.into()));
        }
        let policy = self.hub.account_policy(&target.account, scope).into();
        let is_of_iam = matches!(target.who, Who::Role { .. } | Who::User { .. });
        let member = if is_of_iam {
            match self.open(target, finding, beside_the_organization(purpose), scope).await {
                Ok(session) => Some(session.into()),
                // Who keeps rescind out of the account does not keep it from looking at the organization's policy.
                Err(_) if purpose != Purpose::Revoke && target.id().is_some() => None,
                Err(refusal) => return Err(refusal),
            }
        } else {
            None
        };
        Ok(Session::Organization(policy, member))
    }

    /// Opens a session in the account of a remediation, whatever its remedy works through.
    ///
    /// # Errors
    /// When the account cannot be entered.
    pub async fn enter_for(
        &self,
        remediation: &Remediation,
        purpose: Purpose,
    ) -> Result<MemberSession, Refusal> {
        let finding = &remediation.finding.id;
        let scope = CallScope { remediation: Some(remediation.id.clone()), finding: Some(finding.clone()) };
        self.open(&remediation.target, finding, purpose, &scope).await
    }

    /// The ARN of the remediation role in the target's account.
    #[must_use]
    pub fn role_arn(&self, target: &Target) -> String {
        target.partition.role_arn(&target.account, &self.member.path_and_name())
    }

    /// How the ARNs of our own sessions in the target's account begin.
    #[must_use]
    pub fn own_sessions(&self, target: &Target) -> String {
        let role = &self.member.role_name;
        format!("arn:{}:sts::{}:assumed-role/{role}/rescind-", target.partition, target.account)
    }
}
