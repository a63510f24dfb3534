//! What a scene is made of, and the policies that the project ships.

use super::{HOME, OTHER, SECURITY};
use serde_json::Value;
use std::path::Path;

/// How a scene is to be set.
pub struct Setting {
    pub partition: &'static str,
    pub regions: [&'static str; 2],
    pub detector_regions: Vec<&'static str>,
    /// Regions that the account has not enabled, and those without GuardDuty.
    pub disabled_regions: Vec<&'static str>,
    pub enabled_regions: Vec<&'static str>,
    pub member_policy: Value,
    pub hub_policy: Value,
    /// The organization's resource policy, which delegates; null for none.
    pub delegation_policy: Value,
    pub management_member_role: bool,
    pub role_path: &'static str,
    /// The `[budget]` of the configuration. Most tests are about something else.
    pub budget: &'static str,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            partition: "aws",
            regions: [HOME, OTHER],
            detector_regions: vec![HOME, OTHER],
            disabled_regions: Vec::new(),
            enabled_regions: Vec::new(),
            member_policy: policy("member-role-permissions.json"),
            hub_policy: policy("hub-role-permissions.json"),
            delegation_policy: Value::Null,
            management_member_role: false,
            role_path: "",
            budget: "account_per_hour = 1000\norganization_per_hour = 1000\nroles_percent = 100\n",
        }
    }
}

impl Setting {
    /// The same, where the remediation role may change users as well.
    pub fn with_users(mut self) -> Self {
        let more = policy("member-role-users.json")["Statement"].clone();
        let statements = self.member_policy["Statement"].as_array_mut().expect("statements");
        statements.extend(more.as_array().expect("statements").clone());
        self
    }

    /// The same, where the hub's role may sign with the KMS keys of its account.
    pub fn with_signing_keys(mut self) -> Self {
        let keys = format!("arn:aws:kms:{HOME}:{SECURITY}:key/*");
        let more = policy("hub-role-kms.json").to_string().replace("${SIGNING_KEY_ARN}", &keys);
        let more: Value = serde_json::from_str(&more).expect("JSON");
        let statements = self.hub_policy["Statement"].as_array_mut().expect("statements");
        statements.extend(more["Statement"].as_array().expect("statements").clone());
        self
    }

    /// The same, where the hub's role may keep its log in this table.
    pub fn with_log(self, table: &str) -> Self {
        self.with_more("hub-role-log.json", "${LOG_TABLE}", table)
    }

    /// The same, where the hub's role may put checkpoints into this bucket.
    pub fn with_witness(self, bucket: &str) -> Self {
        self.with_more("hub-role-witness.json", "${WITNESS_BUCKET}", bucket)
    }

    /// The same, where the hub's role has another document as well, in which a place has this value.
    fn with_more(mut self, document: &str, place: &str, value: &str) -> Self {
        let more = policy(document).to_string().replace(place, value);
        let more: Value = serde_json::from_str(&more).expect("JSON");
        let statements = self.hub_policy["Statement"].as_array_mut().expect("statements");
        statements.extend(more["Statement"].as_array().expect("statements").clone());
        self
    }
}

/// A document of the project's own `policies/`.
pub fn policy(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a policy")).expect("JSON")
}

/// The remediation role's permissions, as they are in an account.
pub fn member_policy() -> Value {
    let text = policy("member-role-permissions.json").to_string();
    serde_json::from_str(&text.replace("${MEMBER_ROLE}", "RescindRemediation")).expect("JSON")
}
