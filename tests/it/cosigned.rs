//! Witnesses of other operators cosign the checkpoints (C2SP tlog-witness): asked, checked, kept, and verified.

use crate::scene::{SHOP, Scene, Setting, WITNESS};
use crate::watching::Watching;
use serde_json::{Value, json};

/// A witness that the emulator runs.
pub struct Witness {
    pub name: &'static str,
    /// Its public key.
    pub key: String,
    url: String,
}

impl Witness {
    /// One that trusts these logs, by their public keys.
    pub fn new(scene: &Scene, name: &'static str, logs: &[&str]) -> Self {
        let made = scene.post("witnesses", &json!({"name": name, "logs": logs}));
        let text = |field: &str| made[field].as_str().expect("text").to_owned();
        Self { name, key: text("key"), url: format!("{}{}", scene.endpoint(), text("path")) }
    }

    /// The line of the configuration that names it as the only one.
    pub fn line(&self) -> String {
        format!("ledger = {{ witness = {{ {} }} }}\n", self.named())
    }

    /// The key of the table that names it as the only one.
    pub fn named(&self) -> String {
        format!("cosigners = [{{ url = \"{}\", public_key = \"{}\" }}]", self.url, self.key)
    }

    pub fn change(&self, scene: &Scene, change: &Value) {
        let mut change = change.clone();
        change["name"] = json!(self.name);
        scene.post("witnesses", &change);
    }

    fn faults(&self, scene: &Scene, faults: &Value) {
        self.change(scene, &json!({"faults": faults}));
    }

    /// From which size it was asked, and how it answered, each time.
    pub fn requests(&self, scene: &Scene) -> Vec<(Value, Value)> {
        let all = scene.get(&format!("witnesses?name={}", self.name))["requests"].clone();
        let all = all.as_array().expect("requests").clone();
        all.into_iter().map(|one| (one["old"].clone(), one["status"].clone())).collect()
    }

    /// How many entries it has seen.
    pub fn seen(&self, scene: &Scene) -> u64 {
        let seen = scene.get(&format!("witnesses?name={}", self.name))["seen"].clone();
        seen.as_object().and_then(|seen| seen.values().next()?.as_u64()).unwrap_or(0)
    }
}

/// What stands about it in the output of `ledger verify`.
fn of_first_cosigner(scene: &Scene) -> (Value, Vec<String>) {
    let found = scene.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0).json_document();
    let lines = found["not_verified"].as_array().expect("a list").iter();
    let named = lines.filter_map(|line| line.as_str().filter(|line| line.contains("witness.example")));
    let named = named.map(str::to_owned).collect();
    (found["cosigners"][0].clone(), named)
}

/// A ledger with entries and a key, and a witness that knows the key.
pub fn witnessed() -> (Scene, Witness) {
    let scene = Scene::new();
    scene.run_once();
    let witness = Witness::new(&scene, "w1", &[&log_key(&scene)]);
    scene.configure(&format!("mode = \"enforce\"\n{}", witness.line()));
    (scene, witness)
}

pub fn log_key(scene: &Scene) -> String {
    scene.rescind(&["ledger", "key"]).code(0).out.trim().to_owned()
}

/// Hands the published checkpoint to a witness by hand.
fn hand_over(scene: &Scene, witness: &Witness) {
    let note = std::fs::read_to_string(scene.path("ledger.db.checkpoint")).expect("published");
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let url = format!("{}/add-checkpoint", witness.url);
    agent.post(url).send(format!("old 0\n\n{note}")).expect("cosigned");
}

