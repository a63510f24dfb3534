//! The way out of a company's network: proxies and certificates that the environment names.

use crate::scene::{Ran, SHOP, Scene, start_python};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command};
use tempfile::TempDir;

/// A name that only the proxy can lead anywhere.
const AWS: &str = "https://aws.rescind.test";

/// A proxy, and AWS behind a private CA (`tests/emulator/company_network`).
pub struct Network {
    process: Child,
    directory: TempDir,
    proxy: String,
    tls: u64,
}

impl Network {
    pub fn before(scene: &Scene) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let upstream = scene.endpoint().rsplit_once(':').expect("a port").1;
        let path = directory.path().to_str().expect("UTF-8");
        let (process, line) = start_python("company_network", &["--upstream", upstream, "--directory", path]);
        let started: Value = serde_json::from_str(&line).expect("JSON");
        let proxy = started["proxy"].as_str().expect("an address").to_owned();
        Self { process, directory, proxy, tls: started["tls"].as_u64().expect("a port") }
    }

    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The certificate of `localhost` that the CA has signed, with its key.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("server.pem")
    }

    /// AWS, when nobody stands between.
    fn direct(&self) -> String {
        format!("https://localhost:{}", self.tls)
    }

    /// What the proxy was asked for.
    fn asked(&self) -> Vec<String> {
        let asked = std::fs::read_to_string(self.directory.path().join("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ran(command: &mut Command) -> Ran {
    Ran::new(&command.output().expect("the binary runs"))
}

/// A poll that finds nothing, with another AWS than the scene's.
fn poll(scene: &Scene, endpoint: &str) -> Command {
    let mut command = scene.command(&["run", "--once", "-o", "jsonl"]);
    command.env("AWS_ENDPOINT_URL", endpoint);
    command
}

#[test]
fn every_call_goes_through_the_proxy_and_trusts_the_bundle() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    let through = |command: &mut Command, name: &str| {
        let proxy = network.proxy.replace("://", "://user:pass%20word@");
        ran(command.env(name, proxy).env("AWS_CA_BUNDLE", network.ca()))
    };
    through(&mut poll(&scene, AWS), "HTTPS_PROXY").code(0).counts(json!({}));
    // The hub's own calls, and those of a session in a member account.
    let (thief, finding) = scene.theft(SHOP, "web");
    let mut act = scene.command(&["run", "--once", "--backlog"]);
    let acted = through(act.env("AWS_ENDPOINT_URL", AWS), "https_proxy").code(0);
    assert!(!acted.err.contains("pass"), "{}", acted.err);
    assert_eq!(scene.decision(&finding)["verdict"], "remediate");
    scene.advance_clock(31);
    thief.is_denied();
    let asked = network.asked();
    // base64 of user:pass word
    let line = "CONNECT aws.rescind.test:443 HTTP/1.1 proxy-authorization: Basic dXNlcjpwYXNzIHdvcmQ=";
    assert!(asked.len() > 1 && asked.iter().all(|asked| asked.eq_ignore_ascii_case(line)), "{asked:#?}");
}

#[test]
fn an_endpoint_without_tls_has_its_own_proxy() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    ran(poll(&scene, "http://aws.rescind.test:8080").env("HTTP_PROXY", &network.proxy))
        .code(0)
        .counts(json!({}));
    let asked = network.asked();
    assert!(asked.iter().any(|line| line.starts_with("POST http://aws.rescind.test:8080/")), "{asked:#?}");
}

#[test]
fn no_proxy_means_none() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    let mut command = poll(&scene, &network.direct());
    command.env("AWS_CA_BUNDLE", network.ca()).env("ALL_PROXY", &network.proxy);
    ran(command.env("NO_PROXY", "example.com, localhost")).code(0).counts(json!({}));
    assert_eq!(network.asked(), Vec::<String>::new());
}

/// The calls that are made without a client of AWS's own, and those of sessions in member accounts.
#[test]
fn calls_that_rescind_signs_itself_take_the_same_way() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    let (_, _) = scene.theft(SHOP, "web");
    scene.run_once();
    let id =
        scene.rescind(&["list", "-o", "jsonl"]).json()[0]["remediation"].as_str().expect("an id").to_owned();
    // Security Hub is not enabled here: it is asked, and refuses.
    for (args, operation, code) in [
        (&["impact", &id][..], "DescribeInstances", 0),
        (&["report", "push-securityhub"], "BatchImportFindings", 5),
    ] {
        // AWS has a name here that only the proxy can lead anywhere.
        let before = (scene.calls_of(operation).len(), network.asked().len());
        let mut command = scene.command(args);
        command.env("AWS_ENDPOINT_URL", AWS).env("HTTPS_PROXY", &network.proxy);
        ran(command.env("AWS_CA_BUNDLE", network.ca())).code(code);
        assert!(
            scene.calls_of(operation).len() > before.0 && network.asked().len() > before.1,
            "{operation}"
        );
        // And none where none is wanted.
        let before = (scene.calls_of(operation).len(), network.asked().len());
        let mut command = scene.command(args);
        command.env("AWS_ENDPOINT_URL", network.direct()).env("HTTPS_PROXY", &network.proxy);
        ran(command.env("AWS_CA_BUNDLE", network.ca()).env("NO_PROXY", "localhost")).code(code);
        assert!(scene.calls_of(operation).len() > before.0, "{operation}");
        assert_eq!(network.asked().len(), before.1, "{operation}");
    }
}

