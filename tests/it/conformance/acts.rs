//! What is done about a subject: rescind's commands, and how it stands.

use super::subject::Subject;
use crate::scene::Ran;
use serde_json::{Value, json};
use std::process::Stdio;

/// Who answers for it.
pub const SIGNED: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];

impl Subject {
    /// A poll that revokes.
    #[track_caller]
    pub fn revoke(&self) {
        self.is_allowed();
        self.scene.run_once().counts(json!({"revoked": 1}));
        self.is_denied();
    }

    /// The remediation that a finding led to.
    #[track_caller]
    pub fn remediation(&self, finding: &str) -> String {
        let mut decisions = self.scene.entries_of("decision");
        decisions.retain(|entry| entry["finding"] == finding && entry.get("remediation").is_some());
        let decision = decisions.pop().unwrap_or_else(|| panic!("{:?}: no remediation", self.row));
        decision["remediation"].as_str().expect("an id").to_owned()
    }

    pub fn id(&self) -> String {
        self.remediation(&self.finding)
    }

    pub fn state(&self) -> String {
        self.state_of(&self.id())
    }

    pub fn state_of(&self, id: &str) -> String {
        let shown = self.scene.rescind(&["-o", "jsonl", "show", id]).code(0).json();
        shown[0]["remediation"]["state"].as_str().expect("a state").to_owned()
    }

    /// How far it is proved, as `list` says.
    pub fn proof(&self) -> Value {
        let id = self.id();
        let list = self.scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
        let one = list.into_iter().find(|one| one["remediation"] == id.as_str());
        one.unwrap_or_else(|| panic!("{id}"))["proof"].clone()
    }

    pub fn release(&self, more: &[&str]) -> Ran {
        self.release_of(&self.id(), more)
    }

    pub fn release_of(&self, id: &str, more: &[&str]) -> Ran {
        self.scene.rescind(&[&["release", "--yes", id, "-o", "jsonl"][..], &SIGNED[..], more].concat())
    }

    pub fn recheck(&self) -> Ran {
        self.scene.rescind(&["recheck", "-o", "jsonl"])
    }

    /// Rechecks, when nothing is in force.
    #[track_caller]
    pub fn nothing_is_in_force(&self) {
        assert_eq!(self.recheck().code(0).json()[0]["denies_in_force"], 0);
    }

    /// Runs a command and kills it while a call of `operation` is held.
    pub fn kill(&self, args: &[&str], operation: &str, when: &str) {
        self.scene.hold(operation, when);
        let mut command = self.scene.command(args);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        self.scene.held(operation);
        process.kill().expect("killed");
        process.wait().expect("dead");
        self.scene.release(operation);
    }

    pub fn set(&self, switch: &str, value: Value) {
        self.scene.post("switches", &json!({switch: value}));
    }

    /// The ledger's chain and steps are as they should be.
    #[track_caller]
    pub fn ledger_is_whole(&self) {
        self.scene.rescind(&["ledger", "verify"]).code(0);
    }
}
