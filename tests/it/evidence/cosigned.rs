//! What a cosignature adds: who has the signing key can rewrite the ledger, and the witness's key is elsewhere.

use super::behind_the_triggers;
use super::forge::{ANOTHER_INSTANCE, hash_again, sign_again};
use crate::cosigned::{log_key, witnessed};
use crate::scene::SHOP;
use rescind::ledger::note::Signer;

#[test]
fn a_ledger_rewritten_with_its_own_key_does_not_match_what_was_cosigned() {
    let (scene, witness) = witnessed();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let key = log_key(&scene);
    let signer = Signer::load(&scene.path("ledger.key")).expect("a key");
    behind_the_triggers(&scene, |ledger| {
        super::sql(ledger, ANOTHER_INSTANCE);
        hash_again(ledger);
        sign_again(ledger, &signer);
    });
    std::fs::remove_file(scene.path("ledger.db.checkpoint")).expect("removed");
    let alone = ["ledger", "verify", "--ledger", "ledger.db", "--public-key", &key, "-o", "jsonl"];
    // Whoever holds the key has done it well.
    scene.rescind(&alone).code(0);
    let with = scene.rescind(&[&alone[..], &["--cosigner", &witness.key]].concat()).code(6).json_document();
    let entry = &scene.entries_of("cosigned")[0]["seq"];
    assert_eq!(&with["problems"][0]["entry"], entry, "{with}");
    assert_eq!(with["cosigners"][0]["count"], 0);
}

#[test]
fn a_wrong_cosignature_on_a_kept_checkpoint_is_reported() {
    let (scene, witness) = witnessed();
    scene.run_once();
    scene.run_once();
    let lines = scene.entries_of("cosigned");
    let line = |at: usize| lines[at]["data"]["cosignature"].as_str().expect("a line").to_owned();
    scene.rescind(&["ledger", "prove", "1", "-O", "proof.json"]).code(0);
    let proof: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(scene.path("proof.json")).expect("there"))
            .expect("JSON");
    let note = proof["checkpoint"].as_str().expect("a note");
    assert!(note.contains(&line(0)));
    let args = ["ledger", "verify", "--checkpoint", "kept", "-o", "jsonl"];
    std::fs::write(scene.path("kept"), note).expect("written");
    assert_eq!(scene.rescind(&args).code(0).json_document()["cosigners"][0]["count"], 3);
    // One of another checkpoint of the same witness.
    std::fs::write(scene.path("kept"), note.replace(&line(0), &line(1))).expect("written");
    scene.rescind(&args).code(6);
    // Whose key is not given, says nothing.
    let alone = ["ledger", "verify", "--checkpoint", "kept", "--ledger", "ledger.db", "-o", "jsonl"];
    scene.rescind(&alone).code(0);
    assert_eq!(witness.seen(&scene), lines[1]["data"]["size"].as_u64().expect("a size"));
}
