//! One of several hosts that share a log: a directory of its own, credentials of its own, a process of its own.

use crate::scene::{Ran, SECURITY, Scene, policy};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);

pub const TABLE: &str = "rescind-log";

/// What a host says when it leads, and when it leads no longer.
pub const LEADS: &str = "this host leads from now on";

pub struct Host {
    directory: TempDir,
    endpoint: String,
    credentials: Value,
    /// The region in which it says that it is.
    region: Option<&'static str>,
    process: Option<(Child, Receiver<String>)>,
    /// The library that sets its clock, and by how many seconds it goes ahead.
    clock: Option<(PathBuf, i64)>,
    pub lines: Vec<String>,
}

/// What is seen of a test that fails.
#[expect(clippy::print_stderr, reason = "a long test says what it does")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// A scene with a table for the log, whose hub may use it.
pub fn scene() -> Scene {
    scene_of(crate::scene::Setting::default())
}

/// The same, otherwise set.
pub fn scene_of(setting: crate::scene::Setting) -> Scene {
    let scene = without_table(setting);
    scene.post("tables", &json!({"account": SECURITY, "region": crate::scene::HOME, "name": TABLE}));
    scene
}

/// A scene whose hub may use a table that is not there yet.
fn without_table(mut setting: crate::scene::Setting) -> Scene {
    let text = policy("hub-role-log.json").to_string().replace("${LOG_TABLE}", TABLE);
    let more: Value = serde_json::from_str(&text).expect("JSON");
    let statements = setting.hub_policy["Statement"].as_array_mut().expect("statements");
    statements.extend(more["Statement"].as_array().expect("statements").clone());
    Scene::with(setting)
}

/// The same with a table of two regions that agree like this.
pub fn scene_of_regions(consistency: &str) -> Scene {
    let scene = without_table(crate::scene::Setting::default());
    let (home, other) = (crate::scene::HOME, crate::scene::OTHER);
    let table = json!({"account": SECURITY, "region": home, "name": TABLE, "replicas": [other], "consistency": consistency});
    scene.post("tables", &table);
    scene
}

/// Configures all hosts that are made from here on.
pub fn configure(scene: &Scene, more: &str) {
    configure_log(scene, "", more);
}

/// The same with these keys of the log.
pub fn configure_log(scene: &Scene, keys: &str, more: &str) {
    let boldest = if more.contains("mode = ") { "" } else { "mode = \"enforce\"\n" };
    scene.configure(&format!(
        "{boldest}poll_interval = \"5s\"\nledger = {{ table = \"{TABLE}\", lease = \"4s\"{keys} }}\n{more}"
    ));
}

/// The same, where checkpoints are kept in the bucket of the witness.
pub fn configure_witnessed(scene: &Scene, more: &str) {
    configure(scene, more);
    let path = scene.path("rescind.toml");
    let text = std::fs::read_to_string(&path).expect("a text");
    let witness = format!("lease = \"4s\", witness = {{ bucket = \"{}\" }} }}", crate::scene::WITNESS);
    std::fs::write(path, text.replace("lease = \"4s\" }", &witness)).expect("written");
}

