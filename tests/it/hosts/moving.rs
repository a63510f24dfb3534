//! A ledger moves into a log and out of it again, and is compared with it.

use super::host::{Host, TABLE, configure, scene};
use crate::scene::{BANK, SHOP, Scene};
use serde_json::{Value, json};

/// A host whose ledger is one by itself, with a revoked role.
fn alone() -> (Scene, Host) {
    let scene = scene();
    scene.configure("mode = \"enforce\"\n");
    let host = Host::new(&scene);
    let (thief, _) = scene.theft(SHOP, "web");
    host.rescind(&["run", "--once", "--backlog"]).code(0);
    thief.is_denied();
    (scene, host)
}

fn verified(host: &Host) -> Value {
    host.rescind(&["ledger", "verify", "-o", "jsonl"]).json_document()["log"].clone()
}

/// Changes the configuration of a host.
fn use_log(scene: &Scene, host: &Host) {
    configure(scene, "");
    std::fs::copy(scene.path("rescind.toml"), host.path("rescind.toml")).expect("copied");
}

#[test]
fn a_ledger_by_itself_is_put_into_a_log_and_another_host_begins_from_it() {
    let (scene, mut first) = alone();
    let before = first.bodies();
    use_log(&scene, &first);
    first.rescind(&["run", "--once"]).code(4).says("rescind ledger publish");
    assert_eq!(verified(&first)["unpublished"], true);
    let published = first.rescind(&["ledger", "publish", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(published["published"]["entries"], before.len());
    // What is done is not done again.
    first.rescind(&["ledger", "publish", "-o", "jsonl"]).code(0);
    let mut second = Host::new(&scene);
    second.lead();
    let (thief, _) = scene.theft(BANK, "teller");
    scene.wait(|| thief.list_users().is_err());
    assert_eq!(second.stop(), 0);
    assert_eq!(second.bodies()[..before.len()], before[..]);
    assert_eq!(second.remediations().len(), 2);
    first.lead();
    assert_eq!(first.stop(), 0);
    assert_eq!(first.remediations().len(), 2);
    let log = verified(&first);
    assert_eq!((&log["differs"], &log["broken"], &log["unread"]), (&Value::Null, &Value::Null, &json!(0)));
}

#[test]
fn a_ledger_that_the_log_does_not_have_is_not_taken_for_one_that_is_behind() {
    let (scene, first) = alone();
    use_log(&scene, &first);
    let mut other = Host::new(&scene);
    other.lead();
    other.until(crate::log::REGION_READ);
    assert_eq!(other.stop(), 0);
    let verified = first.rescind(&["ledger", "verify", "-o", "jsonl"]).code(6).json_document();
    assert_eq!(verified["log"]["differs"]["entry"], 1, "{verified}");
}

#[test]
fn publishing_that_was_interrupted_goes_on() {
    let (scene, first) = alone();
    use_log(&scene, &first);
    let put = json!({"service": "dynamodb", "operation": "PutItem"});
    scene.fault("held", put, "after", json!({"hang": true}), 1);
    let mut publishing = first.command(&["ledger", "publish"]).spawn().expect("it starts");
    scene.held("held");
    publishing.kill().expect("killed");
    publishing.wait().expect("dead");
    scene.delete("faults/held");
    first.rescind(&["ledger", "publish"]).code(0);
    let log = verified(&first);
    assert_eq!((&log["differs"], &log["broken"]), (&Value::Null, &Value::Null));
    assert_eq!(log["entries"], first.bodies().len());
}

#[test]
fn a_ledger_that_follows_a_log_is_not_written_without_it_and_a_copy_can_be_alone_again() {
    let (scene, first) = alone();
    use_log(&scene, &first);
    first.rescind(&["ledger", "publish"]).code(0);
    scene.configure("mode = \"enforce\"\n");
    std::fs::copy(scene.path("rescind.toml"), first.path("rescind.toml")).expect("copied");
    first.rescind(&["run", "--once"]).code(4).says("follows a log");
    first.rescind(&["list"]).code(0);
    first.rescind(&["ledger", "backup", "-O", "alone.db", "--detach"]).code(0);
    std::fs::rename(first.path("alone.db"), first.path("ledger.db")).expect("moved");
    for end in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(first.path(end));
    }
    first.rescind(&["run", "--once"]).code(0);
}

#[test]
fn an_item_that_somebody_changed_is_found_and_the_file_is_made_again_from_the_log() {
    let (scene, mut first) = alone();
    use_log(&scene, &first);
    first.rescind(&["ledger", "publish"]).code(0);
    first.lead();
    first.until(crate::log::REGION_READ);
    assert_eq!(first.stop(), 0);
    let before = first.bodies();
    // The file is damaged: it is made again.
    let connection = rusqlite::Connection::open(first.path("ledger.db")).expect("a ledger");
    connection
        .execute_batch(
            "DROP TRIGGER entries_no_update; UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 2;",
        )
        .expect("changed");
    drop(connection);
    first.rescind(&["ledger", "verify"]).code(6);
    assert_eq!(verified(&first)["differs"]["entry"], 2);
    first.rescind(&["ledger", "rebuild", "--from-log"]).code(0);
    assert_eq!(first.bodies(), before);
    first.rescind(&["ledger", "verify"]).code(0);
    // The log is changed: nothing follows it.
    let items = scene.get(&format!("tables?name={TABLE}"))["items"].clone();
    let mut item = items
        .as_array()
        .expect("items")
        .iter()
        .find(|item| item["pk"]["S"] == "rescind#2")
        .expect("it")
        .clone();
    item["writer"] = json!({"S": "somebody/else"});
    scene.post("tables/items", &json!({"table": TABLE, "put": [item]}));
    first.rescind(&["ledger", "verify"]).code(6);
    assert_eq!(verified(&first)["broken"]["position"], 3);
    let new = Host::new(&scene);
    new.rescind(&["run", "--once"]).code(4).says("item 3 of the log");
}

#[test]
fn doctor_looks_at_the_table() {
    let scene = scene();
    configure(&scene, "");
    let host = Host::new(&scene);
    host.rescind(&["run", "--once"]).code(0);
    let codes = |host: &Host| -> Vec<Value> {
        let found = host.rescind(&["doctor", "-o", "jsonl"]).json_document();
        let problems = found["problems"].as_array().expect("problems").clone();
        problems
            .iter()
            .map(|one| one["code"].clone())
            .filter(|code| code.as_str().is_some_and(|code| code.starts_with("log_")))
            .collect()
    };
    assert!(codes(&host).is_empty());
    scene.fault(
        "denied",
        json!({"service": "dynamodb", "operation": "DescribeTable"}),
        "before",
        json!({"error": {"status": 400, "code": "AccessDeniedException"}}),
        0,
    );
    assert_eq!(codes(&host), ["log_unreachable"]);
    // A table that is not there is said at once.
    let text = std::fs::read_to_string(host.path("rescind.toml")).expect("a text");
    std::fs::write(host.path("rescind.toml"), text.replace(TABLE, "rescind-other")).expect("written");
    let new = Host::new(&scene);
    std::fs::write(new.path("rescind.toml"), text.replace(TABLE, "rescind-other")).expect("written");
    new.rescind(&["run", "--once"]).code(3).says("rescind-other");
    new.rescind(&["list"]).code(4);
}

#[test]
fn a_log_that_lacks_an_item_is_not_led_and_not_written_into() {
    let scene = scene();
    configure(&scene, "");
    let mut first = Host::new(&scene);
    first.lead();
    first.until(crate::log::REGION_READ);
    assert_eq!(first.stop(), 0);
    scene.post("tables/items", &json!({"table": TABLE, "remove": ["rescind#3"]}));
    let items = |scene: &Scene| scene.get(&format!("tables?name={TABLE}"))["items"].clone();
    let before = items(&scene);
    let new = Host::new(&scene);
    new.rescind(&["run"]).code(4).says("items are missing");
    assert_eq!(items(&scene), before);
    // The file of the host that was there has all of it.
    first.rescind(&["ledger", "verify"]).code(6);
    assert_eq!(
        verified(&first)["differs"]["entry"],
        verified(&first)["entries"].as_u64().expect("a number") + 1
    );
}

#[test]
fn a_file_that_is_made_again_over_another_ledger_verifies() {
    let (scene, mut first) = alone();
    use_log(&scene, &first);
    let mut second = Host::new(&scene);
    second.lead();
    second.until(crate::log::REGION_READ);
    assert_eq!(second.stop(), 0);
    first.rescind(&["ledger", "rebuild", "--from-log"]).code(0);
    assert_eq!(first.bodies(), second.bodies());
    first.rescind(&["ledger", "verify"]).code(0);
    first.lead();
    assert_eq!(first.stop(), 0);
    let left = std::fs::read_dir(first.path("ledger.db").parent().expect("a folder")).expect("read");
    let names: Vec<String> =
        left.map(|one| one.expect("one").file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().all(|name| !name.contains("from-log")), "{names:?}");
}
