//! Proofs that hold without the ledger, and keys that vouch for each other.

use crate::scene::{SHOP, Scene};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A ledger with a remediation in it, its key, and the number of its intent.
fn ledger() -> (Scene, String, i64) {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let key = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    let intent = scene.entries_of("intent")[0]["seq"].as_i64().expect("a number");
    (scene, key, intent)
}

/// The lines of docs/ledger.md, in a file, run with a Python that has `cryptography`.
fn python(scene: &Scene, proof: &str, key: &str) -> (bool, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/ledger.md")).expect("the document");
    let lines =
        text.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its lines");
    assert!(lines.lines().count() <= 50);
    std::fs::write(scene.path("check.py"), lines).expect("written");
    let python = std::env::var_os("RESCIND_EMULATOR_PYTHON")
        .map_or_else(|| root.join("target/emulator-venv/bin/python"), std::path::PathBuf::from);
    let ran = Command::new(python)
        .args(["check.py", proof, key])
        .current_dir(scene.directory.path())
        .output()
        .expect("Python runs");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    (ran.status.success(), said)
}

#[test]
fn a_proof_holds_without_the_ledger() {
    let (scene, key, intent) = ledger();
    scene.rescind(&["ledger", "prove", &intent.to_string(), "-O", "proof.json"]).code(0);
    for file in ["ledger.db", "ledger.key", "rescind.toml", "ledger.db.checkpoint"] {
        std::fs::remove_file(scene.path(file)).expect("removed");
    }
    let check = ["ledger", "check-proof", "proof.json", "--public-key", &key];
    let checked = scene.rescind(&[&check[..], &["-o", "jsonl"]].concat()).code(0).json_document();
    assert_eq!(
        (&checked["holds"], &checked["entry_number"], &checked["entry"]["kind"]),
        (&json!(true), &json!(intent), &json!("intent"))
    );
    let (holds, said) = python(&scene, "proof.json", &key);
    assert!(holds && said.split(' ').any(|word| word == intent.to_string()), "{said}");

    // Whatever is changed in it is seen, by both.
    let proof: Value =
        serde_json::from_str(&std::fs::read_to_string(scene.path("proof.json")).expect("there"))
            .expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let path = proof["path"].as_array().expect("a path").clone();
    let entry = text(&proof["entry"]);
    let lines: Vec<String> = text(&proof["checkpoint"]).lines().map(str::to_owned).collect();
    let other_root = text(&proof["checkpoint"]).replacen(&lines[2], path[0].as_str().expect("a hash"), 1);
    let attempts: [(&str, Value); 7] = [
        ("entry", entry.replace("web", "wed").into()),
        ("index", (intent).into()),
        ("index", 1_000_000.into()),
        ("path", path[1..].to_vec().into()),
        ("path", [path.clone(), vec![path[0].clone()]].concat().into()),
        ("path", path.iter().rev().cloned().collect::<Vec<_>>().into()),
        ("checkpoint", other_root.into()),
    ];
    for (member, value) in attempts {
        let mut changed = proof.clone();
        assert_ne!(changed[member], value, "{member}");
        changed[member] = value;
        std::fs::write(scene.path("changed.json"), changed.to_string()).expect("written");
        let args = ["ledger", "check-proof", "changed.json", "--public-key", &key];
        scene.rescind(&args).code(6);
        let (holds, said) = python(&scene, "changed.json", &key);
        assert!(!holds, "{member}: {said}");
    }
    // What could be read in two ways, or says more than is checked, is refused by both.
    let text = proof.to_string();
    let (again, unknown) = (format!("{{\"index\":0,{}", &text[1..]), format!("{{\"more\":0,{}", &text[1..]));
    for changed in [
        again,
        unknown,
        text.replacen("rescind-proof/1", "rescind-proof/2", 1),
        text.replacen("\"format\":\"rescind-proof/1\",", "", 1),
        text.replacen(
            path[0].as_str().expect("a hash"),
            &format!("*{}", path[0].as_str().expect("a hash")),
            1,
        ),
    ] {
        assert_ne!(changed, text);
        std::fs::write(scene.path("changed.json"), &changed).expect("written");
        let args = ["ledger", "check-proof", "changed.json", "--public-key", &key];
        scene.rescind(&args).code(6);
        let (holds, said) = python(&scene, "changed.json", &key);
        assert!(!holds, "{changed}: {said}");
    }
    // Nor does another key do.
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    scene.rescind(&["ledger", "check-proof", "proof.json", "--public-key", other]).code(6);
    assert!(!python(&scene, "proof.json", other).0);
    scene.rescind(&["ledger", "check-proof", "check.py", "--public-key", &key]).code(6);
}

