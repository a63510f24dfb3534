//! The one service control policy of ours on an account, from the delegated administrator's account.

use super::hub::Hub;
use super::organizations::odd;
use super::record::recorded;
use crate::ident::AccountId;
use crate::remediation::{CallError, CallScope};
use aws_sdk_organizations::types::{PolicySummary, PolicyType};
use futures::FutureExt;
use jiff::Timestamp;

/// What Organizations answers when the policy is attached already.
const ATTACHED: &str = "DuplicatePolicyAttachmentException";

/// What Organizations answers when the policy is not attached, or does not exist.
const GONE: [&str; 2] = ["PolicyNotAttachedException", "PolicyNotFoundException"];

/// The calls to Organizations about one account's policy.
#[derive(Debug)]
pub struct AccountPolicy {
    hub: Hub,
    account: AccountId,
    scope: CallScope,
}

/// A policy as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPolicy {
    pub id: String,
    /// What it says, as JSON.
    pub content: String,
}

/// A policy of the account's name that is not attached to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnattachedPolicy {
    pub id: String,
    /// What it says, as JSON.
    pub content: String,
    /// It is attached to something else.
    pub is_elsewhere: bool,
}

impl Hub {
    /// The way to the policy of one account.
    #[must_use]
    pub fn account_policy(&self, account: &AccountId, scope: &CallScope) -> AccountPolicy {
        AccountPolicy { hub: self.clone(), account: account.clone(), scope: scope.clone() }
    }
}

impl AccountPolicy {
    /// The name of the policy, unique in the organization: `rescind-` and the account's id.
    #[must_use]
    pub fn name(account: &AccountId) -> String {
        format!("rescind-{account}")
    }

    /// AWS's time, by the answers to the hub's calls.
    #[must_use]
    pub fn aws_now(&self) -> Timestamp {
        self.hub.clock().now()
    }

    /// ListPoliciesForTarget and DescribePolicy: the policy that is attached to the account; none when none is.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn attached(&self) -> Result<Option<FoundPolicy>, CallError> {
        let mut page = None;
        loop {
            let request = self
                .hub
                .organizations
                .list_policies_for_target()
                .target_id(self.account.as_str())
                .filter(PolicyType::ServiceControlPolicy)
                .set_next_token(page);
            let answer =
                recorded(&*self.hub.sink, self.call("ListPoliciesForTarget"), request.send().boxed()).await?;
            if let Some(id) = self.ours(answer.policies()) {
                return self.read(id).await.map(Some);
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(None);
            }
        }
    }

    /// ListPolicies, DescribePolicy and ListTargetsForPolicy: the policy of the account's name, which is not attached to
    /// it; none when there is none.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn unattached(&self) -> Result<Option<UnattachedPolicy>, CallError> {
        let Some(id) = self.by_name().await? else { return Ok(None) };
        let FoundPolicy { id, content } = self.read(id).await?;
        let is_elsewhere = !self.hub.targets_of(&id, &self.scope).await?.is_empty();
        Ok(Some(UnattachedPolicy { id, content, is_elsewhere }))
    }

    /// Has the policy with this id say this, or makes one, and attaches it to the account. Doing it twice is the same as
    /// doing it once.
    ///
    /// # Errors
    /// As the calls': `Quota` when there is no room in it, or for it at the account.
    pub async fn put(&self, id: Option<String>, content: &str) -> Result<(), CallError> {
        let id = match id {
            Some(id) => {
                self.update(&id, content).await?;
                id
            }
            None => self.create(content).await?,
        };
        self.attach(&id).await
    }

    /// Detaches the account's policy and deletes it. One that is not there is no error.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn remove(&self) -> Result<(), CallError> {
        let id = match self.attached().await? {
            Some(found) => Some(found.id),
            None => self.by_name().await?,
        };
        let Some(id) = id else { return Ok(()) };
        let client = &self.hub.organizations;
        let request = client.detach_policy().policy_id(&id).target_id(self.account.as_str()).send().boxed();
        unless(&GONE, recorded(&*self.hub.sink, self.call("DetachPolicy"), request).await.map(|_| ()))?;
        let request = client.delete_policy().policy_id(&id).send().boxed();
        unless(&GONE, recorded(&*self.hub.sink, self.call("DeletePolicy"), request).await.map(|_| ()))
    }

    async fn read(&self, id: String) -> Result<FoundPolicy, CallError> {
        let request = self.hub.organizations.describe_policy().policy_id(&id).send().boxed();
        let answer = recorded(&*self.hub.sink, self.call("DescribePolicy"), request).await?;
        let content = answer.policy.and_then(|policy| policy.content);
        let content = content.ok_or_else(|| odd("DescribePolicy", "the answer has no content"))?;
        Ok(FoundPolicy { id, content })
    }

    async fn create(&self, content: &str) -> Result<String, CallError> {
        let request = self
            .hub
            .organizations
            .create_policy()
            .name(Self::name(&self.account))
            .description(format!("Stolen credentials in account {}, denied by rescind", self.account))
            .r#type(PolicyType::ServiceControlPolicy)
            .content(content);
        let answer = recorded(&*self.hub.sink, self.call("CreatePolicy"), request.send().boxed()).await?;
        let id = answer.policy.and_then(|policy| policy.policy_summary).and_then(|summary| summary.id);
        id.ok_or_else(|| odd("CreatePolicy", "the answer has no id"))
    }

    async fn update(&self, id: &str, content: &str) -> Result<(), CallError> {
        let request = self.hub.organizations.update_policy().policy_id(id).content(content).send().boxed();
        recorded(&*self.hub.sink, self.call("UpdatePolicy"), request).await.map(|_| ())
    }

    async fn attach(&self, id: &str) -> Result<(), CallError> {
        let client = &self.hub.organizations;
        let request = client.attach_policy().policy_id(id).target_id(self.account.as_str()).send().boxed();
        unless(&[ATTACHED], recorded(&*self.hub.sink, self.call("AttachPolicy"), request).await.map(|_| ()))
    }

    /// The policy of the organization that has our name, attached or not.
    async fn by_name(&self) -> Result<Option<String>, CallError> {
        let mut page = None;
        loop {
            let request = self
                .hub
                .organizations
                .list_policies()
                .filter(PolicyType::ServiceControlPolicy)
                .set_next_token(page);
            let answer = recorded(&*self.hub.sink, self.call("ListPolicies"), request.send().boxed()).await?;
            if let Some(id) = self.ours(answer.policies()) {
                return Ok(Some(id));
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(None);
            }
        }
    }

    fn ours(&self, policies: &[PolicySummary]) -> Option<String> {
        let name = Self::name(&self.account);
        let ours = policies.iter().find(|one| one.name() == Some(name.as_str()) && !one.aws_managed());
        ours.and_then(|one| one.id()).map(str::to_owned)
    }

    fn call(&self, operation: &'static str) -> super::record::Call<'_> {
        self.hub.call("organizations", operation, &self.hub.home, &self.scope)
    }
}

/// An error with one of these codes is none.
fn unless(codes: &[&str], done: Result<(), CallError>) -> Result<(), CallError> {
    match done {
        Err(error) if error.code.as_deref().is_some_and(|code| codes.contains(&code)) => Ok(()),
        done => done,
    }
}
