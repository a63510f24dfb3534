//! A scene: an emulated organization of its own, and the real binary that acts on it.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

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

/// The emulator's process. It ends when this is dropped, so also with a test that dies.
struct Emulator {
    url: String,
    _lifeline: OwnedFd,
}

impl Emulator {
    fn start() -> Self {
        // `make test` has one forked: its imports take half a second.
        let (lifeline, line) = if let Some(server) = std::env::var_os("RESCIND_EMULATORS") {
            let mut connection = UnixStream::connect(server).expect("the fork server");
            let line = first_line(&mut connection);
            (connection.into(), line)
        } else {
            let (mut process, line) = start_python("emulated_org", &["--exit-with-stdin"]);
            (process.stdin.take().expect("piped").into(), line)
        };
        let url = line.trim().strip_prefix("listening on ").expect("the emulator's address").to_owned();
        Self { url, _lifeline: lifeline }
    }
}

/// A process of the emulator's Python, which ends with its standard input, and its first line.
pub fn start_python(module: &str, args: &[&str]) -> (Child, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("RESCIND_EMULATOR_PYTHON")
        .map_or_else(|| root.join("target/emulator-venv/bin/python"), PathBuf::from);
    let mut process = Command::new(&python)
        .args(["-m", module])
        .args(args)
        .current_dir(root.join("tests/emulator"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `make emulator` installs it", python.display()));
    let line = first_line(process.stdout.take().expect("piped"));
    (process, line)
}

fn first_line(said: impl Read) -> String {
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line).expect("its first line");
    line
}

/// What a scene can be told to be.
pub struct Setting {
    pub partition: &'static str,
    pub regions: [&'static str; 2],
    pub detector_regions: Vec<&'static str>,
    /// Regions that the account has not enabled, and those without GuardDuty.
    pub disabled_regions: Vec<&'static str>,
    pub enabled_regions: Vec<&'static str>,
    pub member_policy: Value,
    pub hub_policy: Value,
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
            management_member_role: false,
            role_path: "",
            budget: "account_per_hour = 1000\norganization_per_hour = 1000\nroles_percent = 100\n",
        }
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

/// What a run of the binary gave.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn new(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Asserts that standard output or standard error says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.out.contains(text) || self.err.contains(text);
        assert!(said, "wanted: {text}\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json_document(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON")
    }

    /// Standard output as JSON lines.
    pub fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
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
                "member_trust": policy("member-role-trust.json"),
                "hub_policy": scene.setting.hub_policy,
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
        let (keys, tables) = head.split_at(head.find("[[").unwrap_or(head.len()));
        let Setting { budget, role_path, .. } = &self.setting;
        let regions = if keys.contains("regions = ") {
            String::new()
        } else {
            format!("regions = [\"{home}\", \"{other}\"]\n")
        };
        // Many services run at once here.
        let listen = if keys.contains("listen = ") { "" } else { "listen = \"\"\n" };
        let more_tables = &self.more_tables;
        let text = format!(
            "{keys}{listen}{regions}{tables}{more_tables}[budget]\n{budget}[member]\nrole = \"{role_path}RescindRemediation\"\nexternal_id = \"{EXTERNAL_ID}\"\n"
        );
        std::fs::write(self.path("rescind.toml"), text).expect("written");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn endpoint(&self) -> &str {
        &self.emulator.url
    }

    // --- the control interface

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
        response.body_mut().read_json().expect("JSON")
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

    // --- the binary

    /// The real binary, with the hub's credentials and nothing else of this machine.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescind"));
        command
            .args(args)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ENDPOINT_URL", self.endpoint())
            .env("AWS_ACCESS_KEY_ID", self.hub["access_key_id"].as_str().expect("a key"))
            .env("AWS_SECRET_ACCESS_KEY", self.hub["secret_access_key"].as_str().expect("a secret"))
            .env("AWS_SESSION_TOKEN", self.hub["session_token"].as_str().expect("a token"))
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// The same, but that it reaches AWS through a proxy.
    pub fn command_through(&self, proxy: &crate::proxy::Proxy, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env("AWS_ENDPOINT_URL", proxy.url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn rescind(&self, args: &[&str]) -> Ran {
        Ran::new(&self.command(args).output().expect("the binary runs"))
    }

    pub fn rescind_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut process = self.spawn(args);
        let mut stdin = process.stdin.take().expect("piped");
        // The binary may refuse before it has read everything.
        let _ = stdin.write_all(input);
        drop(stdin);
        Ran::new(&process.wait_with_output().expect("the binary ends"))
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    /// Starts a poll, and kills it while a call of `operation` is held.
    pub fn kill_at(&self, operation: &str, when: &str) {
        self.hold(operation, when);
        let mut process = self.spawn(&["run", "--once", "--backlog"]);
        self.held(operation);
        process.kill().expect("killed");
        process.wait().expect("dead");
        self.release(operation);
    }

    pub fn finish(process: Child) -> Ran {
        Ran::new(&process.wait_with_output().expect("the binary ends"))
    }

    /// The first poll: from here on the regions are watched.
    pub fn watch(&self) {
        self.rescind(&["run", "--once"]).code(0).says("Nothing new.");
    }

    /// One poll, in which nothing needs a person. It acts on what was there before as well.
    #[track_caller]
    pub fn run_once(&self) -> Ran {
        self.rescind(&["run", "--once", "--backlog"]).code(0)
    }

    // --- the ledger

    /// All entries, as they stand in the file.
    pub fn entries(&self) -> Vec<Value> {
        let connection = rusqlite::Connection::open(self.path("ledger.db")).expect("a ledger");
        let mut statement = connection.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        rows.map(|body| serde_json::from_slice(&body.expect("a body")).expect("JSON")).collect()
    }

    /// How many entries there are by now of which this is so; none when there is no table yet.
    pub fn count(&self, condition: &str) -> usize {
        let connection = rusqlite::Connection::open(self.path("ledger.db")).expect("a file");
        let sql = format!("SELECT count(*) FROM entries WHERE {condition}");
        let count = connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        usize::try_from(count.unwrap_or(0)).expect("a count")
    }

    pub fn entries_of(&self, kind: &str) -> Vec<Value> {
        self.entries().into_iter().filter(|entry| entry["kind"] == kind).collect()
    }

    /// The decision about a finding, the latest one.
    #[track_caller]
    pub fn decision(&self, finding: &str) -> Value {
        let mut decisions = self.entries_of("decision");
        decisions.retain(|entry| entry["finding"] == finding);
        decisions.pop().unwrap_or_else(|| panic!("no decision about {finding}"))["data"].clone()
    }

    /// The kinds of the steps of the only remediation, without the calls.
    #[track_caller]
    pub fn steps(&self) -> Vec<String> {
        let entries = self.entries();
        let mut ids: Vec<&Value> = entries.iter().filter_map(|e| e.get("remediation")).collect();
        ids.sort_by_key(ToString::to_string);
        ids.dedup();
        assert_eq!(ids.len(), 1, "expected one remediation");
        // Those that lead from one state to another.
        let is_step =
            |e: &&Value| e["kind"] != "call" && e["kind"] != "impact" && e.get("remediation").is_some();
        let steps = entries.iter().filter(is_step);
        steps.map(|e| e["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// The text of our policy on a role, as its account's operator sees it.
    pub fn policy_on(&self, account: &str, role: &str) -> Option<Value> {
        let text = crate::thief::Thief::operator(self, account).role_policy(role, POLICY)?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }
}

/// The cutoff that a revoke document sets.
pub fn cutoff(document: &Value) -> &str {
    document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"].as_str().expect("a cutoff")
}