#[test]
fn every_entry_can_be_proved_and_one_that_is_not_signed_for_says_what_to_do() {
    let (scene, key, _) = ledger();
    let last = i64::try_from(scene.entries().len()).expect("few");
    for seq in 1..=last {
        let file = format!("{seq}.json");
        scene.rescind(&["ledger", "prove", &seq.to_string(), "-O", &file]).code(0);
        scene.rescind(&["ledger", "check-proof", &file, "--public-key", &key]).code(0);
    }
    scene.rescind(&["ledger", "prove", &(last + 1).to_string()]).code(2);
    scene.rescind(&["ledger", "prove", "0"]).code(2);
    // It is not written over.
    scene.rescind(&["ledger", "prove", "1", "-O", "1.json"]).code(2).says("1.json");
    // An entry behind the last checkpoint: `plan` makes some.
    scene.rescind(&["plan"]);
    let args = ["ledger", "prove", &(last + 1).to_string()];
    scene.rescind(&args).code(4);
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    scene.rescind(&args).code(0).says("rescind-proof/1");
}

#[test]
fn the_old_key_vouches_for_the_new_one() {
    let (scene, old, intent) = ledger();
    scene.rescind(&["ledger", "rotate-key"]).code(0);
    scene.run_once();
    let new = scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned();
    assert_ne!(old, new);
    // The old one signed for the new one; and the new one for all there was, the old one's entry too.
    for key in [&old, &new] {
        scene.rescind(&["ledger", "verify", "--public-key", key]).code(0);
    }
    assert_eq!(scene.entries_of("signing_key").len(), 2);
    // What the old key signed holds, and what the new one signed is not the old one's.
    scene.rescind(&["ledger", "prove", &intent.to_string(), "-O", "old.json"]).code(0);
    scene.rescind(&["ledger", "check-proof", "old.json", "--public-key", &old]).code(0);
    let last = scene.entries().len().to_string();
    scene.rescind(&["ledger", "prove", &last, "-O", "new.json"]).code(0);
    scene.rescind(&["ledger", "check-proof", "new.json", "--public-key", &old]).code(6);
    scene.rescind(&["ledger", "check-proof", "new.json", "--public-key", &new]).code(0);
    #[cfg(unix)]
    for file in std::fs::read_dir(scene.directory.path()).expect("a directory") {
        use std::os::unix::fs::PermissionsExt;
        let file = file.expect("a file");
        if file.file_name().to_string_lossy().starts_with("ledger.key") {
            assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600, "{file:?}");
        }
    }
}

#[test]
fn nobody_vouches_for_a_key_that_just_changed() {
    let (scene, old, _) = ledger();
    std::fs::remove_file(scene.path("ledger.key")).expect("removed");
    scene.run_once();
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "verify", "--public-key", &old]).code(6);
}

#[test]
fn a_checkpoint_can_be_had_at_any_time_and_the_latest_is_published_again() {
    let (scene, key, _) = ledger();
    let file = scene.path("ledger.db.checkpoint");
    let published = std::fs::read_to_string(&file).expect("published");
    std::fs::remove_file(&file).expect("removed");
    // Nothing is new: it is the same one.
    let ran = scene.rescind(&["ledger", "checkpoint"]).code(0);
    assert_eq!(ran.out.trim_end(), published.trim_end());
    assert_eq!(std::fs::read_to_string(&file).expect("published again"), published);
    scene.rescind(&["plan"]);
    let ran = scene.rescind(&["ledger", "checkpoint", "-o", "jsonl"]).code(0);
    let entries = scene.entries().len();
    assert_eq!(ran.json()[0]["entries"], entries);
    scene.rescind(&["ledger", "verify", "--public-key", &key]).code(0);
    assert_ne!(std::fs::read_to_string(&file).expect("published"), published);
}

#[test]
fn a_rotation_that_was_interrupted_can_be_done_again() {
    let (scene, old, _) = ledger();
    // It had kept the old key's file, and not yet put the new one in its place.
    let retired = format!("ledger.key.{}.retired", old.split('+').nth(1).expect("an id"));
    std::fs::hard_link(scene.path("ledger.key"), scene.path(&retired)).expect("linked");
    scene.rescind(&["ledger", "rotate-key"]).code(0);
    scene.rescind(&["ledger", "verify", "--public-key", &old]).code(0);
}
