//! Managed policies of a member account.

use super::member::{MemberSession, decoded, odd};
use super::record::recorded;
use crate::remediation::{CallError, ErrorKind};
use futures::FutureExt;

/// The version that a policy has from its creation on.
const FIRST: &str = "v1";

impl MemberSession {
    /// GetPolicy and GetPolicyVersion: what a managed policy says in its default version; none when there is no
    /// such policy. The first version is read beside the question which one is the default, and mostly is it.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn managed_policy(&self, arn: &str) -> Result<Option<String>, CallError> {
        let (version, first) =
            futures::join!(self.default_version(arn), self.policy_version(arn, FIRST.to_owned()));
        match version? {
            None => Ok(None),
            Some(version) if version == FIRST => first.map(Some),
            Some(version) => self.policy_version(arn, version).await.map(Some),
        }
    }

    async fn default_version(&self, arn: &str) -> Result<Option<String>, CallError> {
        let request = self.iam.get_policy().policy_arn(arn).send().boxed();
        let policy = match recorded(&*self.sink, self.call("GetPolicy"), request).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            answer => answer?.policy,
        };
        let version = policy.and_then(|policy| policy.default_version_id);
        version.ok_or_else(|| odd("GetPolicy", "the answer names no default version")).map(Some)
    }

    async fn policy_version(&self, arn: &str, version: String) -> Result<String, CallError> {
        let request = self.iam.get_policy_version().policy_arn(arn).version_id(version).send().boxed();
        let answer = recorded(&*self.sink, self.call("GetPolicyVersion"), request).await?;
        let document = answer
            .policy_version
            .and_then(|version| version.document)
            .ok_or_else(|| odd("GetPolicyVersion", "the answer has no document"))?;
        decoded("GetPolicyVersion", &document)
    }
}
