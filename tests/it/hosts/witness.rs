//! Hosts that share a log share its witness: whoever leads goes on from what the one before it put there.

use super::host::{Host, LEADS, configure_witnessed, scene_of};
use crate::scene::{BANK, SHOP, Scene, Setting, WITNESS, tree_head};
use serde_json::{Value, json};

fn witnessed_scene() -> Scene {
    let scene = scene_of(Setting::default().with_witness(WITNESS));
    scene.witness_bucket(json!({"mode": "COMPLIANCE", "days": 400}));
    configure_witnessed(&scene, "");
    scene
}

/// The numbers of entries that a host's ledger says were witnessed.
fn recorded(host: &Host) -> Vec<u64> {
    let parse = |body: &String| serde_json::from_str::<Value>(body).expect("JSON");
    let entries =
        host.bodies().iter().map(parse).filter(|entry| entry["kind"] == "witnessed").collect::<Vec<_>>();
    entries.iter().map(|entry| entry["data"]["size"].as_u64().expect("a number")).collect()
}

fn verified(host: &Host) -> (i32, Value) {
    let ran = host.rescind(&["ledger", "verify", "-o", "jsonl"]);
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| json!({"error": ran.err})))
}

#[test]
fn a_new_leader_goes_on_at_the_witness_and_all_checkpoints_there_are_of_one_ledger() {
    let scene = witnessed_scene();
    let (mut first, mut second) = (Host::new(&scene), Host::new(&scene));
    first.lead();
    first.until(crate::log::REGION_READ);
    second.run();
    scene.wait(|| second.follows());
    // Each host signs with a key of its own.
    scene.wait(|| first.kinds().iter().filter(|kind| *kind == "signing_key").count() == 2);
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| !scene.witness_objects().is_empty());
    first.kill();
    let (later, _) = scene.theft(BANK, "teller");
    second.until(LEADS);
    scene.wait(|| later.list_users().is_err());
    assert_eq!(second.stop(), 0);
    first.lead();
    assert_eq!(first.stop(), 0);
    let objects = scene.witnessed();
    assert!(objects.len() >= 3, "{objects:?}");
    let mut sizes = recorded(&first);
    assert!(sizes.is_sorted());
    sizes.dedup();
    assert_eq!(sizes, objects.iter().map(|(size, _)| *size).collect::<Vec<_>>());
    let (code, found) = verified(&first);
    assert_eq!((code, &found["witness"]["objects"]), (0, &json!(objects.len())), "{found}");
    // What the leader has beside its ledger is missing on no other host, also where an older one is.
    first.lead();
    second.run();
    scene.wait(|| second.follows() && second.bodies().len() >= first.bodies().len());
    let doctor = second.rescind(&["doctor", "-o", "jsonl"]).out;
    assert!(doctor.contains("problems") && !doctor.contains("checkpoint_not_published"), "{doctor}");
}

#[test]
fn a_file_that_is_behind_its_log_is_not_called_cut_off_and_a_forged_checkpoint_ahead_of_it_is_found() {
    let scene = witnessed_scene();
    let (mut first, mut second) = (Host::new(&scene), Host::new(&scene));
    first.lead();
    first.until(crate::log::REGION_READ);
    assert_eq!(first.stop(), 0);
    std::fs::copy(first.path("ledger.key"), second.path("ledger.key")).expect("copied");
    second.lead();
    second.until(crate::log::REGION_READ);
    assert_eq!(second.stop(), 0);
    let ahead = scene.witness_objects().pop().expect("one");
    let (size, _) = tree_head(ahead["text"].as_str().expect("a text"));
    assert!(size > first.bodies().len() as u64);
    let (code, found) = verified(&first);
    assert_eq!(code, 0, "{found}");
    assert!(found["log"]["unread"].as_u64().is_some_and(|unread| unread > 0), "{found}");
    // One that does not fit the log is not taken for one that the file has yet to reach.
    let forged = ahead["text"].as_str().expect("a text").replacen(
        &format!("\n{size}\n"),
        &format!("\n{}\n", size - 1),
        1,
    );
    let key =
        ahead["key"].as_str().expect("a key").replace(&format!("{size:020}"), &format!("{:020}", size - 1));
    scene.forge_objects(&[key], &forged);
    assert_eq!(verified(&first).0, 6);
}
