//! The real binary, as it is run in a scene.

use super::{Ran, Scene};
use serde_json::json;
use std::io::Write;
use std::process::{Child, Command, Stdio};

impl Scene {
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

    /// One poll, which acts on what was there before as well (`-o jsonl`).
    pub fn poll(&self) -> Ran {
        self.rescind(&["run", "--once", "--backlog", "-o", "jsonl"])
    }

    /// One poll, which only observes what was there before the first one (`-o jsonl`).
    pub fn poll_new(&self) -> Ran {
        self.rescind(&["run", "--once", "-o", "jsonl"])
    }

    /// Hands findings in (`-o jsonl`).
    pub fn handle(&self, input: &[u8]) -> Ran {
        self.rescind_with_input(&["handle", "-", "-o", "jsonl"], input)
    }

    /// The first poll: from here on the regions are watched.
    pub fn watch(&self) {
        self.poll_new().code(0).counts(json!({}));
    }

    /// One poll, in which nothing needs a person.
    #[track_caller]
    pub fn run_once(&self) -> Ran {
        self.poll().code(0)
    }
}
