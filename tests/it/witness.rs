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
    let found = scene.rescind(&["ledger", "verify", "-o", "jsonl"]).json_document();
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

/// By whoever can write the ledger: nothing after them would ever be witnessed.
#[test]
fn a_checkpoint_and_an_entry_that_claim_more_than_there_is_keep_nothing_from_being_witnessed() {
    let scene = scene("");
    scene.run_once();
    let before = scene.witness_objects().len();
    let insert = "INSERT INTO checkpoints (size, time, note, frontier) VALUES (1000000000, '2026-01-01T00:00:00Z', 'x', x'00')";
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    ledger.execute(insert, []).expect("inserted");
    drop(ledger);
    let event = rescind::remediation::Event::Witnessed {
        size: 1_000_000_000,
        root: String::new(),
        object: String::new(),
        sha256: String::new(),
        found_in_place: false,
        retained_until: None,
        cosignatures: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ledger = rescind::ledger::Ledger::open(&scene.path("ledger.db")).expect("a ledger");
    runtime.block_on(ledger.append(rescind::remediation::Draft::of_service(event))).expect("written");
    ledger.close();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    assert!(scene.witness_objects().len() > before);
    scene.rescind(&["ledger", "checkpoint"]).code(0);
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
    let ran = scene.rescind(&["run", "--once", "-o", "jsonl"]);
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

/// What `ledger verify` found (`-o json`), and its exit code.
fn verified(scene: &Scene, args: &[&str]) -> (i32, Value) {
    let ran = scene.rescind(&[&["ledger", "verify", "-o", "jsonl"], args].concat());
    let found = serde_json::from_str(&ran.out).unwrap_or_else(|_| json!({"error": ran.err}));
    (ran.code, found)
}

/// What is wrong, in one text.
fn problems(found: &Value) -> String {
    let problems = found["problems"].as_array().unwrap_or_else(|| panic!("{found}")).iter();
    problems.map(|one| one["problem"].as_str().expect("a text").to_owned()).collect::<Vec<_>>().join("\n")
}

const AUDITED: [&str; 4] = ["--ledger", "copy.db", "--witness", "s3://example-witness"];

#[test]
fn an_auditor_with_a_file_and_the_bucket_needs_no_configuration() {
    let scene = scene("");
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene.run_once();
    scene.rescind(&["ledger", "backup", "-O", "copy.db"]).code(0);
    let key = scene.rescind(&["ledger", "key", "-o", "jsonl"]).json_document()["public_key"].clone();
    std::fs::remove_file(scene.path("rescind.toml")).expect("removed");
    let key = key.as_str().expect("a key");
    let (code, found) = verified(&scene, &[&AUDITED[..], &["--public-key", key]].concat());
    assert_eq!((code, problems(&found).as_str()), (0, ""));
    let objects = scene.witness_objects().len();
    assert!(objects >= 2);
    assert_eq!(
        (&found["witness"]["objects"], &found["kept_checkpoints"]),
        (&json!(objects), &json!(objects))
    );
    assert_eq!(found["not_verified"], json!([]), "{found}");
    assert_eq!(found["witness"]["latest"], scene.witnessed().last().expect("one").0);
}

#[test]
fn the_configured_witness_is_asked_unless_a_file_is_named() {
    let scene = scene("");
    scene.run_once();
    let (code, found) = verified(&scene, &[]);
    assert_eq!((code, &found["witness"]["objects"]), (0, &json!(scene.witness_objects().len())));
    let (code, found) = verified(&scene, &["--ledger", "ledger.db"]);
    assert_eq!((code, &found["witness"]), (0, &Value::Null));
    // What cannot be asked is not passed over.
    scene.fault("outage", json!({"service": "s3"}), "before", json!({"disconnect": true}), 0);
    assert_eq!(verified(&scene, &[]).0, 3);
    scene.delete("faults/outage");
    let none = ["--ledger", "ledger.db", "--witness", "s3://example-none/"];
    assert_eq!(verified(&scene, &none).0, 3);
    assert_eq!(verified(&scene, &["--ledger", "ledger.db", "--witness", "example-witness"]).0, 2);
}

#[test]
fn a_ledger_whose_end_is_cut_off_does_not_fit_its_witness() {
    let scene = scene("");
    scene.run_once();
    scene.rescind(&["ledger", "backup", "-O", "copy.db"]).code(0);
    assert_eq!(verified(&scene, &AUDITED).0, 0);
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let (code, found) = verified(&scene, &AUDITED);
    assert_eq!(code, 6);
    assert!(problems(&found).contains("the end was cut off: the checkpoint in s3://"), "{found}");
}

#[test]
fn a_ledger_that_was_written_again_with_the_key_does_not_fit_its_witness() {
    let scene = scene("");
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.checkpoint"] {
        let _ = std::fs::remove_file(scene.path(file));
    }
    // By whoever has the key, and does not show the bucket to it.
    scene.configure("mode = \"enforce\"\n");
    for _ in 0..8 {
        scene.rescind(&["run", "--once"]);
    }
    std::fs::rename(scene.path("ledger.db"), scene.path("copy.db")).expect("moved");
    let (code, found) = verified(&scene, &AUDITED);
    assert_eq!(code, 6);
    assert!(problems(&found).contains("do not match the checkpoint in s3://"), "{found}");
    assert!(found["first_bad_entry"].is_number(), "{found}");
}

/// The public key of the scene's ledger.
fn public_key(scene: &Scene) -> String {
    let key = scene.rescind(&["ledger", "key", "-o", "jsonl"]).code(0).json_document();
    key["public_key"].as_str().expect("a key").to_owned()
}

fn not_verified(found: &Value) -> String {
    found["not_verified"].to_string()
}

/// Whoever may put objects can, and nobody can take them away.
#[test]
fn what_is_no_checkpoint_of_the_ledger_is_named_and_says_nothing_of_it() {
    let scene = scene("");
    scene.run_once();
    let log = scene.log_name();
    let junk = [format!("checkpoints/{log}/{:020}", 7), format!("checkpoints/{log}/folder/")];
    scene.forge_objects(&junk, "x");
    // Another log's own is nobody's business.
    scene.forge_objects(&["checkpoints/rescind/other/00000000000000000007".to_owned()], "x");
    let (code, found) = verified(&scene, &[]);
    assert_eq!((code, problems(&found).as_str(), &found["witness"]["foreign"]), (0, "", &json!(2)));
    let named = not_verified(&found);
    assert!(junk.iter().all(|key| named.contains(key)) && !named.contains("rescind/other/"), "{named}");
}

#[test]
fn a_checkpoint_that_nobody_known_signed_counts_until_a_key_is_given() {
    let scene = scene("");
    scene.run_once();
    let note = scene.witness_objects()[0]["text"].as_str().expect("a text").to_owned();
    let (size, _) = crate::scene::tree_head(&note);
    let forged = format!("checkpoints/{}/{:020}", scene.log_name(), size + 1);
    let changed = note.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1);
    scene.forge_objects(std::slice::from_ref(&forged), &changed);
    let (code, found) = verified(&scene, &[]);
    assert_eq!(code, 6);
    assert!(problems(&found).contains(&forged), "{found}");
    let (code, found) = verified(&scene, &["--public-key", &public_key(&scene)]);
    assert_eq!(
        (code, &found["witness"]["foreign_objects"]),
        (0, &json!([format!("s3://{WITNESS}/{forged}")]))
    );
}