#[test]
fn no_proxy_means_none_for_members_and_webhooks_as_well() {
    let mut scene = Scene::new();
    let network = Network::before(&scene);
    scene.more_tables =
        format!("[[notify]]\nname = \"hook\"\nwebhook = \"{}/webhook/hook\"\n", scene.endpoint());
    scene.configure("mode = \"enforce\"\n");
    let (thief, _) = scene.theft(SHOP, "web");
    let none = |command: &mut Command| {
        command.env("AWS_ENDPOINT_URL", network.direct()).env("AWS_CA_BUNDLE", network.ca());
        ran(command.env("ALL_PROXY", &network.proxy).env("no_proxy", "127.0.0.1,localhost"))
    };
    none(&mut scene.command(&["run", "--once", "--backlog"])).code(0);
    thief.is_denied();
    let tested = none(&mut scene.command(&["notify", "test", "-o", "jsonl"])).code(0);
    assert_eq!(tested.json()[0]["taken"], true);
    assert_eq!(network.asked(), Vec::<String>::new());
}

#[test]
fn where_credentials_are_given_no_proxy_is_asked() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    let mut command = poll(&scene, AWS);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command.env("ALL_PROXY", &network.proxy).env("AWS_CA_BUNDLE", network.ca());
    command.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x");
    ran(&mut command).code(3);
    let asked = network.asked();
    assert!(!asked.iter().any(|line| line.contains("169.254.")), "{asked:#?}");
}

#[test]
fn only_the_bundle_is_trusted_and_it_must_be_usable() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    let direct = network.direct();
    let other = network.directory.path().join("other.pem");
    let text = scene.path("rescind.toml");
    // The system does not know the CA; nor does a bundle with another one.
    let untrusted = "AWS_CA_BUNDLE";
    ran(poll(&scene, &direct).env("AWS_CA_BUNDLE", "")).code(3).says(untrusted);
    ran(poll(&scene, &direct).env("AWS_CA_BUNDLE", other)).code(3).says(untrusted);
    ran(poll(&scene, &direct).env("AWS_CA_BUNDLE", "/nowhere/ca.pem")).code(3).says("/nowhere/ca.pem");
    ran(poll(&scene, &direct).env("AWS_CA_BUNDLE", &text)).code(3).says(&text.display().to_string());
    assert_eq!(scene.calls_of("GetCallerIdentity").len(), 0);
}

#[test]
fn a_profile_names_its_bundle_and_the_environment_another() {
    let scene = Scene::new();
    let network = Network::before(&scene);
    let text = |key: &str| scene.hub[key].as_str().expect("a text").to_owned();
    let profile = format!(
        "[profile hub]\r\nca_bundle = {}\r\naws_access_key_id = {}\r\naws_secret_access_key = {}\r\naws_session_token = {}\r\n",
        network.ca().display(),
        text("access_key_id"),
        text("secret_access_key"),
        text("session_token")
    );
    let config = scene.path("aws-config");
    let from_profile = || {
        let mut command = poll(&scene, &network.direct());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        command.env("AWS_CONFIG_FILE", &config).env("AWS_PROFILE", "hub");
        command
    };
    // As Windows writes it: with a byte order mark, or in UTF-16.
    let marked = format!("\u{feff}{profile}");
    let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [profile.into_bytes(), marked.into_bytes(), utf16] {
        std::fs::write(&config, bytes).expect("written");
        ran(&mut from_profile()).code(0).counts(json!({}));
    }
    let other = network.directory.path().join("other.pem");
    ran(from_profile().env("AWS_CA_BUNDLE", other)).code(3).says("AWS_CA_BUNDLE");
}

#[test]
fn webhooks_take_the_same_way() {
    let mut scene = Scene::new();
    let network = Network::before(&scene);
    scene.more_tables =
        "[[notify]]\nname = \"hook\"\nwebhook = \"https://hooks.rescind.test/webhook/hook\"\n".to_owned();
    scene.configure("mode = \"enforce\"\n");
    let mut command = scene.command(&["notify", "test", "-o", "jsonl"]);
    command.env("HTTPS_PROXY", &network.proxy).env("AWS_CA_BUNDLE", network.ca());
    let tested = ran(&mut command).code(0);
    assert_eq!(tested.json(), [json!({"channel": "hook", "error": null, "taken": true})]);
    assert_eq!(network.asked(), ["CONNECT hooks.rescind.test:443 HTTP/1.1"]);
}
