//! The hub's calls to AWS Organizations, as a delegated administrator may make them.

use super::hub::Hub;
use super::record::recorded;
use crate::ident::AccountId;
use crate::org::{Account, AccountState, Placement};
use crate::remediation::{CallError, CallScope, ErrorKind};
use aws_sdk_organizations::types::ParentType;
use futures::FutureExt;
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Hub {
    /// All accounts of the organization, and which one manages it.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn organization(&self) -> Result<(Vec<Account>, AccountId), CallError> {
        let client = &self.organizations;
        let scope = CallScope::default();
        let call = self.call("organizations", "DescribeOrganization", &self.home, &scope);
        let answer = recorded(&*self.sink, call, client.describe_organization().send().boxed()).await?;
        let organization = answer.organization;
        if let Some(id) = organization.as_ref().and_then(|o| o.id.clone()) {
            self.organization.get_or_init(|| id);
        }
        let management = organization
            .and_then(|o| o.master_account_id)
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| odd("DescribeOrganization", "the answer names no management account"))?;
        let mut accounts = Vec::new();
        let mut page = None;
        loop {
            let call = self.call("organizations", "ListAccounts", &self.home, &scope);
            let request = client.list_accounts().set_next_token(page).send().boxed();
            let answer = recorded(&*self.sink, call, request).await?;
            for account in answer.accounts.unwrap_or_default() {
                let id = account.id().unwrap_or_default();
                let id = id.parse().map_err(|error| odd("ListAccounts", &format!("{error}")))?;
                // `Status` was retired on 2026-09-09 in favour of `State`.
                let state = account.state().map(|s| s.as_str().to_owned());
                #[allow(deprecated)]
                let state = state.or_else(|| account.status().map(|s| s.as_str().to_owned()));
                accounts.push(Account {
                    id,
                    name: account.name().unwrap_or_default().to_owned(),
                    state: AccountState::from(state.unwrap_or_default()),
                });
            }
            // A page can be empty and still have a token.
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok((accounts, management));
            }
        }
    }

    /// The delegated administrators of the organization, whatever for.
    ///
    /// # Errors
    /// As the call's.
    pub async fn delegated_administrators(&self) -> Result<Vec<AccountId>, CallError> {
        self.administrators(None).await
    }

    /// The delegated administrators for a service: `guardduty.amazonaws.com`.
    ///
    /// # Errors
    /// As the call's.
    pub async fn administrators_of(&self, service: &str) -> Result<Vec<AccountId>, CallError> {
        self.administrators(Some(service)).await
    }

    async fn administrators(&self, service: Option<&str>) -> Result<Vec<AccountId>, CallError> {
        let client = &self.organizations;
        let scope = CallScope::default();
        let (mut all, mut page) = (Vec::new(), None);
        loop {
            let call = self.call("organizations", "ListDelegatedAdministrators", &self.home, &scope);
            let request = client
                .list_delegated_administrators()
                .set_service_principal(service.map(str::to_owned))
                .set_next_token(page)
                .send()
                .boxed();
            let answer = recorded(&*self.sink, call, request).await?;
            let ids =
                answer.delegated_administrators.unwrap_or_default().into_iter().filter_map(|admin| admin.id);
            all.extend(ids.filter_map(|id| id.parse().ok()));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(all);
            }
        }
    }

    /// The tags of an account; and the OUs that it is in, up to the root, where they are asked for.
    ///
    /// # Errors
    /// As the calls'.
    pub async fn placement(&self, account: &AccountId, with_ous: bool) -> Result<Placement, CallError> {
        let ous = async { if with_ous { self.ous(account).await.map(Some) } else { Ok(None) } };
        // To its end also when the other fails: its calls are recorded with what came of them.
        let (ous, tags) = futures::join!(ous, self.tags(account));
        Ok(Placement { ous: ous?, tags: tags?, read_at: Timestamp::now(), earlier: Vec::new() })
    }

    async fn ous(&self, account: &AccountId) -> Result<Vec<String>, CallError> {
        let client = &self.organizations;
        let scope = CallScope::default();
        let mut ous = Vec::new();
        let mut child = account.to_string();
        // OUs nest five deep; the root is above them.
        for _ in 0..7 {
            let call = self.call("organizations", "ListParents", &self.home, &scope);
            let request = client.list_parents().child_id(&child).send().boxed();
            let parent =
                recorded(&*self.sink, call, request).await?.parents.unwrap_or_default().into_iter().next();
            let Some((id, is_root)) = parent.and_then(|p| Some((p.id?, p.r#type? == ParentType::Root)))
            else {
                return Err(odd("ListParents", "the answer names no parent"));
            };
            ous.push(id.clone());
            if is_root {
                break;
            }
            child = id;
        }
        Ok(ous)
    }

    async fn tags(&self, account: &AccountId) -> Result<BTreeMap<String, String>, CallError> {
        let client = &self.organizations;
        let scope = CallScope::default();
        let (mut tags, mut page) = (BTreeMap::new(), None);
        loop {
            let call = self.call("organizations", "ListTagsForResource", &self.home, &scope);
            let request = client.list_tags_for_resource().resource_id(account.as_str()).set_next_token(page);
            let answer = recorded(&*self.sink, call, request.send().boxed()).await?;
            tags.extend(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(tags);
            }
        }
    }
}

pub(super) fn odd(operation: &'static str, message: &str) -> CallError {
    CallError {
        service: "organizations",
        operation,
        kind: ErrorKind::Unavailable,
        code: None,
        message: message.to_owned(),
    }
}