/// A ledger that lacks what a checkpoint at the witness covers.
fn cut_off() -> Scene {
    let scene = scene("");
    scene.run_once();
    scene.rescind(&["ledger", "backup", "-O", "copy.db"]).code(0);
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene
}

#[test]
fn what_somebody_put_beside_the_checkpoints_hides_nothing() {
    let scene = cut_off();
    let log = scene.log_name();
    let note = scene.witness_objects()[0]["text"].as_str().expect("a text").to_owned();
    let unsigned: String = note.split_inclusive('\n').take(4).collect();
    let junk: Vec<_> = (0..25).map(|number| format!("checkpoints/{log}/0{number:02}")).collect();
    scene.forge_objects(&junk, &format!("{unsigned}\u{2014} x AAAA\n"));
    let (code, found) = verified(&scene, &AUDITED);
    assert_eq!(code, 6);
    assert!(problems(&found).contains("the end was cut off: the checkpoint in s3://"), "{found}");
}

#[test]
fn a_checkpoint_behind_a_later_version_or_a_marker_is_compared_all_the_same() {
    let scene = cut_off();
    let objects = scene.witness_objects();
    let (first, last) = (&objects[0], objects.last().expect("one"));
    let cover = |text: &Value| {
        let cover = json!([{"key": last["key"], "text": text}]);
        scene.post("buckets/objects", &json!({"bucket": WITNESS, "cover": cover}));
    };
    for text in [&first["text"], &Value::Null] {
        cover(text);
        let (code, found) = verified(&scene, &AUDITED);
        assert_eq!(code, 6);
        assert!(problems(&found).contains("the end was cut off: the checkpoint in s3://"), "{found}");
    }
    // A sound ledger is sound, and who hides things is named.
    let (code, found) = verified(&scene, &[]);
    assert_eq!(
        (code, &found["witness"]["deleted"]),
        (0, &json!([format!("s3://{WITNESS}/{}", last["key"].as_str().expect("a key"))]))
    );
    assert!(not_verified(&found).contains("Somebody deleted 1 object"), "{found}");
}

