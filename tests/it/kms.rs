//! A key in KMS signs checkpoints: no host holds it.

use crate::scene::{HOME, SECURITY, SHOP, Scene, Setting};
use serde_json::{Value, json};

/// A scene whose hub may sign with the KMS keys of its account.
fn scene() -> Scene {
    Scene::with(Setting::default().with_signing_keys())
}

/// Makes a key of this kind, and configures it.
fn with_key(scene: &Scene, spec: &str) -> String {
    let asked = json!({"account": SECURITY, "region": HOME, "spec": spec});
    let arn = scene.post("signing-keys", &asked)["arn"].as_str().expect("an ARN").to_owned();
    scene.configure(&format!("mode = \"enforce\"\nsigning_key = \"{arn}\"\n"));
    arn
}

const ED25519: &str = "ECC_NIST_EDWARDS25519";

fn key(scene: &Scene) -> String {
    scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned()
}

fn verified(scene: &Scene, key: &str) -> Value {
    scene.rescind(&["ledger", "verify", "--public-key", key, "-o", "jsonl"]).code(0).json_document()
}

fn alerts(scene: &Scene) -> Vec<Value> {
    scene.entries_of("alert").iter().map(|alert| alert["data"]["code"].clone()).collect()
}

fn disconnect(scene: &Scene, operation: &str) {
    let matched = json!({"service": "kms", "operation": operation});
    scene.fault("kms", matched, "before", json!({"disconnect": true}), 0);
}

#[test]
fn it_signs_and_its_public_key_checks_the_ledger() {
    let scene = scene();
    let arn = with_key(&scene, ED25519);
    scene.run_once();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let public = key(&scene);
    let found = verified(&scene, &public);
    assert_eq!((&found["signed"], &found["keys"]), (&found["entries"], &json!([public])));
    // The name that the first start gave to the log stays; no secret is on the disk.
    assert_eq!(scene.entries_of("signing_key").len(), 1);
    assert!(!scene.path("ledger.key").exists());
    assert!(scene.calls_of("Sign").iter().all(|call| call["status"] == 200));
    // A record of each signature would have to be signed.
    assert!(scene.entries_of("call").iter().all(|call| call["data"]["service"] != "kms"));
    let last = scene.entries().len().to_string();
    scene.rescind(&["ledger", "prove", &last, "-O", "proof.json"]).code(0);
    scene.rescind(&["ledger", "check-proof", "proof.json", "--public-key", &public]).code(0);
    let role = scene.rescind(&["policies", "print", "hub-role"]).code(0).json_document();
    let sign = role["Statement"].as_array().expect("a list").last().expect("a statement").clone();
    assert_eq!((&sign["Sid"], &sign["Resource"]), (&json!("SignCheckpoints"), &json!(arn)));
}

#[test]
fn a_key_that_the_hub_may_not_use_is_a_matter_of_permissions() {
    let scene = Scene::new();
    scene.run_once();
    with_key(&scene, ED25519);
    scene.rescind(&["ledger", "checkpoint"]).code(3).says("kms:GetPublicKey");
}

#[test]
fn while_it_does_not_sign_thefts_are_contained_and_later_all_is_signed() {
    let scene = scene();
    with_key(&scene, ED25519);
    scene.run_once();
    let public = key(&scene);
    disconnect(&scene, "Sign");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert_eq!(alerts(&scene), ["signing_key_unavailable"]);
    let found = verified(&scene, &public);
    assert!(found["signed"].as_u64() < found["entries"].as_u64(), "{found}");
    scene.rescind(&["ledger", "checkpoint"]).code(4).says("kms:Sign");
    scene.delete("faults/kms");
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    let found = verified(&scene, &public);
    assert_eq!(found["signed"], found["entries"]);
}

#[test]
fn a_key_that_cannot_be_asked_for_at_the_start_keeps_nobody_from_acting() {
    let scene = scene();
    with_key(&scene, ED25519);
    disconnect(&scene, "GetPublicKey");
    scene.poll();
    let (thief, _) = scene.theft(SHOP, "web");
    scene.poll().counts(json!({"revoked": 1}));
    thief.is_denied();
    assert!(scene.entries_of("signing_key").is_empty());
    assert!(alerts(&scene).contains(&json!("signing_key_unavailable")));
    scene.delete("faults/kms");
    scene.run_once();
    assert_eq!(verified(&scene, &key(&scene))["unendorsed_keys"], json!([]));
}

#[test]
fn a_key_of_another_kind_signs_nothing_and_doctor_says_so() {
    let scene = scene();
    with_key(&scene, "ECC_NIST_P256");
    scene.poll();
    assert_eq!(alerts(&scene), ["signing_key_unavailable"]);
    assert!(scene.calls_of("Sign").is_empty());
    let found = scene.rescind(&["doctor", "-o", "jsonl"]).json_document();
    let codes: Vec<_> =
        found["problems"].as_array().expect("problems").iter().map(|one| one["code"].clone()).collect();
    assert!(codes.contains(&json!("signing_key_kind")), "{codes:?}");
}

#[test]
fn a_files_key_signs_for_the_one_in_kms_before_it_takes_its_place() {
    let scene = scene();
    scene.run_once();
    let of_file = key(&scene);
    let asked = json!({"account": SECURITY, "region": HOME});
    let arn = scene.post("signing-keys", &asked)["arn"].as_str().expect("an ARN").to_owned();
    scene.rescind(&["ledger", "rotate-key", "--to", &arn]).code(0).says(&arn);
    scene.configure(&format!("mode = \"enforce\"\nsigning_key = \"{arn}\"\n"));
    scene.run_once();
    let in_kms = key(&scene);
    assert_ne!(of_file, in_kms);
    for public in [&of_file, &in_kms] {
        let found = verified(&scene, public);
        assert_eq!((&found["signed"], &found["unendorsed_keys"]), (&found["entries"], &json!([])), "{found}");
    }
    // KMS makes no new key in the place of another.
    scene.rescind(&["ledger", "rotate-key"]).code(2).says("--to");
}
