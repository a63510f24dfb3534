//! A scene: an emulated organization of its own, and the real binary that acts on it.

mod binary;
mod control;
mod emulator;
mod ledger;
mod ran;
mod setting;
mod witness;

use emulator::Emulator;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

pub use emulator::{python, start_python};
pub use ledger::cutoff;
pub use ran::Ran;
pub use setting::{Setting, member_policy, policy};
pub use witness::{WITNESS, WITNESSED, tree_head};

pub const SECURITY: &str = "111111111111";
pub const SHOP: &str = "222222222222";
pub const BANK: &str = "333333333333";
pub const CLOSED: &str = "444444444444";
pub const BARE: &str = "555555555555";
pub const MANAGEMENT: &str = "999999999999";

pub const HOME: &str = "eu-central-1";
pub const OTHER: &str = "us-east-1";
pub const POLICY: &str = "RescindRevokeOlderSessions";
pub const EXTERNAL_ID: &str = "0123456789abcdef0123456789abcdef";
/// An emulated organization, a directory with a configuration, and a hub's credentials.
pub struct Scene {
    emulator: Emulator,
    agent: ureq::Agent,
    pub directory: TempDir,
    pub hub: Value,
    pub operators: Value,
    pub setting: Setting,
    /// Tables that stand behind the others in the configuration.
    pub more_tables: String,
}

impl Scene {
    /// An organization with a hub in [`SECURITY`], and a configuration that enforces.
    pub fn new() -> Self {
        Self::with(Setting::default())
    }

    pub fn with(setting: Setting) -> Self {
        let emulator = Emulator::start();
        let agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let mut scene = Self {
            emulator,
            agent,
            directory: tempfile::tempdir().expect("a directory"),
            hub: Value::Null,
            operators: json!({}),
            setting,
            more_tables: String::new(),
        };
        let organization = scene.post(
            "organization",
            &json!({
                "partition": scene.setting.partition,
                "regions": scene.setting.detector_regions,
                "disabled_regions": scene.setting.disabled_regions,
                "enabled_regions": scene.setting.enabled_regions,
                "member_role": "RescindRemediation",
                "member_role_path": format!("/{}", scene.setting.role_path),
                "external_id": EXTERNAL_ID,
                "source_identity": "rescind",
                "member_policy": scene.setting.member_policy,
                "member_managed_policies": {"rescind/Quarantine": policy("quarantine.json")},
                "member_trust": policy("member-role-trust.json"),
                "hub_policy": scene.setting.hub_policy,
                "delegation_policy": scene.setting.delegation_policy,
                "ous": ["Workloads", "Workloads/Production", "Sandbox"],
                "management": {"id": MANAGEMENT, "member_role": scene.setting.management_member_role},
                "accounts": [
                    {"name": "security", "id": SECURITY, "delegated_admin": true},
                    {"name": "shop", "id": SHOP, "ou": "Workloads/Production"},
                    {"name": "bank", "id": BANK, "ou": "Workloads/Production"},
                    {"name": "closed", "id": CLOSED, "ou": "Sandbox", "state": "SUSPENDED"},
                    {"name": "bare", "id": BARE, "ou": "Sandbox", "member_role": false},
                ],
            }),
        );
        scene.hub = organization["hub"].clone();
        for account in organization["accounts"].as_object().expect("accounts").values() {
            scene.operators[account["id"].as_str().expect("an id")] = account.clone();
        }
        scene.operators[MANAGEMENT] = organization["management"].clone();
        scene.configure("mode = \"enforce\"\n");
        scene
    }

    /// Writes `rescind.toml` with these keys, and behind them `[[rules]]`.
    pub fn configure(&self, head: &str) {
        let [home, other] = self.setting.regions;
        // Keys stand before tables, and after the regions there is room for tables.
        let first = if head.starts_with('[') { Some(0) } else { head.find("\n[").map(|at| at + 1) };
        let (keys, tables) = head.split_at(first.unwrap_or(head.len()));
        let Setting { budget, role_path, .. } = &self.setting;
        let regions = if keys.contains("regions = ") {
            String::new()
        } else {
            format!("regions = [\"{home}\", \"{other}\"]\n")
        };
        // Few tests are about the quarantine, and the others' rightful sessions are not to be in it.
        let quarantine = if keys.contains("quarantine = ") { "" } else { "quarantine = \"0s\"\n" };
        // Few tests are about what a thief did elsewhere.
        let cloudtrail = if keys.contains("cloudtrail = ") { "" } else { "cloudtrail = false\n" };
        // Many services run at once here.
        let listen = if keys.contains("listen = ") { "" } else { "listen = \"\"\n" };
        let more_tables = &self.more_tables;
        let text = format!(
            "{keys}{quarantine}{cloudtrail}{listen}{regions}{tables}{more_tables}[budget]\n{budget}[member]\nrole = \"{role_path}RescindRemediation\"\nexternal_id = \"{EXTERNAL_ID}\"\n"
        );
        std::fs::write(self.path("rescind.toml"), text).expect("written");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn endpoint(&self) -> &str {
        &self.emulator.url
    }
}
