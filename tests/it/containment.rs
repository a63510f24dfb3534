//! Containment against a thief who fights back: IAM enforces changes four seconds late, and with rights in IAM he takes
//! away in these seconds whatever he may. A few fights here, fifty in `make soak`.

use crate::scene::{HOME, MANAGEMENT, SHOP, Scene, python};
use crate::thief::Thief;
use crate::watching::Watching;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command};

/// After how many seconds IAM enforces a change.
const SPREAD: i64 = 4;

/// After how many seconds from the first put on nothing of the victim's works any more.
const CONTAINED: SignedDuration = SignedDuration::from_secs(10);

/// For how long it is fought after that.
const FOUGHT: SignedDuration = SignedDuration::from_secs(6);

fn fights() -> u64 {
    if std::env::var_os("RESCIND_SOAK").is_some() { 50 } else { 2 }
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

/// The adversary, with the session of a role that may do anything and assume itself.
fn adversary(scene: &Scene, session: &Value, seed: u64) -> Child {
    let (credentials, log) = (session.to_string(), scene.path("thief.jsonl").display().to_string());
    let seed = seed.to_string();
    Command::new(python())
        .args(["-m", "adversary", "--endpoint", scene.endpoint(), "--credentials", &credentials])
        .args(["--account", SHOP, "--region", HOME, "--seed", &seed, "--log", &log])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator"))
        .spawn()
        .expect("the adversary runs")
}

/// The rounds of the adversary, so far.
fn rounds(scene: &Scene) -> Vec<Value> {
    let text = std::fs::read_to_string(scene.path("thief.jsonl")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["event"] == "tick").collect()
}

fn fight(seed: u64) {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\nquarantine = \"2m\"\n");
    scene.watch();
    let seal = scene.rescind(&["policies", "print", "seal", "--deployer", "arn:aws:iam::*:role/deployer"]);
    Thief::operator(&scene, MANAGEMENT).attach_scp(SHOP, &seal.code(0).json_document());
    scene.role(SHOP, "web");
    let role = format!("arn:aws:iam::{SHOP}:role/web");
    Thief::operator(&scene, SHOP).trust("web", |trust| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"});
        trust["Statement"].as_array_mut().expect("statements").push(statement);
    });
    scene.post("switches", &json!({"iam_spread_seconds": SPREAD}));
    let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
    let mut thief = adversary(&scene, &session, seed);
    scene.wait(|| !rounds(&scene).is_empty());
    let service = Watching::start(&scene, &[]);
    scene.report(SHOP, "web", &session, json!({}));
    scene.wait(|| !scene.entries_of("accepted").is_empty());
    let put = time(&scene.entries_of("intent")[0]["time"]);
    let end = put + CONTAINED + FOUGHT;
    scene.wait(|| rounds(&scene).last().is_some_and(|round| time(&round["wall"]) > end));
    thief.kill().expect("killed");
    thief.wait().expect("dead");
    let rounds = rounds(&scene);
    let works = |round: &Value, whose: &str| round["credentials"][whose] == "works";
    let (before, after): (Vec<_>, Vec<_>) =
        rounds.iter().partition(|round| time(&round["wall"]) <= put + CONTAINED);
    for whose in ["victim", "juggled"] {
        assert!(before.iter().any(|round| works(round, whose)), "seed {seed}: {whose} never worked");
        let works: Vec<_> = after.iter().filter(|round| works(round, whose)).collect();
        assert!(works.is_empty(), "seed {seed}: {whose} still works: {works:?}");
    }
    assert!(after.len() > 3, "seed {seed}: then the test is about nothing");
    assert_eq!(service.stop(), 0);
    scene.rescind(&["ledger", "verify"]).code(0);
}

#[test]
fn with_the_seal_a_thief_with_rights_in_iam_is_out_within_seconds() {
    (1..=fights()).for_each(fight);
}