#[test]
fn the_checkpoint_of_a_run_is_cosigned_and_verify_says_how_far() {
    let (scene, witness) = witnessed();
    let (_, nothing) = of_first_cosigner(&scene);
    assert_eq!(nothing.len(), 1);
    let _ = scene.theft(SHOP, "web");
    scene.run_once().counts(json!({"revoked": 1}));
    let cosigned = scene.entries_of("cosigned");
    assert_eq!(cosigned.len(), 1);
    let size = witness.seen(&scene);
    assert_eq!(cosigned[0]["data"]["size"], size);
    let (found, not_verified) = of_first_cosigner(&scene);
    assert_eq!(
        (&found["size"], &found["count"], &found["key"]),
        (&json!(size), &json!(1), &json!(witness.key))
    );
    assert_eq!(found["at"], cosigned[0]["data"]["at"]);
    assert_eq!(not_verified, [""; 0]);
    // The entry about it is signed as well.
    let verified = scene.rescind(&["ledger", "verify", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(verified["signed"], verified["entries"]);
    // The next one goes on from there: the ledger knows how far the witness is.
    scene.run_once();
    assert_eq!(witness.requests(&scene), [(json!(0), json!(200)), (json!(size), json!(200))]);
    assert_eq!(of_first_cosigner(&scene).0["count"], 2);
    // Without the configuration the key is given; another key has cosigned nothing.
    let alone = ["ledger", "verify", "--ledger", "ledger.db", "-o", "jsonl"];
    let none = scene.rescind(&alone).code(0).json_document();
    assert_eq!(none["cosigners"], json!([]));
    let other = Witness::new(&scene, "w2", &[]);
    let both = [&alone[..], &["--cosigner", &witness.key, "--cosigner", &other.key]].concat();
    let both = scene.rescind(&both).code(0).json_document();
    assert_eq!((&both["cosigners"][0]["count"], &both["cosigners"][1]["count"]), (&json!(2), &json!(0)));
    scene.rescind(&[&alone[..], &["--cosigner", &log_key(&scene)]].concat()).code(2).says("--cosigner");
}

/// The proof of an entry has the cosignature, and is checked without the ledger.
#[test]
fn the_proof_of_an_entry_says_who_cosigned() {
    let (scene, witness) = witnessed();
    scene.run_once();
    let key = log_key(&scene);
    scene.rescind(&["ledger", "prove", "1", "-O", "proof.json"]).code(0);
    let check = ["ledger", "check-proof", "proof.json", "--public-key", &key, "-o", "jsonl"];
    let shown = scene.rescind(&[&check[..], &["--cosigner", &witness.key]].concat()).code(0).json_document();
    assert_eq!(shown["cosigners"][0]["at"], scene.entries_of("cosigned")[0]["data"]["at"]);
    assert_eq!(shown["size"], witness.seen(&scene));
    let without = scene.rescind(&check).code(0).json_document();
    assert_eq!(without["cosigners"], json!([]));
    // A signature that is moved there from another checkpoint is none.
    scene.run_once();
    let lines = scene.entries_of("cosigned");
    let line = |at: usize| lines[at]["data"]["cosignature"].as_str().expect("a line").to_owned();
    let proof = std::fs::read_to_string(scene.path("proof.json")).expect("written");
    std::fs::write(scene.path("proof.json"), proof.replace(&line(0), &line(1))).expect("written");
    scene.rescind(&check).code(0);
    scene.rescind(&[&check[..], &["--cosigner", &witness.key]].concat()).code(6);
}

#[test]
fn a_service_has_each_checkpoint_cosigned_and_publishes_the_cosignature() {
    let (scene, witness) = witnessed();
    let service = Watching::start(&scene, &[]);
    let published = |size: u64| {
        let note = std::fs::read_to_string(scene.path("ledger.db.checkpoint")).unwrap_or_default();
        note.lines().nth(1) == Some(&size.to_string()) && note.contains("\n\u{2014} witness.example/w1 ")
    };
    scene.wait(|| scene.count("kind = 'cosigned'") == 1);
    let first = witness.seen(&scene);
    scene.wait(|| published(first));
    scene.rescind(&["ledger", "checkpoint"]).code(0);
    scene.wait(|| scene.count("kind = 'cosigned'") == 2);
    let second = witness.seen(&scene);
    scene.wait(|| published(second));
    assert!(second > first);
    // The published file is evidence by itself.
    std::fs::copy(scene.path("ledger.db.checkpoint"), scene.path("kept")).expect("copied");
    service.stop();
    let kept = ["ledger", "verify", "--checkpoint", "kept", "--cosigner", &witness.key, "-o", "jsonl"];
    assert_eq!(scene.rescind(&kept).code(0).json_document()["cosigners"][0]["count"], 3);
}

/// What a witness gives in time stands in the bucket's object as well.
#[test]
fn the_object_in_the_bucket_has_the_cosignature() {
    let scene = Scene::with_witness(Setting::default());
    scene.run_once();
    let witness = Witness::new(&scene, "w1", &[&log_key(&scene)]);
    let both = format!("ledger = {{ witness = {{ bucket = \"{WITNESS}\", {} }} }}\n", witness.named());
    scene.configure(&format!("mode = \"enforce\"\n{both}"));
    scene.run_once();
    let cosigned = scene.entries_of("cosigned").pop().expect("one")["data"].clone();
    let line = cosigned["cosignature"].as_str().expect("a line");
    let objects = scene.witness_objects();
    let text = objects.last().expect("one")["text"].as_str().expect("a text");
    assert!(text.contains(line), "{text}");
    let witnessed = scene.entries_of("witnessed").pop().expect("one")["data"].clone();
    assert_eq!(witnessed["size"], cosigned["size"]);
    assert_eq!(witnessed["cosignatures"], json!([line]));
    // The object is a checkpoint that was kept, and its cosignature counts.
    std::fs::write(scene.path("kept"), text).expect("written");
    let found = scene.rescind(&["ledger", "verify", "--checkpoint", "kept", "-o", "jsonl"]).code(0);
    let count = found.json_document()["cosigners"][0]["count"].as_u64();
    assert!(count.is_some_and(|count| count >= 2), "{count:?}");
}

#[test]
fn a_witness_that_is_elsewhere_is_asked_from_where_it_is() {
    let (scene, witness) = witnessed();
    // It has seen a checkpoint, and this ledger does not know that it has.
    hand_over(&scene, &witness);
    let seen = witness.seen(&scene);
    scene.run_once();
    assert_eq!(witness.requests(&scene)[1..], [(json!(0), json!(409)), (json!(seen), json!(200))]);
    let known = witness.seen(&scene);
    assert!(known > seen);
    // It was set up anew, and has seen nothing.
    witness.change(&scene, &json!({"forgets": true}));
    scene.run_once();
    assert_eq!(witness.requests(&scene)[3..], [(json!(known), json!(409)), (json!(0), json!(200))]);
    assert_eq!(scene.count("kind = 'cosigned'"), 2);
    assert_eq!(scene.codes("alert"), [""; 0]);
}

#[test]
fn a_witness_that_fails_is_asked_again_and_long_failing_is_an_alert() {
    let (scene, witness) = witnessed();
    scene.configure(&format!("mode = \"enforce\"\nraise_after = \"1s\"\n{}", witness.line()));
    witness.faults(&scene, &json!([503, "close", {"what": 429, "retry_after": 1}]));
    let service = Watching::start(&scene, &[]);
    scene.wait(|| scene.count("kind = 'cosigned'") > 0);
    service.stop();
    let answers: Vec<Value> =
        witness.requests(&scene).into_iter().map(|(_, status)| status).take(4).collect();
    assert_eq!(answers, [json!(503), json!("close"), json!(429), json!(200)]);
    assert_eq!(scene.codes("alert"), ["not_cosigned"]);
}

#[test]
fn a_witness_that_hangs_keeps_nothing_waiting() {
    let (scene, witness) = witnessed();
    scene.configure(&format!("mode = \"enforce\"\npoll_interval = \"5s\"\n{}", witness.line()));
    scene.watch();
    witness.faults(&scene, &json!(["hang"]));
    let _ = scene.theft(SHOP, "mail");
    let (thief, _) = scene.theft(SHOP, "web");
    let service = Watching::start(&scene, &[]);
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| scene.count("kind = 'accepted'") == 2);
    service.stop();
    let cosigned = scene.entries_of("cosigned");
    let accepted = &scene.entries_of("accepted")[1];
    // One is from the run before; this one's came after the denies, if it came at all.
    let after = cosigned.iter().skip(1).all(|one| one["seq"].as_u64() > accepted["seq"].as_u64());
    assert!(after, "{cosigned:?}");
}

#[test]
fn what_is_not_its_cosignature_is_not_kept() {
    let (scene, witness) = witnessed();
    for fault in ["forge", "stranger", "empty", "long"] {
        // It has seen what it signed wrongly, and says so to the next request.
        witness.faults(&scene, &json!([fault, fault]));
        scene.run_once();
        assert_eq!(scene.count("kind = 'cosigned'"), 0, "{fault}");
    }
    assert_eq!(scene.codes("alert"), ["not_cosigned"]);
    witness.faults(&scene, &json!([]));
    scene.run_once();
    assert_eq!(scene.count("kind = 'cosigned'"), 1);
    assert_eq!(of_first_cosigner(&scene).0["count"], 1);
}

/// Its answer 409 says which size it is at; anything else in it is none of the protocol, and is not followed.
#[test]
fn an_answer_that_is_none_is_an_alert_and_not_followed() {
    for fault in [
        json!({"what": 409, "body": "many\n", "content_type": "text/x.tlog.size"}),
        json!({"what": 409, "body": "1\n"}),
        json!(302),
        json!(400),
    ] {
        let (scene, witness) = witnessed();
        witness.faults(&scene, &json!([fault]));
        scene.run_once();
        assert_eq!(witness.requests(&scene).len(), 1, "{fault}");
        assert_eq!(scene.codes("alert"), ["not_cosigned"], "{fault}");
    }
}

#[test]
fn a_witness_that_knows_neither_the_ledger_nor_its_new_key_is_an_alert() {
    let scene = Scene::new();
    scene.run_once();
    let key = log_key(&scene);
    let witness = Witness::new(&scene, "w1", &[]);
    scene.configure(&format!("mode = \"enforce\"\n{}", witness.line()));
    scene.run_once();
    assert_eq!(scene.codes("alert"), ["not_cosigned"]);
    witness.change(&scene, &json!({"logs": [key]}));
    scene.run_once();
    // The key is changed, and nobody has given it to the witness.
    scene.rescind(&["ledger", "rotate-key"]).code(0);
    scene.run_once();
    let statuses: Vec<Value> = witness.requests(&scene).into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [json!(404), json!(200), json!(403)]);
    witness.change(&scene, &json!({"logs": [log_key(&scene)]}));
    scene.run_once();
    assert_eq!(of_first_cosigner(&scene).0["count"], 2);
}

