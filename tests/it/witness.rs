//! Checkpoints are kept in a bucket where nobody can replace them.

use crate::scene::{SHOP, Scene, Setting, WITNESS, WITNESSED};
use crate::watching::Watching;
use serde_json::{Value, json};

const WITNESSES: &str = "the checkpoint stands at the witness";

/// A scene whose checkpoints are witnessed.
fn scene(more: &str) -> Scene {
    let scene = Scene::with_witness(Setting::default());
    scene.configure(&format!("mode = \"enforce\"\n{WITNESSED}{more}"));
    scene
}

/// The roots that the ledger signed, by number of entries.
fn signed(scene: &Scene) -> Vec<(u64, String)> {
    let connection = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    let mut statement = connection.prepare("SELECT note FROM checkpoints ORDER BY size").expect("notes");
    let notes: Vec<String> =
        statement.query_map([], |row| row.get(0)).expect("rows").map(|note| note.expect("a note")).collect();
    notes.iter().map(|note| crate::scene::tree_head(note)).collect()
}

#[test]
fn a_run_puts_its_checkpoint_where_nobody_can_replace_it_and_says_so() {
    let scene = scene("");
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let objects = scene.witness_objects();
    let witnessed = scene.entries_of("witnessed");
    assert_eq!(objects.len(), witnessed.len());
    let (object, entry) = (objects.last().expect("one"), &witnessed.last().expect("one")["data"]);
    let key = object["key"].as_str().expect("a key");
    assert_eq!(entry["object"], format!("s3://{WITNESS}/{key}"));
    assert_eq!(
        key,
        format!("checkpoints/{}/{:020}", scene.log_name(), entry["size"].as_u64().expect("a number"))
    );
    assert_eq!((&entry["found_in_place"], &entry["retained_until"]), (&json!(false), &Value::Null));
    assert_eq!((&object["mode"], &object["versions"]), (&json!("COMPLIANCE"), &json!(1)));
    assert_eq!(object["content_type"], "text/plain; charset=utf-8");
    let signed = signed(&scene);
    assert!(scene.witnessed().iter().all(|one| signed.contains(one)), "{signed:?}");
    // What the witness itself added is signed, and leads to no other object.
    let found = scene.rescind(&["ledger", "verify", "-o", "json"]).json_document();
    assert_eq!(found["signed"], found["entries"]);
    // The call is in the ledger as any other.
    let puts = scene.entries_of("call").into_iter().filter(|call| call["data"]["operation"] == "PutObject");
    assert_eq!(puts.count(), objects.len());
}

#[test]
fn the_configuration_says_how_long_it_is_kept() {
    let scene = Scene::with_witness(Setting::default());
    scene.configure(&format!(
        "ledger = {{ witness = {{ bucket = \"{WITNESS}\", prefix = \"a/b\", retention = \"30d\", retention_mode = \"governance\" }} }}\n"
    ));
    scene.run_once();
    let object = scene.witness_objects().pop().expect("one");
    assert!(object["key"].as_str().expect("a key").starts_with("a/b/rescind/"), "{object}");
    assert_eq!(object["mode"], "GOVERNANCE");
    let entry = scene.entries_of("witnessed").pop().expect("one");
    let time = |value: &Value| value.as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert_eq!(time(&entry["data"]["retained_until"]), time(&object["retained_until"]));
    let kept = time(&object["retained_until"]).duration_since(time(&entry["time"]));
    assert!((kept.as_hours() - 30 * 24).abs() <= 1, "{kept:?}");
}

#[test]
fn nothing_is_put_twice_over_restarts_and_nothing_for_its_own_sake() {
    let scene = scene("");
    for _ in 0..3 {
        scene.run_once();
    }
    let sizes: Vec<u64> = scene.witnessed().into_iter().map(|(size, _)| size).collect();
    let mut unique = sizes.clone();
    unique.dedup();
    assert_eq!(sizes, unique);
    let of = |entry: &Value| entry["data"]["size"].as_u64().expect("a number");
    let recorded: Vec<u64> = scene.entries_of("witnessed").iter().map(of).collect();
    assert_eq!(recorded, sizes);
    assert!(scene.entries_of("witnessed").iter().all(|entry| entry["data"]["found_in_place"] == false));
}

#[test]
fn a_put_whose_answer_is_lost_is_found_in_place() {
    let scene = scene("");
    let lost = json!({"service": "s3", "operation": "PutObject"});
    scene.fault("lost", lost, "after", json!({"disconnect": true}), 1);
    scene.run_once();
    let witnessed = scene.entries_of("witnessed");
    let calls: Vec<Value> =
        scene.entries_of("call").into_iter().filter(|call| call["data"]["service"] == "s3").collect();
    assert_eq!(witnessed.len(), scene.witness_objects().len(), "{calls:?}");
    assert!(witnessed.iter().any(|entry| entry["data"]["found_in_place"] == true));
    assert!(scene.codes("alert").is_empty());
}

#[test]
fn an_outage_holds_nothing_up_and_is_raised_and_mended() {
    let scene = scene("raise_after = \"1s\"\n");
    scene.fault("outage", json!({"service": "s3"}), "before", json!({"disconnect": true}), 0);
    let mut watching = Watching::start(&scene, &[]);
    watching.until("ALERT");
    scene.wait(|| scene.count("kind = 'alert'") > 0);
    assert_eq!(scene.codes("alert"), ["witness_unreachable"]);
    assert!(scene.witness_objects().is_empty());
    let live: Value = serde_json::from_slice(&std::fs::read(scene.path("ledger.db.live")).expect("a status"))
        .expect("JSON");
    assert!(live["witness"]["failures"].as_u64().is_some_and(|failures| failures > 0), "{live}");
    scene.delete("faults/outage");
    watching.until(WITNESSES);
    scene.wait(|| scene.count("kind = 'witnessed'") > 0);
    watching.stop();
    let signed = signed(&scene);
    assert!(scene.witnessed().iter().all(|one| signed.contains(one)));
}

#[test]
fn an_object_that_stands_in_the_place_of_a_checkpoint_is_an_alert_and_both_are_kept() {
    let scene = scene("");
    scene.run_once();
    let log = scene.log_name();
    let before = scene.witness_objects().len();
    let next = scene.entries().len() as u64;
    let keys: Vec<String> = (next..next + 200).map(|size| format!("checkpoints/{log}/{size:020}")).collect();
    scene.forge_objects(&keys, "forged");
    let ran = scene.rescind(&["run", "--once", "-o", "json"]);
    assert_eq!(scene.codes("alert").first().map(String::as_str), Some("witness_differs"), "{}", ran.out);
    let objects = scene.witness_objects();
    let ours = objects.iter().filter(|object| object["text"] != "forged").count();
    assert_eq!(objects.len() - ours, keys.len());
    assert!(ours > before);
    let last = scene.entries_of("witnessed").pop().expect("one");
    let object = last["data"]["object"].as_str().expect("a name").to_owned();
    let forged = format!("{:020}", last["data"]["size"].as_u64().expect("a number"));
    assert!(object.contains(&format!("/{forged}-")), "{object}");
}
