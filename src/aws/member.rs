//! A session in a member account, limited to one role.

use super::clock::AwsClock;
use super::hub::Hub;
use super::record::{Call, Observer, recorded};
use super::trail_pace::TrailPace;
use crate::ident::{AccountId, Partition, Region, RoleId, RoleName};
use crate::remediation::{CallError, CallScope, CallSink, ErrorKind};
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam as iam;
use aws_sdk_sts::types::Credentials as StsCredentials;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

/// A session in a member account.
#[derive(Debug)]
pub struct MemberSession {
    /// For other clients with the session's credentials: the hub's connections, retries and
    /// endpoints. An [`Observer`] is still to be added.
    pub(super) config: SdkConfig,
    pub(super) iam: iam::Client,
    pub(super) sink: Arc<dyn CallSink>,
    pub(super) account: AccountId,
    pub(super) region: Region,
    /// The organization's id, once a call of the hub's has returned it.
    pub(super) organization: Arc<OnceLock<String>>,
    pub(super) trail_pace: Arc<TrailPace>,
    scope: CallScope,
    access_key_id: String,
    clock: AwsClock,
    /// AWS's time when the session was opened: in whole seconds, as AWS gives it; and more finely, with the
    /// moment at which it was so.
    opened: (Timestamp, Timestamp, Instant),
}

/// A role, as GetRole describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// The role's ARN, with its path.
    pub arn: String,
    /// The role's path: `/` or `/a/b/`.
    pub path: String,
    pub id: RoleId,
    /// Who may assume it: the trust policy, as JSON. None when AWS gave none.
    pub trust: Option<String>,
    /// How long a session may last that is asked for now (MaxSessionDuration).
    pub max_session: SignedDuration,
    pub tags: BTreeMap<String, String>,
}

impl RoleFacts {
    /// Duration of a session when nobody set MaxSessionDuration (IAM API Reference, CreateRole).
    pub const DEFAULT_SESSION: SignedDuration = SignedDuration::from_hours(1);
}

impl MemberSession {
    /// Duration of rescind's own sessions, in seconds: the minimum that STS allows.
    pub(super) const SECONDS: i32 = 900;

