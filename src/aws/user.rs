//! IAM users, from within a session that is limited to one.

use super::member::{MemberSession, decoded, odd, tags};
use super::record::recorded;
use crate::ident::{UserId, UserName};
use crate::remediation::{CallError, ErrorKind};
use aws_sdk_iam::types::StatusType;
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A user, as GetUser describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The user's ARN, with its path.
    pub arn: String,
    pub id: UserId,
    pub tags: BTreeMap<String, String>,
}

/// A long-term access key of an IAM user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// The id of the access key: `AKIA…`.
    pub id: String,
    /// Calls can be made with it.
    pub active: bool,
}

impl MemberSession {
    /// GetUser.
    ///
    /// # Errors
    /// As the call's: `NotFound` when there is no such user.
    pub async fn user(&self, name: &UserName) -> Result<UserFacts, CallError> {
        let request = self.iam.get_user().user_name(name.as_str()).send().boxed();
        let answer = recorded(&*self.sink, self.call("GetUser"), request).await?;
        let user = answer.user.ok_or_else(|| odd("GetUser", "the answer has no user"))?;
        let id = user.user_id().parse().map_err(|error| odd("GetUser", &format!("{error}")))?;
        Ok(UserFacts { arn: user.arn, id, tags: tags(user.tags) })
    }

    /// GetUserPolicy: the text of an inline policy; none when there is none of that name.
    ///
    /// # Errors
    /// As the call's. A missing user looks like a missing policy: ask [`Self::user`] too.
    pub async fn user_policy(&self, user: &UserName, policy: &str) -> Result<Option<String>, CallError> {
        let request = self.iam.get_user_policy().user_name(user.as_str()).policy_name(policy).send().boxed();
        match recorded(&*self.sink, self.call("GetUserPolicy"), request).await {
            Ok(answer) => decoded("GetUserPolicy", &answer.policy_document).map(Some),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// PutUserPolicy: writes the whole inline policy, whether it was there or not.
    ///
    /// # Errors
    /// As the call's.
    pub async fn put_user_policy(
        &self,
        user: &UserName,
        policy: &str,
        document: &str,
    ) -> Result<(), CallError> {
        let request = self.iam.put_user_policy().user_name(user.as_str()).policy_name(policy);
        let request = request.policy_document(document).send().boxed();
        recorded(&*self.sink, self.call("PutUserPolicy"), request).await.map(|_| ())
    }

    /// DeleteUserPolicy. What is not there is no error.
    ///
    /// # Errors
    /// As the call's.
    pub async fn delete_user_policy(&self, user: &UserName, policy: &str) -> Result<(), CallError> {
        let request =
            self.iam.delete_user_policy().user_name(user.as_str()).policy_name(policy).send().boxed();
        match recorded(&*self.sink, self.call("DeleteUserPolicy"), request).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// ListAccessKeys. A user has two at most, so one page holds them.
    ///
    /// # Errors
    /// As the call's.
    pub async fn access_keys(&self, user: &UserName) -> Result<Vec<AccessKey>, CallError> {
        let request = self.iam.list_access_keys().user_name(user.as_str()).send().boxed();
        let answer = recorded(&*self.sink, self.call("ListAccessKeys"), request).await?;
        let keys = answer.access_key_metadata.into_iter().filter_map(|key| {
            let active = key.status() == Some(&StatusType::Active);
            Some(AccessKey { id: key.access_key_id?, active })
        });
        Ok(keys.collect())
    }

    /// UpdateAccessKey. To deactivate a key that does not exist any more is no error.
    ///
    /// # Errors
    /// As the call's.
    pub async fn set_access_key(&self, user: &UserName, key: &str, active: bool) -> Result<(), CallError> {
        let status = if active { StatusType::Active } else { StatusType::Inactive };
        let request = self.iam.update_access_key().user_name(user.as_str()).access_key_id(key).status(status);
        match recorded(&*self.sink, self.call("UpdateAccessKey"), request.send().boxed()).await {
            Err(error) if error.kind != ErrorKind::NotFound || active => Err(error),
            _ => Ok(()),
        }
    }
}
