//! What happens in the organization: roles, sessions, findings, faults and messages.

use super::{SECURITY, Scene};
use serde_json::{Value, json};
use std::path::Path;

impl Scene {
    fn url(&self, path: &str) -> String {
        format!("{}/emulator/{path}", self.emulator.url)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let mut response = self.agent.post(self.url(path)).send_json(body).expect("the emulator answers");
        let answer: Value = response.body_mut().read_json().expect("JSON");
        assert!(answer.get("error").is_none(), "{path} {body}: {answer}");
        answer
    }

    /// Like [`Self::post`], with a text that need not be JSON that we could write.
    #[track_caller]
    pub fn post_text(&self, path: &str, body: &str) {
        let request = self.agent.post(self.url(path)).header("content-type", "application/json");
        let status = request.send(body).expect("the emulator answers").status();
        assert_eq!(status, 200, "{path} {body}");
    }

    pub fn get(&self, path: &str) -> Value {
        let mut response = self.agent.get(self.url(path)).call().expect("the emulator answers");
        // A long test makes many calls.
        response.body_mut().with_config().limit(1 << 30).read_json().expect("JSON")
    }

    pub fn delete(&self, path: &str) {
        self.agent.delete(self.url(path)).call().expect("the emulator answers");
    }

    /// A role whose sessions may do everything. Gives its unique id.
    pub fn role(&self, account: &str, name: &str) -> String {
        let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let role = self.post("roles", &json!({"account": account, "name": name, "policy": all}));
        role["role_id"].as_str().expect("an id").to_owned()
    }

    /// A session as EC2 issues it to an instance.
    pub fn session(&self, account: &str, role: &str, instance: &str) -> Value {
        self.post("sessions", &json!({"account": account, "role": role, "session_name": instance}))
    }

    /// GuardDuty reports the session's use from outside. Gives the finding's id.
    pub fn report(&self, account: &str, role: &str, session: &Value, more: Value) -> String {
        let mut body = json!({
            "account": SECURITY, "region": self.setting.regions[0], "member": account, "role": role,
            "principal_id": session["principal_id"], "access_key_id": session["access_key_id"],
        });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let answer = self.post("findings/exfiltration", &body);
        answer["finding_id"].as_str().expect("an id").to_owned()
    }

    /// A role, its stolen session, and the finding about it.
    pub fn theft(&self, account: &str, role: &str) -> (crate::thief::Thief, String) {
        self.role(account, role);
        let session = self.session(account, role, "i-0123456789abcdef0");
        let finding = self.report(account, role, &session, json!({}));
        (self.thief(&session), finding)
    }

    pub fn thief(&self, session: &Value) -> crate::thief::Thief {
        crate::thief::Thief::new(self.endpoint(), self.setting.regions[0], session)
    }

    /// The calls that the emulator has served.
    pub fn calls(&self) -> Vec<Value> {
        self.get("calls")["calls"].as_array().expect("a list").clone()
    }

    pub fn calls_of(&self, operation: &str) -> Vec<Value> {
        self.calls().into_iter().filter(|call| call["operation"] == operation).collect()
    }

    /// The calls that change something.
    pub fn writes(&self) -> usize {
        self.calls().iter().filter(|call| call["write"] == true).count()
    }

    pub fn advance_clock(&self, seconds: i64) {
        self.post("clock", &json!({"advance_seconds": seconds}));
    }

    /// Holds the next call of `operation`: `when` is `before` or `after` it takes effect.
    pub fn hold(&self, operation: &str, when: &str) {
        let fault = json!({"name": operation, "match": {"operation": operation}, "when": when, "action": {"hang": true}});
        self.post("faults", &fault);
    }

    /// Holds each call of `operation` before it takes effect, in every region, until it is released.
    pub fn hold_all(&self, operation: &str) {
        self.fault(operation, json!({"operation": operation}), "before", json!({"hang": true}), 0);
    }

    /// Waits until the call that is to be held has come.
    pub fn held(&self, operation: &str) {
        let answer = self.get(&format!("faults/{operation}/reached?timeout=30"));
        assert_eq!(answer["reached"], true, "{operation} was not called");
    }

    pub fn release(&self, operation: &str) {
        self.delete(&format!("faults/{operation}"));
    }

    /// Arms a fault in the emulator.
    pub fn fault(&self, name: &str, matched: Value, when: &str, action: Value, times: u32) {
        let fault = json!({"name": name, "match": matched, "when": when, "action": action, "times": times});
        self.post("faults", &fault);
    }

    // --- the log

    /// A table of the hub's for logs, which may be used where the setting is [`Setting::with_log`](super::Setting).
    pub fn log_table(&self, name: &str) {
        let table = json!({"account": SECURITY, "region": self.setting.regions[0], "name": name});
        self.post("tables", &table);
    }

    /// Another session of the hub's role, as another host has it. Faults can be of one session, by its access key.
    pub fn host(&self, name: &str) -> Value {
        let session = json!({"account": SECURITY, "role": "RescindHub", "session_name": name});
        self.post("sessions", &session)
    }

    // --- the queue

    /// A queue that the configuration names.
    pub fn queue(&mut self, name: &str) {
        let fifo = Path::new(name).extension().is_some_and(|end| end == "fifo");
        let queue =
            json!({"account": SECURITY, "region": self.setting.regions[0], "name": name, "fifo": fifo});
        let answer = self.post("queues", &queue);
        let url = answer["url"].as_str().expect("a URL");
        self.more_tables = format!("[events]\nqueue = \"{url}\"\n");
        self.configure("mode = \"enforce\"\n");
    }

    /// EventBridge sends a finding to the queue, or something like it.
    pub fn event(&self, queue: &str, finding: &str, more: Value) {
        let mut body = json!({"queue": queue, "account": SECURITY, "region": self.setting.regions[0], "finding_id": finding});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.post("events", &body);
    }

    /// Waits until something is so. Each look is a request to the emulator, so this does not spin.
    #[track_caller]
    pub fn wait(&self, is_so: impl FnMut() -> bool) {
        self.wait_up_to(std::time::Duration::from_mins(1), is_so);
    }

    #[track_caller]
    pub fn wait_up_to(&self, longest: std::time::Duration, mut is_so: impl FnMut() -> bool) {
        let begun = std::time::Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < longest, "it did not become so within {longest:?}");
            self.get("health");
        }
    }

    /// How many messages of a queue can be received, and how many are being worked on.
    pub fn messages(&self, queue: &str) -> (u64, u64) {
        let state = self.get(&format!("queues?name={queue}"));
        (state["visible"].as_u64().expect("a number"), state["in_flight"].as_u64().expect("a number"))
    }
}