    pub(super) fn new(
        hub: &Hub,
        account: AccountId,
        credentials: &StsCredentials,
        scope: CallScope,
    ) -> Result<Self, CallError> {
        let expiration = SystemTime::try_from(*credentials.expiration()).ok();
        let expires = expiration.and_then(|t| Timestamp::try_from(t).ok()).ok_or_else(|| CallError {
            service: "sts",
            operation: "AssumeRole",
            kind: ErrorKind::Unavailable,
            code: None,
            message: "the answer has an impossible expiration".to_owned(),
        })?;
        // A session lives exactly as long as was asked for, so this is AWS's own clock.
        let second = expires - SignedDuration::from_secs(Self::SECONDS.into());
        let aws_now = hub.clock().now_given(second);
        let provider = Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            expiration,
            "rescind-member",
        );
        let config =
            hub.config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        let iam = iam::config::Builder::from(&config).interceptor(Observer::default()).build();
        Ok(Self {
            config,
            iam: iam::Client::from_conf(iam),
            sink: Arc::clone(&hub.sink),
            account,
            region: hub.home.clone(),
            organization: Arc::clone(&hub.organization),
            trail_pace: Arc::clone(&hub.trail_pace),
            scope,
            access_key_id: credentials.access_key_id().to_owned(),
            clock: hub.clock().clone(),
            opened: (second, aws_now, Instant::now()),
        })
    }

    /// The account that it is in.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The organization's id, once a call of the hub's has returned it.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.organization.get().map(String::as_str)
    }

    /// Its access key's id, which is no secret.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// When it was opened, by AWS's clock, in whole seconds.
    #[must_use]
    pub fn opened_at(&self) -> Timestamp {
        self.opened.0
    }

    /// The time by AWS's clock: that of the session's opening, and what has passed since.
    #[must_use]
    pub fn aws_now(&self) -> Timestamp {
        let (_, at, since) = self.opened;
        at.checked_add(since.elapsed()).unwrap_or(Timestamp::MAX)
    }

    /// The ARN of a role in the session's account, as if it had no path: only AWS knows that.
    #[must_use]
    pub fn role_arn(&self, role: &RoleName) -> String {
        Partition::of_region(&self.region).role_arn(&self.account, role.as_str())
    }

    /// A call of IAM.
    pub(super) fn call(&self, operation: &'static str) -> Call<'_> {
        self.call_in(&self.region, "iam", operation)
    }

    /// A call of a service in a region.
    pub(super) fn call_in<'a>(
        &'a self,
        region: &'a Region,
        service: &'static str,
        operation: &'static str,
    ) -> Call<'a> {
        let (account, scope, clock) = (Some(&self.account), &self.scope, &self.clock);
        Call { service, operation, account, region, scope, clock }
    }

    /// GetRole.
    ///
    /// # Errors
    /// As the call's: `NotFound` when there is no such role.
    pub async fn role(&self, name: &RoleName) -> Result<RoleFacts, CallError> {
        let request = self.iam.get_role().role_name(name.as_str()).send().boxed();
        let answer = recorded(&*self.sink, self.call("GetRole"), request).await?;
        let role = answer.role.ok_or_else(|| odd("GetRole", "the answer has no role"))?;
        let id = role.role_id().parse().map_err(|error| odd("GetRole", &format!("{error}")))?;
        // Not worth an error: a role is revoked whoever may assume it.
        let trust = role
            .assume_role_policy_document
            .map(|text| percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned());
        let max_session = role
            .max_session_duration
            .map_or(RoleFacts::DEFAULT_SESSION, |seconds| SignedDuration::from_secs(seconds.into()));
        let tags = tags(role.tags);
        Ok(RoleFacts { arn: role.arn, path: role.path, id, trust, max_session, tags })
    }

    /// GetRolePolicy: the text of an inline policy; none when there is none of that name.
    ///
    /// # Errors
    /// As the call's. A missing role looks like a missing policy: ask [`Self::role`] too.
    pub async fn role_policy(&self, role: &RoleName, policy: &str) -> Result<Option<String>, CallError> {
        let request = self.iam.get_role_policy().role_name(role.as_str()).policy_name(policy).send().boxed();
        match recorded(&*self.sink, self.call("GetRolePolicy"), request).await {
            Ok(answer) => decoded("GetRolePolicy", &answer.policy_document).map(Some),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// PutRolePolicy: writes the whole inline policy, whether it was there or not.
    ///
    /// # Errors
    /// As the call's.
    pub async fn put_role_policy(
        &self,
        role: &RoleName,
        policy: &str,
        document: &str,
    ) -> Result<(), CallError> {
        let request = self
            .iam
            .put_role_policy()
            .role_name(role.as_str())
            .policy_name(policy)
            .policy_document(document)
            .send()
            .boxed();
        recorded(&*self.sink, self.call("PutRolePolicy"), request).await.map(|_| ())
    }

    /// DeleteRolePolicy. What is not there is no error.
    ///
    /// # Errors
    /// As the call's.
    pub async fn delete_role_policy(&self, role: &RoleName, policy: &str) -> Result<(), CallError> {
        let request =
            self.iam.delete_role_policy().role_name(role.as_str()).policy_name(policy).send().boxed();
        match recorded(&*self.sink, self.call("DeleteRolePolicy"), request).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// GetAccountSummary: how many roles the account has.
    ///
    /// # Errors
    /// As the call's.
    pub async fn role_count(&self) -> Result<usize, CallError> {
        let request = self.iam.get_account_summary().send().boxed();
        let answer = recorded(&*self.sink, self.call("GetAccountSummary"), request).await?;
        let roles = answer.summary_map.unwrap_or_default().get(&iam::types::SummaryKeyType::Roles).copied();
        roles
            .and_then(|roles| usize::try_from(roles).ok())
            .ok_or_else(|| odd("GetAccountSummary", "the answer does not say how many roles there are"))
    }
}

/// The tags of a role or user, by key. IAM compares keys without case; who sets one spells it as it was.
pub(super) fn tags(tags: Option<Vec<iam::types::Tag>>) -> BTreeMap<String, String> {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// An answer of IAM that cannot be used.
pub(super) fn odd(operation: &'static str, message: &str) -> CallError {
    CallError {
        service: "iam",
        operation,
        kind: ErrorKind::Unavailable,
        code: None,
        message: message.to_owned(),
    }
}

/// IAM returns documents URL-encoded (RFC 3986), and the SDK does not decode them.
pub(super) fn decoded(operation: &'static str, document: &str) -> Result<String, CallError> {
    percent_encoding::percent_decode_str(document)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| odd(operation, "the policy document is not UTF-8"))
}
