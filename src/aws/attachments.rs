//! Managed policies that are attached to one role or user, from within a session that is limited to it.

use super::member::MemberSession;
use super::record::recorded;
use crate::ident::{RoleName, UserName};
use crate::remediation::{CallError, ErrorKind};
use aws_sdk_iam::types::AttachedPolicy;
use futures::FutureExt;

/// Maximum number of pages that are read: more attachments than a principal can have.
const PAGES: usize = 20;

impl MemberSession {
    /// AttachRolePolicy. One that is attached already is no error.
    ///
    /// # Errors
    /// As the call's: `NotFound` when there is no such role or policy, `Quota` when the role has no room.
    pub async fn attach_role_policy(&self, role: &RoleName, policy_arn: &str) -> Result<(), CallError> {
        let request =
            self.iam.attach_role_policy().role_name(role.as_str()).policy_arn(policy_arn).send().boxed();
        recorded(&*self.sink, self.call("AttachRolePolicy"), request).await.map(|_| ())
    }

    /// AttachUserPolicy. One that is attached already is no error.
    ///
    /// # Errors
    /// As the call's: `NotFound` when there is no such user or policy, `Quota` when the user has no room.
    pub async fn attach_user_policy(&self, user: &UserName, policy_arn: &str) -> Result<(), CallError> {
        let request =
            self.iam.attach_user_policy().user_name(user.as_str()).policy_arn(policy_arn).send().boxed();
        recorded(&*self.sink, self.call("AttachUserPolicy"), request).await.map(|_| ())
    }

    /// DetachRolePolicy. One that is not attached is no error.
    ///
    /// # Errors
    /// As the call's.
    pub async fn detach_role_policy(&self, role: &RoleName, policy_arn: &str) -> Result<(), CallError> {
        let request =
            self.iam.detach_role_policy().role_name(role.as_str()).policy_arn(policy_arn).send().boxed();
        gone(recorded(&*self.sink, self.call("DetachRolePolicy"), request).await.map(|_| ()))
    }

    /// DetachUserPolicy. One that is not attached is no error.
    ///
    /// # Errors
    /// As the call's.
    pub async fn detach_user_policy(&self, user: &UserName, policy_arn: &str) -> Result<(), CallError> {
        let request =
            self.iam.detach_user_policy().user_name(user.as_str()).policy_arn(policy_arn).send().boxed();
        gone(recorded(&*self.sink, self.call("DetachUserPolicy"), request).await.map(|_| ()))
    }

    /// ListAttachedRolePolicies: whether a managed policy is attached to a role. To one that does not exist, none is.
    ///
    /// # Errors
    /// As the call's.
    pub async fn is_attached_to_role(&self, role: &RoleName, policy_arn: &str) -> Result<bool, CallError> {
        let mut marker = None;
        for _ in 0..PAGES {
            let request = self
                .iam
                .list_attached_role_policies()
                .role_name(role.as_str())
                .set_marker(marker)
                .send()
                .boxed();
            let answer = match recorded(&*self.sink, self.call("ListAttachedRolePolicies"), request).await {
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
                answer => answer?,
            };
            if is_among(answer.attached_policies(), policy_arn) {
                return Ok(true);
            }
            marker = answer.marker.filter(|marker| answer.is_truncated && !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        Ok(false)
    }

    /// ListAttachedUserPolicies: whether a managed policy is attached to a user. To one that does not exist, none is.
    ///
    /// # Errors
    /// As the call's.
    pub async fn is_attached_to_user(&self, user: &UserName, policy_arn: &str) -> Result<bool, CallError> {
        let mut marker = None;
        for _ in 0..PAGES {
            let request = self
                .iam
                .list_attached_user_policies()
                .user_name(user.as_str())
                .set_marker(marker)
                .send()
                .boxed();
            let answer = match recorded(&*self.sink, self.call("ListAttachedUserPolicies"), request).await {
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
                answer => answer?,
            };
            if is_among(answer.attached_policies(), policy_arn) {
                return Ok(true);
            }
            marker = answer.marker.filter(|marker| answer.is_truncated && !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        Ok(false)
    }
}

fn is_among(attached: &[AttachedPolicy], policy_arn: &str) -> bool {
    attached.iter().any(|one| one.policy_arn() == Some(policy_arn))
}

/// What is not there is detached.
fn gone(done: Result<(), CallError>) -> Result<(), CallError> {
    match done {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
