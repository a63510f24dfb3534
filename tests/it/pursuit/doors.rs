//! What a thief left open is listed with the commands that close it, and these work.

use super::contain::{key, scene, spread};
use super::intrusion::{ENFORCE, is_whole_and_keeps_no_secret};
use crate::scene::{HOME, SHOP, Scene, python};
use crate::thief::Thief;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The only incident, as it is now.
fn incident(scene: &Scene) -> Value {
    let all = scene.rescind(&["incident", "list", "-o", "jsonl"]).code(0).json();
    assert_eq!(all.len(), 1, "{all:?}");
    let id = all[0]["incident"].as_str().expect("an id").to_owned();
    scene.rescind(&["incident", "show", &id, "-o", "jsonl"]).code(0).json_document()
}

/// Runs commands of the AWS CLI with the rights of an account's operator; says what each ended with.
fn run(scene: &Scene, commands: &str) -> Vec<(String, i64)> {
    let credentials = scene.operators[SHOP].to_string();
    let mut shell = Command::new(python())
        .args([
            "-m",
            "shell",
            "--endpoint",
            scene.endpoint(),
            "--credentials",
            &credentials,
            "--region",
            HOME,
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the shell runs");
    shell.stdin.take().expect("piped").write_all(commands.as_bytes()).expect("written");
    let out = shell.wait_with_output().expect("it ends").stdout;
    let lines = String::from_utf8(out).expect("UTF-8");
    let done = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    done.map(|one| (one.to_string(), one["status"].as_i64().unwrap_or(-1))).collect()
}

fn commands(doors: &[Value], which: &str) -> String {
    let of_door = |door: &Value| -> Vec<String> {
        let all = door["advice"][which].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    doors.iter().flat_map(of_door).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_commands_of_each_door_work_and_close_it() {
    let scene = scene(ENFORCE);
    let credentials = spread(&scene, &[]);
    scene.poll().code(5);
    let open = incident(&scene);
    assert_eq!(open["state"], "contained", "{open}");
    let doors = open["doors"].as_array().expect("a list").clone();
    for thing in ["access_key", "user", "role", "function"] {
        assert!(doors.iter().any(|door| door["activity"]["thing"] == thing), "{thing} in {doors:?}");
    }
    key(&scene, &credentials).is_allowed();
    for which in ["look", "take_away"] {
        let ran = run(&scene, &commands(&doors, which));
        // The emulator does not serve everything that looks; the CLI took each of these.
        let is_served = |said: &str| !said.contains("EmulatorNotImplemented");
        let failed: Vec<_> = ran.iter().filter(|(said, status)| *status != 0 && is_served(said)).collect();
        assert!(!ran.is_empty() && failed.is_empty(), "{which}: {failed:?}");
    }
    assert!(key(&scene, &credentials).list_users().is_err());
    assert!(!Thief::operator(&scene, SHOP).has_role("app-support-role"));
    // Nothing is open once a person says so.
    let id = open["incident"].as_str().expect("an id");
    let ids: Vec<&str> = doors.iter().filter_map(|door| door["door"].as_str()).collect();
    let done = [&["incident", "done", id][..], &ids, &["--by", "ann", "--reason", "deleted"]].concat();
    scene.rescind(&done).code(0);
    let state = incident(&scene)["state"].clone();
    assert_eq!(state, "closed");
    is_whole_and_keeps_no_secret(&scene);
}
