//! Exports that appear in a folder, and long inputs.

use crate::log;
use crate::scene::{BANK, SECURITY, SHOP, Scene};
use crate::watching::Watching;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;

fn scene() -> Scene {
    let mut scene = Scene::new();
    std::fs::create_dir_all(scene.path("exports/AWSLogs/2026")).expect("made");
    scene.more_tables.push_str("[folder]\npath = \"exports\"\n");
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\n");
    scene.watch();
    scene
}

/// How the folder is doing, as the service says.
fn folder(scene: &Scene) -> Value {
    scene.rescind(&["status", "-o", "jsonl"]).json_document()["live"]["folder"].clone()
}

/// The findings of the hub's detector, as an export has them.
fn export(scene: &Scene, ids: &[&str]) -> Vec<Value> {
    let name = format!("dump-{}", ids.join("-").len());
    scene.post("queues", &json!({"account": SECURITY, "region": "eu-central-1", "name": name}));
    ids.iter()
        .map(|id| {
            scene.event(&name, id, json!({"wrap": "raw"}));
            let state = scene.get(&format!("queues?name={name}"));
            let messages = state["messages"].as_array().expect("messages");
            serde_json::from_str(messages.last().expect("one")["body"].as_str().expect("text")).expect("JSON")
        })
        .collect()
}

fn lines(findings: &[Value]) -> String {
    findings.iter().map(|finding| finding.to_string() + "\n").collect::<Vec<_>>().concat()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("finished")
}

#[test]
fn an_export_that_appears_is_read_once_and_confirmed() {
    let scene = scene();
    let mut service = Watching::start(&scene, &[]).polled(2);
    scene.wait(|| !folder(&scene).is_null());
    let (web, first) = scene.theft(SHOP, "web");
    let (api, second) = scene.theft(BANK, "api");
    let mut findings = export(&scene, &[&first, &second]);
    // And one that nobody but the file knows of.
    let mut forged = findings[0].clone();
    forged["id"] = json!("00000000000000000000000000000000");
    forged["accountId"] = json!(BANK);
    findings.push(forged);
    let text = format!("{}not a finding\n", lines(&findings));
    std::fs::write(scene.path("exports/AWSLogs/2026/a.jsonl.gz"), gzipped(&text)).expect("written");
    service.until(log::EXPORT_READ);
    scene.wait(|| scene.entries_of("proof").len() == 2);
    web.is_denied();
    api.is_denied();
    assert_eq!(scene.entries_of("unconfirmed").len(), 1);
    assert_eq!(scene.entries_of("undecodable").len(), 1);
    let read = &scene.entries_of("file_read")[0]["data"];
    assert_eq!((&read["file"], &read["findings"]), (&json!("AWSLogs/2026/a.jsonl.gz"), &json!(4)));
    // The same file under another name, also after a restart.
    service.stop();
    let asked = scene.calls_of("GetFindings").len();
    std::fs::copy(scene.path("exports/AWSLogs/2026/a.jsonl.gz"), scene.path("exports/b.jsonl.gz"))
        .expect("copied");
    let mut service = Watching::start(&scene, &[]);
    let (thief, third) = scene.theft(SHOP, "batch");
    std::fs::write(scene.path("exports/c.json"), export(&scene, &[&third])[0].to_string()).expect("written");
    service.until(log::EXPORT_READ);
    scene.wait(|| scene.entries_of("proof").len() == 3);
    thief.is_denied();
    assert_eq!(scene.entries_of("file_read").len(), 2);
    assert!(scene.calls_of("GetFindings").len() <= asked + 3);
    scene.rescind(&["list", "--decisions"]).code(0).says("unconfirmed");
}

#[test]
fn a_folder_that_is_not_there_is_reported_once() {
    let scene = scene();
    std::fs::remove_dir_all(scene.path("exports")).expect("removed");
    let mut service = Watching::start(&scene, &[]);
    service.until(log::FOLDER_UNREAD);
    scene.wait(|| folder(&scene)["failures"].as_u64() > Some(1));
    assert_eq!(scene.entries_of("feed_failed").len(), 1);
    // And when it is there, it is read.
    std::fs::create_dir_all(scene.path("exports")).expect("made");
    let (thief, finding) = scene.theft(SHOP, "web");
    std::fs::write(scene.path("exports/a.json"), export(&scene, &[&finding])[0].to_string())
        .expect("written");
    service.until(log::REVOKED);
    thief.is_denied();
}

