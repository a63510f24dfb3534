//! Somebody with AWS credentials who makes calls with them: the thief, mostly.

use crate::scene::Scene;
use aws_sdk_iam as iam;
use aws_sdk_sts as sts;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

pub struct Thief {
    runtime: tokio::runtime::Runtime,
    config: aws_config::SdkConfig,
}

/// What AWS answers.
pub type Answer = Result<(), String>;

fn answer<O, E: ProvideErrorMetadata, R>(
    result: Result<O, aws_smithy_runtime_api::client::result::SdkError<E, R>>,
) -> Answer {
    result.map(|_| ()).map_err(|error| {
        let answer = error.as_service_error().expect("an answer from AWS");
        answer.code().expect("a code").to_owned()
    })
}

impl Thief {
    pub fn new(endpoint: &str, region: &'static str, credentials: &Value) -> Self {
        let text = |key: &str| credentials[key].as_str().map(str::to_owned);
        let provider = iam::config::Credentials::new(
            text("access_key_id").expect("a key"),
            text("secret_access_key").expect("a secret"),
            text("session_token"),
            None,
            "test",
        );
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::from_static(region))
            .endpoint_url(endpoint)
            .credentials_provider(iam::config::SharedCredentialsProvider::new(provider))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, config }
    }

    /// An account's operator: long-term keys that the emulator lets do anything.
    pub fn operator(scene: &Scene, account: &str) -> Self {
        Self::new(scene.endpoint(), scene.setting.regions[0], &scene.operators[account])
    }

    /// A session of a role, by this name: the thief's way on.
    pub fn session_of(&self, role_arn: &str, name: &str) -> Value {
        self.session_for(role_arn, name, 3600)
    }

    /// The same, for as short as STS allows.
    pub fn short_session_of(&self, role_arn: &str, name: &str) -> Value {
        self.session_for(role_arn, name, 900)
    }

    fn session_for(&self, role_arn: &str, name: &str, seconds: i32) -> Value {
        let sts = sts::Client::new(&self.config);
        let request = sts.assume_role().role_arn(role_arn).role_session_name(name);
        let request = request.duration_seconds(seconds).send();
        let answer = self.runtime.block_on(request).expect("allowed");
        let credentials = answer.credentials().expect("credentials");
        let user = answer.assumed_role_user().expect("a session");
        serde_json::json!({
            "principal_id": user.assumed_role_id(),
            "access_key_id": credentials.access_key_id(),
            "secret_access_key": credentials.secret_access_key(),
            "session_token": credentials.session_token(),
        })
    }

    /// Activates or deactivates a user's access key.
    pub fn set_key(&self, user: &str, key: &str, is_active: bool) {
        let status =
            if is_active { iam::types::StatusType::Active } else { iam::types::StatusType::Inactive };
        let iam = iam::Client::new(&self.config);
        let request = iam.update_access_key().user_name(user).access_key_id(key).status(status).send();
        self.runtime.block_on(request).expect("allowed");
    }

    /// A new access key of a user.
    pub fn key_of(&self, user: &str) -> Value {
        let iam = iam::Client::new(&self.config);
        let answer = self.runtime.block_on(iam.create_access_key().user_name(user).send()).expect("allowed");
        let key = answer.access_key().expect("a key");
        serde_json::json!({"access_key_id": key.access_key_id(), "secret_access_key": key.secret_access_key()})
    }

    /// A call that needs a permission.
    pub fn list_users(&self) -> Answer {
        let iam = iam::Client::new(&self.config);
        answer(self.runtime.block_on(iam.list_users().send()))
    }

    /// The thief's way into other roles.
    pub fn assume(&self, role_arn: &str) -> Answer {
        let sts = sts::Client::new(&self.config);
        answer(self.runtime.block_on(sts.assume_role().role_arn(role_arn).role_session_name("chain").send()))
    }

    #[track_caller]
    pub fn is_allowed(&self) {
        assert_eq!(self.list_users(), Ok(()));
    }

    #[track_caller]
    pub fn is_denied(&self) {
        assert_eq!(self.list_users(), Err("AccessDenied".to_owned()));
    }

    pub fn role_policy(&self, role: &str, policy: &str) -> Option<String> {
        let iam = iam::Client::new(&self.config);
        let request = iam.get_role_policy().role_name(role).policy_name(policy).send();
        let answer = self.runtime.block_on(request).ok()?;
        let text = percent_encoding::percent_decode_str(answer.policy_document()).decode_utf8();
        Some(text.expect("UTF-8").into_owned())
    }

    pub fn tag_role(&self, role: &str, key: &str, value: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        let tag = iam::types::Tag::builder().key(key).value(value).build().expect("whole");
        answer(self.runtime.block_on(iam.tag_role().role_name(role).tags(tag).send()))
    }

    pub fn tag_user(&self, user: &str, key: &str, value: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        let tag = iam::types::Tag::builder().key(key).value(value).build().expect("whole");
        answer(self.runtime.block_on(iam.tag_user().user_name(user).tags(tag).send()))
    }

    pub fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        let request = iam.put_role_policy().role_name(role).policy_name(policy).policy_document(document);
        answer(self.runtime.block_on(request.send()))
    }

    pub fn delete_role_policy(&self, role: &str, policy: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        answer(self.runtime.block_on(iam.delete_role_policy().role_name(role).policy_name(policy).send()))
    }

    pub fn attach_role_policy(&self, role: &str, arn: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        answer(self.runtime.block_on(iam.attach_role_policy().role_name(role).policy_arn(arn).send()))
    }

    pub fn detach_role_policy(&self, role: &str, arn: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        answer(self.runtime.block_on(iam.detach_role_policy().role_name(role).policy_arn(arn).send()))
    }

    /// Makes a managed policy say this.
    pub fn detach_user_policy(&self, user: &str, arn: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        answer(self.runtime.block_on(iam.detach_user_policy().user_name(user).policy_arn(arn).send()))
    }

    pub fn create_policy_version(&self, arn: &str, document: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        let request = iam.create_policy_version().policy_arn(arn).policy_document(document);
        answer(self.runtime.block_on(request.set_as_default(true).send()))
    }

    pub fn delete_managed_policy(&self, arn: &str) {
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(iam.delete_policy().policy_arn(arn).send()).expect("deleted");
    }

    /// The ARNs of the managed policies that are attached to a role or a user.
    pub fn attached_policies(&self, name: &str, is_user: bool) -> Vec<String> {
        let iam = iam::Client::new(&self.config);
        let listed = self.runtime.block_on(async {
            if is_user {
                let listed = iam.list_attached_user_policies().user_name(name).send().await;
                listed.expect("listed").attached_policies.unwrap_or_default()
            } else {
                let listed = iam.list_attached_role_policies().role_name(name).send().await;
                listed.expect("listed").attached_policies.unwrap_or_default()
            }
        });
        listed.into_iter().filter_map(|one| one.policy_arn).collect()
    }

    /// Deletes a managed policy.
    pub fn delete_policy(&self, arn: &str) {
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(iam.delete_policy().policy_arn(arn).send()).expect("deleted");
    }

    /// A role that principals of this account may assume.
    pub fn create_role(&self, name: &str, trusted: &str) {
        let iam = iam::Client::new(&self.config);
        let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{trusted}:root")}, "Action": "sts:AssumeRole"}]});
        let request = iam.create_role().role_name(name).assume_role_policy_document(trust.to_string());
        self.runtime.block_on(request.send()).expect("made");
    }

    pub fn create_user(&self, name: &str) {
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(iam.create_user().user_name(name).send()).expect("made");
    }

    /// Deletes a role that was made by the scene, with all that hangs on it.
    pub fn delete_role(&self, role: &str) {
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(async {
            let profile = iam.remove_role_from_instance_profile().instance_profile_name(role).role_name(role);
            profile.send().await.expect("removed from its profile");
            iam.delete_instance_profile().instance_profile_name(role).send().await.expect("profile deleted");
            for policy in
                iam.list_role_policies().role_name(role).send().await.expect("listed").policy_names()
            {
                let delete = iam.delete_role_policy().role_name(role).policy_name(policy);
                delete.send().await.expect("policy deleted");
            }
            iam.delete_role().role_name(role).send().await.expect("role deleted");
        });
    }

    /// Changes who may assume a role.
    pub fn trust(&self, role: &str, change: impl FnOnce(&mut Value)) {
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(async {
            let there = iam.get_role().role_name(role).send().await.expect("a role").role.expect("a role");
            let text = there.assume_role_policy_document.expect("a trust policy");
            let text = percent_encoding::percent_decode_str(&text).decode_utf8().expect("UTF-8");
            let mut trust = serde_json::from_str(&text).expect("JSON");
            change(&mut trust);
            let update = iam.update_assume_role_policy().role_name(role).policy_document(trust.to_string());
            update.send().await.expect("changed");
        });
    }

    /// The names of a role's inline policies.
    pub fn role_policies(&self, role: &str) -> Vec<String> {
        let iam = iam::Client::new(&self.config);
        let answer = self.runtime.block_on(iam.list_role_policies().role_name(role).send());
        answer.expect("listed").policy_names
    }

    /// Whether there is such a role.
    pub fn has_role(&self, role: &str) -> bool {
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(iam.get_role().role_name(role).send()).is_ok()
    }

    pub fn user_policy(&self, user: &str, policy: &str) -> Option<String> {
        let iam = iam::Client::new(&self.config);
        let request = iam.get_user_policy().user_name(user).policy_name(policy).send();
        let answer = self.runtime.block_on(request).ok()?;
        let text = percent_encoding::percent_decode_str(answer.policy_document()).decode_utf8();
        Some(text.expect("UTF-8").into_owned())
    }

    pub fn put_user_policy(&self, user: &str, policy: &str, document: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        let request = iam.put_user_policy().user_name(user).policy_name(policy).policy_document(document);
        answer(self.runtime.block_on(request.send()))
    }

    pub fn delete_user_policy(&self, user: &str, policy: &str) -> Answer {
        let iam = iam::Client::new(&self.config);
        answer(self.runtime.block_on(iam.delete_user_policy().user_name(user).policy_name(policy).send()))
    }

    /// The access keys of a user, each with whether it is active.
    pub fn access_keys(&self, user: &str) -> Vec<(String, bool)> {
        let iam = iam::Client::new(&self.config);
        let answer = self.runtime.block_on(iam.list_access_keys().user_name(user).send()).expect("listed");
        let of = |key: &iam::types::AccessKeyMetadata| {
            let id = key.access_key_id().expect("an id").to_owned();
            (id, key.status() == Some(&iam::types::StatusType::Active))
        };
        answer.access_key_metadata().iter().map(of).collect()
    }

    pub fn set_access_key(&self, user: &str, key: &str, active: bool) -> Answer {
        let iam = iam::Client::new(&self.config);
        let status = if active { iam::types::StatusType::Active } else { iam::types::StatusType::Inactive };
        let request = iam.update_access_key().user_name(user).access_key_id(key).status(status);
        answer(self.runtime.block_on(request.send()))
    }

    pub fn delete_access_key(&self, user: &str, key: &str) {
        let iam = iam::Client::new(&self.config);
        let request = iam.delete_access_key().user_name(user).access_key_id(key).send();
        self.runtime.block_on(request).expect("key deleted");
    }

    /// Deletes a user that was made by the scene, with all that hangs on it.
    pub fn delete_user(&self, user: &str) {
        let keys = self.access_keys(user);
        let iam = iam::Client::new(&self.config);
        self.runtime.block_on(async {
            for (key, _) in &keys {
                iam.delete_access_key().user_name(user).access_key_id(key).send().await.expect("key deleted");
            }
            let policies = iam.list_user_policies().user_name(user).send().await.expect("listed");
            for policy in policies.policy_names() {
                let delete = iam.delete_user_policy().user_name(user).policy_name(policy);
                delete.send().await.expect("policy deleted");
            }
            iam.delete_user().user_name(user).send().await.expect("user deleted");
        });
    }

    /// Tags an account, as the organization's management account may.
    pub fn tag_account(&self, account: &str, key: &str, value: &str) {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let tag = aws_sdk_organizations::types::Tag::builder().key(key).value(value).build().expect("a tag");
        let request = organizations.tag_resource().resource_id(account).tags(tag).send();
        self.runtime.block_on(request).expect("tagged");
    }

    /// What an account or OU is in, as Organizations answers its management account.
    pub fn parent_of(&self, child: &str) -> String {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let answer = self.runtime.block_on(organizations.list_parents().child_id(child).send());
        let parents = answer.expect("an answer").parents.expect("parents");
        parents[0].id().expect("an id").to_owned()
    }

    /// The organization's id.
    pub fn organization_id(&self) -> String {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let answer = self.runtime.block_on(organizations.describe_organization().send());
        answer.expect("an answer").organization.and_then(|one| one.id).expect("an id")
    }

    /// The root of the organization.
    pub fn root_id(&self) -> String {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let answer = self.runtime.block_on(organizations.list_roots().send()).expect("an answer");
        answer.roots.unwrap_or_default().remove(0).id.expect("an id")
    }

    /// What contains an account.
    pub fn parent_id(&self, child: &str) -> String {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let answer = self.runtime.block_on(organizations.list_parents().child_id(child).send());
        answer.expect("an answer").parents.unwrap_or_default().remove(0).id.expect("an id")
    }

    /// Attaches a service control policy.
    pub fn attach_scp(&self, target: &str, document: &Value) {
        self.attach_scp_named(target, &format!("test-{}-{}", target, document.to_string().len()), document);
    }

    /// The same with a name.
    pub fn attach_scp_named(&self, target: &str, name: &str, document: &Value) {
        use aws_sdk_organizations::types::PolicyType::ServiceControlPolicy;
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        self.runtime.block_on(async {
            let create = organizations.create_policy().name(name).description("test");
            let create = create.r#type(ServiceControlPolicy).content(document.to_string());
            let policy = create.send().await.expect("made").policy.expect("a policy");
            let id = policy.policy_summary.and_then(|summary| summary.id).expect("an id");
            organizations.attach_policy().policy_id(id).target_id(target).send().await.expect("attached");
        });
    }

    /// The names of the service control policies of the organization.
    pub fn scp_names(&self) -> Vec<String> {
        use aws_sdk_organizations::types::PolicyType::ServiceControlPolicy;
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let listed = organizations.list_policies().filter(ServiceControlPolicy);
        let pages = listed.into_paginator().send().collect::<Result<Vec<_>, _>>();
        let pages = self.runtime.block_on(pages).expect("listed").into_iter();
        pages.flat_map(|page| page.policies.unwrap_or_default()).filter_map(|one| one.name).collect()
    }

    /// The service control policies that are attached to an account: their names and what they say.
    pub fn attached_scps(&self, account: &str) -> Vec<(String, String)> {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let each = self.attached_ids(account).into_iter().map(|(name, id)| {
            let policy = self.runtime.block_on(organizations.describe_policy().policy_id(id).send());
            (name, policy.expect("read").policy.and_then(|one| one.content).expect("a text"))
        });
        each.collect()
    }

    fn attached_ids(&self, account: &str) -> Vec<(String, String)> {
        use aws_sdk_organizations::types::PolicyType::ServiceControlPolicy;
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let listed = organizations.list_policies_for_target().target_id(account).filter(ServiceControlPolicy);
        let pages = listed.into_paginator().send().collect::<Result<Vec<_>, _>>();
        let pages = self.runtime.block_on(pages).expect("listed").into_iter();
        let all = pages.flat_map(|page| page.policies.unwrap_or_default());
        all.map(|one| (one.name.unwrap_or_default(), one.id.unwrap_or_default())).collect()
    }

    fn attached_id(&self, account: &str, name: &str) -> String {
        let found = self.attached_ids(account).into_iter().find(|(there, _)| there == name);
        found.expect("attached").1
    }

    /// Takes a service control policy from an account, and deletes it.
    pub fn remove_scp(&self, account: &str, name: &str) {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let id = self.attached_id(account, name);
        self.runtime.block_on(async {
            organizations.detach_policy().policy_id(&id).target_id(account).send().await.expect("detached");
            organizations.delete_policy().policy_id(&id).send().await.expect("deleted");
        });
    }

    /// Changes what a service control policy says.
    pub fn update_scp(&self, account: &str, name: &str, document: &Value) {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let id = self.attached_id(account, name);
        let request = organizations.update_policy().policy_id(id).content(document.to_string());
        self.runtime.block_on(request.send()).expect("updated");
    }

    /// Takes back what the organization delegates.
    pub fn delete_resource_policy(&self) {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        self.runtime.block_on(organizations.delete_resource_policy().send()).expect("deleted");
    }

    /// A session of a role under exactly these conditions, as the hub opens it.
    pub fn enter(&self, params: &Value, scene: &Scene) -> Self {
        let sts = sts::Client::new(&self.config);
        let text = |key: &str| params[key].as_str().map(str::to_owned);
        let request = sts
            .assume_role()
            .set_role_arn(text("RoleArn"))
            .set_role_session_name(text("RoleSessionName"))
            .set_external_id(text("ExternalId"))
            .set_source_identity(text("SourceIdentity"))
            .set_policy(text("Policy"))
            .duration_seconds(900);
        let answer = self.runtime.block_on(request.send()).expect("the role can be assumed");
        let credentials = answer.credentials().expect("credentials");
        scene.thief(&serde_json::json!({
            "access_key_id": credentials.access_key_id(),
            "secret_access_key": credentials.secret_access_key(),
            "session_token": credentials.session_token(),
        }))
    }
}
