//! What stolen credentials made elsewhere, by CloudTrail: each thing is named, with its call and its time.

use crate::scene::{HOME, SHOP, Scene, python};
use crate::thief::Thief;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const KEYS: &str = "mode = \"enforce\"\ncloudtrail = true\n";

/// A role that trusts `web`.
fn trusts_web(scene: &Scene, role: &str) {
    let web = format!("arn:aws:iam::{SHOP}:role/web");
    Thief::operator(scene, SHOP).trust(role, |trust| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": web}, "Action": "sts:AssumeRole"});
        trust["Statement"].as_array_mut().expect("statements").push(statement);
    });
}

/// The adversary at work for so many seconds, which also goes on into the role `deploy`.
fn adversary(scene: &Scene, session: &Value, seconds: &str) {
    let (credentials, log) = (session.to_string(), scene.path("thief.jsonl").display().to_string());
    let deploy = format!("arn:aws:iam::{SHOP}:role/deploy");
    let done = Command::new(python())
        .args(["-m", "adversary", "--endpoint", scene.endpoint(), "--credentials", &credentials])
        .args(["--account", SHOP, "--region", HOME, "--seed", "7", "--for", seconds, "--log", &log])
        .args(["--chain", &deploy])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator"))
        .status()
        .expect("the adversary runs");
    assert!(done.success(), "{done}");
}

/// The name of what the adversary says that it made, of this kind.
fn logged(scene: &Scene, kind: &str) -> String {
    let text = std::fs::read_to_string(scene.path("thief.jsonl")).expect("a log");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let made = lines.into_iter().find(|line| line["event"] == "made" && line["what"] == kind);
    made.expect("made")["name"].as_str().expect("a name").to_owned()
}

fn offspring(scene: &Scene, finding: &str) -> Vec<Value> {
    let shown = scene.rescind(&["show", finding, "-o", "json"]).code(0).json_document();
    shown["offspring"].as_array().expect("a list").clone()
}

/// The names of what was made, of this kind.
fn named(made: &[Value], kind: &str) -> BTreeSet<String> {
    let of_kind = made.iter().filter(|one| one["kind"] == kind);
    of_kind.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn what_a_thief_made_elsewhere_is_named() {
    let scene = Scene::new();
    scene.configure(KEYS);
    scene.watch();
    for role in ["web", "deploy"] {
        scene.role(SHOP, role);
        trusts_web(&scene, role);
    }
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    adversary(&scene, &session, "4");
    let finding = scene.report(SHOP, "web", &session, json!({}));
    scene.poll();
    let made = offspring(&scene, &finding);

    // What it says that it made, and what is there.
    let operator = Thief::operator(&scene, SHOP);
    let (role, user) = (logged(&scene, "role"), logged(&scene, "user"));
    assert!(!operator.role_policies(&role).is_empty(), "{role}");
    let new: BTreeSet<String> = [("role", &role), ("user", &user)]
        .map(|(kind, name)| format!("arn:aws:iam::{SHOP}:{kind}/{name}"))
        .into_iter()
        .collect();
    let entities: BTreeSet<String> = &named(&made, "role") | &named(&made, "user");
    assert_eq!(entities, new, "{made:?}");
    let keys: BTreeSet<&str> = made
        .iter()
        .filter(|one| one["kind"] == "access_key")
        .filter_map(|one| one["access_key"].as_str())
        .collect();
    let there = operator.access_keys(&user);
    assert_eq!(keys, there.iter().map(|(key, _)| key.as_str()).collect(), "{made:?}");
    // Its own role again, the one that it went on into, and the one that it made.
    let sessions: BTreeSet<String> = ["web", "deploy", &role]
        .map(|role| format!("arn:aws:sts::{SHOP}:assumed-role/{role}/app"))
        .into_iter()
        .collect();
    assert_eq!(named(&made, "session"), sessions, "{made:?}");
    for one in &made {
        let has = |field: &str| one[field].as_str().is_some_and(|text| !text.is_empty());
        assert!(has("call") && has("at") && has("by") && has("event") && has("source_ip"), "{one}");
    }
    let text = scene.rescind(&["show", &finding]).code(0).says("Made elsewhere");
    for name in &new {
        assert!(text.out.contains(name), "{name} in\n{}", text.out);
    }
    // What is known is not recorded again.
    scene.rescind(&["recheck"]).code(0);
    assert_eq!(scene.entries_of("offspring").len(), 1);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
}

/// A rightful session of the role has made something as well: its key is another.
#[test]
fn what_others_made_is_not_named() {
    let scene = Scene::new();
    scene.configure(KEYS);
    scene.watch();
    scene.role(SHOP, "web");
    trusts_web(&scene, "web");
    let stolen = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let rightful = scene.thief(&scene.session(SHOP, "web", "i-0bbbbbbbbbbbbbbbb"));
    rightful.assume(&format!("arn:aws:iam::{SHOP}:role/web")).expect("assumed");
    scene.thief(&stolen).is_allowed();
    let finding = scene.report(SHOP, "web", &stolen, json!({}));
    scene.poll();
    assert_eq!(offspring(&scene, &finding), [Value::Null; 0]);
    assert!(scene.entries_of("offspring").is_empty());
}
