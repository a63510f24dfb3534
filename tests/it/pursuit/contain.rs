//! What a thief made is listed; where `contain` says so it is denied as well, and released like everything else.

use super::intrusion::{ENFORCE, activities, are, is_whole_and_keeps_no_secret, stolen};
use crate::scene::{HOME, SHOP, Scene, Setting, python};
use crate::thief::Thief;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The credentials that the thief ends with, by their names, after he has spread from a stolen session of `web`.
pub fn spread(scene: &Scene, into: &[&str]) -> Value {
    scene.role(SHOP, "web");
    let session = stolen(scene, "203.0.113.77");
    let mut command = Command::new(python());
    command
        .args([
            "-m",
            "adversary.intrusion",
            "--endpoint",
            scene.endpoint(),
            "--credentials",
            &session.to_string(),
        ])
        .args(["--account", SHOP, "--region", HOME, "--outside", "666666666666"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator"));
    for role in into {
        command.args(["--into", role]);
    }
    let done = command.output().expect("the thief runs");
    let out = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(done.status.success(), "{out}\n{}", String::from_utf8_lossy(&done.stderr));
    scene.report(SHOP, "web", &session, json!({}));
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.rev().find(|line| line["event"] == "credentials").expect("the last line")
}

pub fn scene(keys: &str) -> Scene {
    let scene = Scene::with(Setting::default().with_users());
    scene.watch();
    scene.configure(keys);
    scene
}

/// The thief's own key, as he holds it.
pub fn key(scene: &Scene, credentials: &Value) -> Thief {
    let held = credentials.as_object().expect("an object").values();
    let key = held
        .filter(|one| one.is_object())
        .find(|one| one["access_key_id"].as_str().is_some_and(|key| key.starts_with("AKIA")));
    scene.thief(key.expect("a key"))
}

#[test]
fn what_a_thief_made_is_listed_and_left_alone() {
    let scene = scene(ENFORCE);
    let credentials = spread(&scene, &[]);
    scene.poll().code(5);
    key(&scene, &credentials).is_allowed();
    are(&scene, &[["web", "revoked"]]);
    let found = activities(&scene);
    for thing in ["user", "access_key", "role"] {
        assert!(
            found.iter().any(|one| one["thing"] == thing
                && one["meaning"] == "persists"
                && one["error_code"].is_null()),
            "{thing} in {found:?}"
        );
    }
    let alerts = scene.codes("alert");
    assert!(alerts.iter().all(|code| code == "door_found") && !alerts.is_empty(), "{alerts:?}");
    is_whole_and_keeps_no_secret(&scene);
}

#[test]
fn keys_users_and_roles_that_were_made_are_denied_where_a_rule_says_so() {
    let scene = scene(&format!("{ENFORCE}contain = [\"keys\", \"users\", \"roles\"]\n"));
    let credentials = spread(&scene, &[]);
    scene.poll().code(5);
    assert!(key(&scene, &credentials).list_users().is_err());
    let all = scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
    let states: Vec<(&str, &str)> = all
        .iter()
        .map(|one| (one["type"].as_str().unwrap_or_default(), one["state"].as_str().unwrap_or_default()))
        .collect();
    // The user is quarantined, and the key with it.
    for kind in ["UserMade", "RoleMade"] {
        let wanted = format!("rescind:Pursuit/{kind}");
        assert!(states.contains(&(wanted.as_str(), "revoked")), "{kind} in {states:?}");
    }
    // A person was wrong about it: each is released like any other.
    for one in all.iter().filter(|one| one["type"].as_str().is_some_and(|kind| kind.starts_with("rescind:")))
    {
        let id = one["remediation"].as_str().expect("an id");
        scene
            .rescind(&["release", "--yes", id, "--by", "ann", "--reason", "it was ours", "--attached"])
            .code(0);
    }
    scene.run_once();
    key(&scene, &credentials).is_allowed();
    is_whole_and_keeps_no_secret(&scene);
}

#[test]
fn a_key_that_was_made_for_a_rightful_user_is_deactivated() {
    let scene = scene(&format!("{ENFORCE}contain = [\"keys\"]\n"));
    scene.role(SHOP, "web");
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let alice = scene.post("users", &json!({"account": SHOP, "name": "alice", "policy": all}));
    let session = stolen(&scene, "203.0.113.77");
    let made = scene.thief(&session).key_of("alice");
    scene.report(SHOP, "web", &session, json!({}));
    scene.poll().code(5);
    assert!(scene.thief(&made).list_users().is_err());
    scene.thief(&alice["access_keys"][0]).is_allowed();
    let keys = Thief::operator(&scene, SHOP).access_keys("alice");
    let made = made["access_key_id"].as_str().expect("a key");
    assert!(keys.iter().all(|(key, active)| *active == (key != made)), "{keys:?}");
}
