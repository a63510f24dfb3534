//! The OpenID providers of `tests/oidc`.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The secret of rescind at each of them.
pub const SECRET: &str = "SECRET-OF-THE-CLIENT";

/// A provider, until it is dropped.
pub struct Provider {
    process: Child,
    pub issuer: String,
    options: Value,
}

impl Provider {
    /// None where there is no node: then nothing can be tested.
    pub fn start(program: &str, rescind: &str, options: &Value) -> Option<Self> {
        let directory = installed()?;
        let mut all = json!({"rescind": rescind, "secret": SECRET});
        let more = options.as_object().expect("options").clone();
        all.as_object_mut().expect("options").extend(more);
        let mut process = Command::new("node")
            .args([program, &all.to_string()])
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("its address");
        let issuer = line.trim().strip_prefix("listening on ").expect("its address").to_owned();
        Some(Self { process, issuer, options: options.clone() })
    }

    /// Starts it again at the same address, with other options.
    pub fn restart(&mut self, program: &str, rescind: &str, more: &Value) {
        self.stop();
        let mut options = self.options.clone();
        let port: u16 = self.issuer.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let all = options.as_object_mut().expect("options");
        all.insert("port".to_owned(), json!(port));
        all.extend(more.as_object().expect("options").clone());
        *self = Self::start(program, rescind, &options).expect("it was there before");
    }

    /// Changes who there is, or what is wrong.
    pub fn control(&self, what: &Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        agent.post(format!("{}/control", self.issuer)).send_json(what).expect("it answers");
    }

    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the providers are, after npm has installed exactly what the lock file names: once, whoever comes first.
#[allow(clippy::print_stderr)] // as the Makefile says what is not run
fn installed() -> Option<PathBuf> {
    for program in ["node", "npm"] {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("NOT RUN: there is no {program}, which the OpenID provider needs");
            return None;
        }
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
    let lock = File::open(directory.join("package-lock.json")).expect("the lock file");
    lock.lock().expect("one test installs it");
    let wanted = std::fs::read(directory.join("package-lock.json")).expect("the lock file");
    let stamp = directory.join("node_modules/.of-lock-file");
    if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&directory)
            .output()
            .expect("npm runs");
        assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
        std::fs::write(stamp, wanted).expect("a file");
    }
    Some(directory)
}