#[test]
fn objects_that_the_ledger_names_and_that_are_not_there_are_missed() {
    let scene = scene("");
    scene.run_once();
    let keys: Vec<Value> = scene.witness_objects().iter().map(|object| object["key"].clone()).collect();
    scene.post("buckets/objects", &json!({"bucket": WITNESS, "remove": keys}));
    let (code, found) = verified(&scene, &[]);
    assert_eq!(code, 0);
    assert!(not_verified(&found).contains("The ledger says that its checkpoint over"), "{found}");
}

#[test]
fn a_bucket_without_a_checkpoint_of_this_ledger_verifies_nothing_and_says_whose_it_has() {
    let scene = scene("");
    scene.run_once();
    let log = scene.log_name();
    // A new key, and so a new name.
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.checkpoint", "ledger.key"] {
        let _ = std::fs::remove_file(scene.path(file));
    }
    scene.configure("mode = \"enforce\"\n");
    scene.rescind(&["run", "--once"]).code(0);
    std::fs::rename(scene.path("ledger.db"), scene.path("copy.db")).expect("moved");
    let (code, found) = verified(&scene, &AUDITED);
    assert_eq!((code, &found["witness"]["objects"]), (0, &json!(0)));
    assert_eq!(found["witness"]["other_logs"], json!([log]));
    let not_verified = found["not_verified"].to_string();
    assert!(not_verified.contains("has no checkpoint of"), "{not_verified}");
}

#[test]
fn more_checkpoints_than_one_page_are_all_compared() {
    let scene = scene("");
    scene.run_once();
    let log = scene.log_name();
    let keys: Vec<String> = (1..=1100).map(|size| format!("checkpoints/{log}/{size:020}-copy")).collect();
    let note = scene.witness_objects().pop().expect("one")["text"].as_str().expect("a text").to_owned();
    scene.forge_objects(&keys, &note);
    let (code, found) = verified(&scene, &[]);
    assert_eq!((code, &found["kept_checkpoints"]), (0, &json!(scene.witness_objects().len())));
    assert!(scene.witness_objects().len() > 1100);
}

#[test]
fn doctor_looks_at_the_bucket_and_puts_nothing_there() {
    let codes = |scene: &Scene| -> Vec<Value> {
        let found = scene.rescind(&["doctor", "-o", "jsonl"]).json_document();
        let problems = found["problems"].as_array().expect("problems").iter();
        let all = problems.map(|one| one["code"].clone());
        all.filter(|code| code.as_str().is_some_and(|code| code.starts_with("witness_"))).collect()
    };
    let bare = |lock: Value| {
        let scene = Scene::with(Setting::default().with_witness(WITNESS));
        scene.witness_bucket(lock);
        scene.configure(&format!("mode = \"enforce\"\n{WITNESSED}"));
        scene.rescind(&["run", "--once"]);
        scene
    };
    let scene = scene("");
    scene.rescind(&["run", "--once"]).code(0);
    let before = scene.witness_objects();
    assert!(codes(&scene).is_empty());
    assert_eq!(scene.witness_objects(), before);
    let denied = json!({"error": {"status": 403, "code": "AccessDenied"}});
    for operation in ["GetBucketObjectLockConfiguration", "ListBucketVersions"] {
        scene.fault("denied", json!({"operation": operation}), "before", denied.clone(), 0);
        assert_eq!(codes(&scene), ["witness_unreachable"], "{operation}");
        scene.delete("faults/denied");
    }
    assert_eq!(codes(&bare(Value::Null)), ["witness_not_locked"]);
    let unkept = bare(json!({}));
    assert_eq!(codes(&unkept), ["witness_no_retention"]);
    unkept.configure(&format!("ledger = {{ witness = {{ bucket = \"{WITNESS}\", retention = \"1d\" }} }}\n"));
    assert!(codes(&unkept).is_empty());
}

#[test]
fn the_documents_of_the_hubs_role_have_the_bucket_where_there_is_one() {
    let scene = scene("");
    let printed = scene.rescind(&["policies", "print", "hub-role"]).code(0).json_document();
    let wanted =
        crate::scene::policy("hub-role-witness.json").to_string().replace("${WITNESS_BUCKET}", WITNESS);
    let wanted: Value = serde_json::from_str(&wanted).expect("JSON");
    let has = |one: &Value| printed["Statement"].as_array().expect("statements").contains(one);
    assert!(wanted["Statement"].as_array().expect("statements").iter().all(has), "{printed}");
}