impl Host {
    /// A new host with an empty disk.
    pub fn new(scene: &Scene) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::copy(scene.path("rescind.toml"), directory.path().join("rescind.toml")).expect("copied");
        let role =
            scene.hub["role_arn"].as_str().expect("a role").rsplit('/').next().expect("a name").to_owned();
        let credentials = scene.session(SECURITY, &role, "host");
        let endpoint = scene.endpoint().to_owned();
        Self { directory, endpoint, credentials, region: None, process: None, clock: None, lines: Vec::new() }
    }

    /// The same in a region.
    pub fn in_region(scene: &Scene, region: &'static str) -> Self {
        let mut host = Self::new(scene);
        host.region = Some(region);
        host
    }

    /// Sets its clock so many seconds ahead of the others'.
    pub fn set_clock(&mut self, scene: &Scene, ahead: i64) {
        self.clock = Some((crate::starve::preload(scene), ahead));
    }

    pub fn key(&self) -> &str {
        self.credentials["access_key_id"].as_str().expect("a key")
    }

    /// The credentials of the hub's role that it has.
    pub fn session(&self) -> &Value {
        &self.credentials
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let text = |name: &str| self.credentials[name].as_str().expect("a text").to_owned();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescind"));
        command
            .args(args)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", text("access_key_id"))
            .env("AWS_SECRET_ACCESS_KEY", text("secret_access_key"))
            .env("AWS_SESSION_TOKEN", text("session_token"))
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        if let Some((library, ahead)) = &self.clock {
            command.env("LD_PRELOAD", library).env("RESCIND_CLOCK_AHEAD", ahead.to_string());
        }
        command.envs(self.region.map(|region| ("AWS_REGION", region)));
        command
    }

    pub fn rescind(&self, args: &[&str]) -> Ran {
        Ran::new(&self.command(args).output().expect("the binary runs"))
    }

    /// Starts `rescind run`.
    pub fn run(&mut self) {
        let mut child = self
            .command(&["run", "--log", "debug"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (send, log) = channel();
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        self.process = Some((child, log));
    }

    /// Starts it if it does not run, as a supervisor does: it was killed, or has ended by itself.
    pub fn tend(&mut self) {
        self.hear();
        let ended = self.process.as_mut().map(|(child, _)| child.try_wait().expect("a state"));
        match ended {
            Some(None) => return,
            Some(Some(status)) => say(&format!("a host ended by itself ({status}): {:?}", self.lines.last())),
            None => {}
        }
        self.run();
    }

    /// Reads the log as far as it goes. Nothing may panic.
    pub fn hear(&mut self) {
        let Some((_, log)) = &self.process else { return };
        self.lines.extend(log.try_iter());
        let panicked = self.lines.iter().find(|line| line.contains("panicked at"));
        assert!(panicked.is_none() || std::thread::panicking(), "{panicked:?}");
    }

    /// A disk that is lost. What a host is set up with comes back.
    pub fn wipe(&self) {
        for file in std::fs::read_dir(self.directory.path()).expect("a directory") {
            let file = file.expect("a file");
            if file.file_name() != "rescind.toml" && file.file_name() != "ledger.key" {
                std::fs::remove_file(file.path()).expect("removed");
            }
        }
    }

    /// Starts it, and waits until it leads.
    pub fn lead(&mut self) {
        self.run();
        self.until(LEADS);
    }

    /// Reads the log up to a line with this text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let (_, log) = self.process.as_ref().expect("it runs");
        loop {
            match log.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.lines.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("the log has no {text:?} ({error}):\n{}", self.lines.join("\n")),
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.as_ref().expect("it runs").0.id().to_string();
        let done = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(done.expect("kill runs").success());
    }

    /// As a crash does it.
    pub fn kill(&mut self) {
        if let Some((mut child, _)) = self.process.take() {
            child.kill().expect("killed");
            child.wait().expect("dead");
        }
    }

    /// As systemd and every container runtime does it. Gives the exit code.
    pub fn stop(&mut self) -> i32 {
        self.signal("TERM");
        let (mut child, _) = self.process.take().expect("it runs");
        child.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// The status that it publishes beside its ledger, if it does.
    pub fn live(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.path("ledger.db.live")).ok()?).ok()
    }

    pub fn leads(&self) -> bool {
        self.live().is_some_and(|live| live["log"]["role"] == "leader")
    }

    /// Whether it follows, and has everything of the log that another host leads.
    pub fn follows(&self) -> bool {
        self.live().is_some_and(|live| live["log"]["role"] == "follower" && live["log"]["leader"].is_string())
    }

    /// The entries of its ledger, as they are hashed.
    pub fn bodies(&self) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.path("ledger.db")).expect("a ledger");
        let mut statement = connection.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        rows.map(|row| String::from_utf8(row.expect("a body")).expect("a text")).collect()
    }

    pub fn kinds(&self) -> Vec<String> {
        let kind = |body: &String| serde_json::from_str::<Value>(body).expect("JSON")["kind"].clone();
        self.bodies().iter().map(|body| kind(body).as_str().expect("a kind").to_owned()).collect()
    }

    pub fn remediations(&self) -> Vec<Value> {
        self.rescind(&["list", "-o", "jsonl"]).json()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}