#[test]
fn a_file_that_is_too_long_or_all_forged_keeps_no_other_from_being_read() {
    let scene = scene();
    let (thief, finding) = scene.theft(SHOP, "web");
    let one = export(&scene, &[&finding]).remove(0);
    // Terabytes of nothing, four times: as many as are read at once.
    for name in ["a.json", "b.json", "c.jsonl", "d.json"] {
        let file = std::fs::File::create(scene.path("exports").join(name)).expect("made");
        file.set_len(1 << 40).expect("sparse");
    }
    let mut forged = String::new();
    for number in 0..2000 {
        let mut other = one.clone();
        other["id"] = json!(format!("{number:032}"));
        forged += &(other.to_string() + "\n");
    }
    std::fs::write(scene.path("exports/e.jsonl.gz"), gzipped(&forged)).expect("written");
    std::fs::write(scene.path("exports/z.json"), one.to_string()).expect("written");
    let mut service = Watching::start(&scene, &[]);
    service.until(log::REVOKED);
    thief.is_denied();
    let read = |name: &str| scene.entries_of("file_read").iter().any(|entry| entry["data"]["file"] == name);
    scene.wait(|| read("e.jsonl.gz") && read("z.json"));
    let unconfirmed = scene.entries_of("unconfirmed").len();
    assert!((100..200).contains(&unconfirmed), "{unconfirmed}");
    let refused = scene.entries_of("undecodable");
    assert_eq!(refused.len(), 5, "{refused:?}");
    let why = |entry: &Value| entry["data"]["undecodable"]["error"].as_str().expect("a text").to_owned();
    let why: BTreeSet<String> = refused.iter().map(why).collect();
    insta::assert_snapshot!(Vec::from_iter(why).join("\n"), @"
    1048576 MiB: a file of more than 256 MiB is not read; split it
    more than 100 items that are no findings of GuardDuty's: the rest of the file is not read
    ");
    let alerts = scene.entries_of("alert");
    assert!(alerts.iter().any(|alert| alert["data"]["code"] == "file_refused"), "{alerts:?}");
    // What is refused does not wait.
    scene.wait(|| folder(&scene)["waits_since"].is_null());
}

#[test]
fn a_file_that_waits_is_reported() {
    let scene = scene();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\nraise_after = \"1s\"\n");
    let service = Watching::start(&scene, &[]);
    // It goes on being written, so that it is never read.
    let mut text = String::new();
    let mut write = || {
        text += "{}\n";
        std::fs::write(scene.path("exports/a.jsonl"), &text).expect("written");
    };
    scene.wait(|| {
        write();
        !folder(&scene)["waits_since"].is_null()
    });
    scene.wait(|| {
        write();
        scene.entries_of("alert").iter().any(|alert| alert["data"]["code"] == "folder_late")
    });
    drop(service);
}

#[test]
fn a_long_input_is_worked_off_while_it_is_read() {
    let scene = Scene::new();
    let (thief, finding) = scene.theft(SHOP, "web");
    let one = export(&scene, &[&finding]).remove(0);
    // Five thousand old ones, of which one is broken, and the theft behind them.
    let mut text = String::new();
    for number in 0..5000 {
        let mut old = one.clone();
        old["id"] = json!(format!("{number:032}"));
        old["service"]["eventLastSeen"] = json!("2026-01-01T00:00:00.000Z");
        text += &(if number == 2500 { "{\"id\":".to_owned() } else { old.to_string() } + "\n");
    }
    text += &(one.to_string() + "\n");
    std::fs::write(scene.path("long.jsonl.gz"), gzipped(&text)).expect("written");
    let ran = scene.rescind(&["handle", "long.jsonl.gz", "-o", "jsonl"]).code(5);
    ran.counts(json!({"revoked": 1, "skipped": 4999, "undecodable": 1}));
    let broken = &scene.entries_of("undecodable")[0]["data"]["undecodable"];
    assert!(broken["path"].as_str().is_some_and(|path| path.starts_with("line 2501")), "{broken}");
    thief.is_denied();
}