#[test]
fn another_ledger_with_the_same_key_is_refused_and_an_alert_says_so() {
    let (scene, witness) = witnessed();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    let seen = witness.seen(&scene);
    for file in ["ledger.db", "ledger.db.checkpoint"] {
        std::fs::remove_file(scene.path(file)).expect("removed");
    }
    // It is shorter than what the witness saw.
    scene.poll_new();
    assert!(scene.entries().len() < usize::try_from(seen).expect("small"));
    assert_eq!(scene.codes("alert"), ["cosigner_differs"]);
    // And when it is longer, it is another one.
    while scene.entries().len() < 2 * usize::try_from(seen).expect("small") {
        scene.poll_new();
    }
    let requests = witness.requests(&scene);
    assert_eq!(requests.last(), Some(&(json!(seen), json!(422))));
    assert_eq!(scene.count("kind = 'cosigned'"), 0);
    assert_eq!(witness.seen(&scene), seen);
    // Nobody vouches for it, and verify says that.
    assert_eq!(of_first_cosigner(&scene).1.len(), 1);
}

#[test]
fn an_old_cosignature_says_little_of_now() {
    let (scene, witness) = witnessed();
    witness.change(&scene, &json!({"clock": -7200}));
    scene.run_once();
    let (found, not_verified) = of_first_cosigner(&scene);
    assert_eq!((&found["count"], not_verified.len()), (&json!(1), 1));
    witness.change(&scene, &json!({"clock": 0}));
    scene.run_once();
    assert_eq!(of_first_cosigner(&scene).1, [""; 0]);
}

#[test]
fn witnesses_are_named_with_a_url_and_a_key() {
    let (scene, witness) = witnessed();
    let good = witness.line();
    for (from, to, named) in [
        ("http://127.0.0.1", "http://witness.example", "https"),
        ("witness.example/w1+", "witness.example/w2+", "key id"),
        ("cosigners = [", "prefix = \"a\", cosigners = [", "bucket"),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        scene.configure(&format!("mode = \"enforce\"\n{changed}"));
        scene.poll_new().code(2).says(named);
    }
    scene.configure("mode = \"enforce\"\nledger = { witness = { cosigners = [] } }\n");
    scene.poll_new().code(2).says("cosigners");
}
