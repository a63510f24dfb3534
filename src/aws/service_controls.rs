//! The organization's service control policies, and to which accounts they are attached. Only doctor reads them.

use super::hub::Hub;
use super::organizations::odd;
use super::record::recorded;
use crate::ident::AccountId;
use crate::remediation::{CallError, CallScope};
use aws_sdk_organizations::types::PolicyType;
use futures::FutureExt;
use std::collections::BTreeSet;

/// A service control policy that is not AWS's own.
#[derive(Debug, Clone)]
pub struct ServiceControl {
    pub id: String,
    pub name: String,
    /// What it says, as JSON.
    pub content: String,
}

impl Hub {
    /// ListPolicies, and DescribePolicy for each policy that is not AWS's own.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn service_controls(&self) -> Result<Vec<ServiceControl>, CallError> {
        let client = &self.organizations;
        let scope = CallScope::default();
        let (mut listed, mut page) = (Vec::new(), None);
        loop {
            let call = self.call("organizations", "ListPolicies", &self.home, &scope);
            let request =
                client.list_policies().filter(PolicyType::ServiceControlPolicy).set_next_token(page);
            let answer = recorded(&*self.sink, call, request.send().boxed()).await?;
            listed.extend(answer.policies.unwrap_or_default().into_iter().filter(|one| !one.aws_managed));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                break;
            }
        }
        let mut all = Vec::new();
        for summary in listed {
            let (id, name) = (summary.id.unwrap_or_default(), summary.name.unwrap_or_default());
            let call = self.call("organizations", "DescribePolicy", &self.home, &scope);
            let request = client.describe_policy().policy_id(&id).send().boxed();
            let policy = recorded(&*self.sink, call, request).await?.policy;
            let content = policy
                .and_then(|policy| policy.content)
                .ok_or_else(|| odd("DescribePolicy", "the answer has no content"))?;
            all.push(ServiceControl { id, name, content });
        }
        Ok(all)
    }

    /// ListTargetsForPolicy: the ids of the root, the OUs and the accounts that a policy is attached to.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn targets_of(&self, policy: &str, scope: &CallScope) -> Result<Vec<String>, CallError> {
        let (mut all, mut page) = (Vec::new(), None);
        loop {
            let call = self.call("organizations", "ListTargetsForPolicy", &self.home, scope);
            let request = self.organizations.list_targets_for_policy().policy_id(policy);
            let request = request.set_next_token(page).send().boxed();
            let answer = recorded(&*self.sink, call, request).await?;
            all.extend(answer.targets.unwrap_or_default().into_iter().filter_map(|target| target.target_id));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(all);
            }
        }
    }

    /// DescribeResourcePolicy: what the organization delegates, as JSON; none when it delegates nothing. A delegated
    /// administrator of any service may ask (AWS Organizations API Reference, "DescribeResourcePolicy").
    ///
    /// # Errors
    /// As the call's.
    pub async fn delegation(&self) -> Result<Option<String>, CallError> {
        let scope = CallScope::default();
        let call = self.call("organizations", "DescribeResourcePolicy", &self.home, &scope);
        let request = self.organizations.describe_resource_policy().send().boxed();
        match recorded(&*self.sink, call, request).await {
            Ok(answer) => Ok(answer.resource_policy.and_then(|policy| policy.content)),
            Err(error) if error.code.as_deref() == Some("ResourcePolicyNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// ListPoliciesForTarget: the number of service control policies that are attached to an account itself.
    ///
    /// # Errors
    /// As the call's.
    pub async fn controls_on(&self, account: &AccountId) -> Result<usize, CallError> {
        let scope = CallScope::default();
        let (mut number, mut page) = (0, None);
        loop {
            let call = self.call("organizations", "ListPoliciesForTarget", &self.home, &scope);
            let request = self.organizations.list_policies_for_target().target_id(account.as_str());
            let request = request.filter(PolicyType::ServiceControlPolicy).set_next_token(page);
            let answer = recorded(&*self.sink, call, request.send().boxed()).await?;
            number += answer.policies.unwrap_or_default().len();
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(number);
            }
        }
    }

    /// The accounts in an OU and in those below it.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn accounts_below(&self, ou: &str) -> Result<BTreeSet<AccountId>, CallError> {
        let (mut accounts, mut open) = (BTreeSet::new(), vec![ou.to_owned()]);
        while let Some(parent) = open.pop() {
            accounts.extend(self.accounts_in(&parent).await?);
            open.extend(self.units_in(&parent).await?);
        }
        Ok(accounts)
    }

    async fn accounts_in(&self, ou: &str) -> Result<Vec<AccountId>, CallError> {
        let scope = CallScope::default();
        let (mut all, mut page) = (Vec::new(), None);
        loop {
            let call = self.call("organizations", "ListAccountsForParent", &self.home, &scope);
            let request = self.organizations.list_accounts_for_parent().parent_id(ou).set_next_token(page);
            let answer = recorded(&*self.sink, call, request.send().boxed()).await?;
            let ids = answer.accounts.unwrap_or_default().into_iter().filter_map(|account| account.id);
            all.extend(ids.filter_map(|id| id.parse().ok()));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(all);
            }
        }
    }

    async fn units_in(&self, ou: &str) -> Result<Vec<String>, CallError> {
        let scope = CallScope::default();
        let (mut all, mut page) = (Vec::new(), None);
        loop {
            let call = self.call("organizations", "ListOrganizationalUnitsForParent", &self.home, &scope);
            let request = self.organizations.list_organizational_units_for_parent().parent_id(ou);
            let request = request.set_next_token(page).send().boxed();
            let answer = recorded(&*self.sink, call, request).await?;
            let units = answer.organizational_units.unwrap_or_default();
            all.extend(units.into_iter().filter_map(|unit| unit.id));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(all);
            }
        }
    }
}
