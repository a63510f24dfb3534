//! Managed policies of a member account.

use super::member::{MemberSession, decoded, odd};
use super::record::recorded;
use crate::remediation::{CallError, ErrorKind};
use futures::FutureExt;

impl MemberSession {
    /// GetPolicy and GetPolicyVersion: what a managed policy says in its default version; none when there is no
    /// such policy.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn managed_policy(&self, arn: &str) -> Result<Option<String>, CallError> {
        let request = self.iam.get_policy().policy_arn(arn).send().boxed();
        let policy = match recorded(&*self.sink, self.call("GetPolicy"), request).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            answer => answer?.policy,
        };
        let version = policy
            .and_then(|policy| policy.default_version_id)
            .ok_or_else(|| odd("GetPolicy", "the answer names no default version"))?;
        let request = self.iam.get_policy_version().policy_arn(arn).version_id(version).send().boxed();
        let answer = recorded(&*self.sink, self.call("GetPolicyVersion"), request).await?;
        let document = answer
            .policy_version
            .and_then(|version| version.document)
            .ok_or_else(|| odd("GetPolicyVersion", "the answer has no document"))?;
        decoded("GetPolicyVersion", &document).map(Some)
    }
}
