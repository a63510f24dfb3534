//! AssumeRole: how a session in a member account begins.

use super::hub::Hub;
use super::member::MemberSession;
use super::record::{Call, recorded};
use super::token_service::Regional;
use crate::ident::AccountId;
use crate::remediation::{CallError, CallScope, ErrorKind};
use futures::FutureExt;

/// What a member account is asked for: a session of the remediation role.
#[derive(Debug)]
pub struct AssumeRole<'a> {
    pub account: &'a AccountId,
    /// The remediation role in it.
    pub role_arn: &'a str,
    /// The session's name, as STS allows it and as CloudTrail shows it.
    pub session_name: &'a str,
    /// The ExternalId that the role's trust asks for.
    pub external_id: &'a str,
    /// The SourceIdentity for the member's CloudTrail.
    pub source_identity: &'a str,
    /// What the session may do at most, as a JSON policy of up to 2,048 characters.
    pub session_policy: &'a str,
}

impl Hub {
    /// Assumes the remediation role of a member account. Where STS of the home region does not answer, another region's
    /// is asked.
    ///
    /// # Errors
    /// As the call's: `Denied` when the role is missing or does not trust the hub.
    pub async fn assume_role(
        &self,
        request: &AssumeRole<'_>,
        scope: &CallScope,
    ) -> Result<MemberSession, CallError> {
        let mut asking = self.sts.asking();
        let answer = loop {
            let Regional { region, client } = asking.regional();
            let (service, operation, account) = ("sts", "AssumeRole", Some(request.account));
            let call = Call { service, operation, account, region, scope, clock: self.clock() };
            let sent = client
                .assume_role()
                .role_arn(request.role_arn)
                .role_session_name(request.session_name)
                .external_id(request.external_id)
                .source_identity(request.source_identity)
                .policy(request.session_policy)
                .duration_seconds(MemberSession::SECONDS)
                .send()
                .boxed();
            match recorded(&*self.sink, call, sent).await {
                Ok(answer) => break answer,
                Err(error) => asking.failed(error)?,
            }
        };
        asking.answered();
        let credentials = answer.credentials.ok_or_else(|| CallError {
            service: "sts",
            operation: "AssumeRole",
            kind: ErrorKind::Unavailable,
            code: None,
            message: "the answer has no credentials".to_owned(),
        })?;
        MemberSession::new(self, request.account.clone(), &credentials, scope.clone())
    }
}
