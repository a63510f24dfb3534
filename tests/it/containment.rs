//! Containment against a thief who fights back: IAM enforces changes four seconds late, and with rights in IAM he takes
//! away in these seconds whatever he may. A few fights here, fifty in `make soak`.

use crate::scene::{HOME, MANAGEMENT, POLICY, SHOP, Scene, python};
use crate::thief::Thief;
use crate::watching::Watching;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};

/// After how many seconds IAM enforces a change.
const SPREAD: i64 = 4;

/// After how many seconds from the first put on nothing of the victim's works any more, or, without the seal, the deny
/// is contested.
const CONTAINED: SignedDuration = SignedDuration::from_secs(10);

/// For how long it is fought after that.
const FOUGHT: SignedDuration = SignedDuration::from_secs(6);

/// Maximum time from the look that saw a removal to the put that follows it.
const PUT_BACK: SignedDuration = SignedDuration::from_secs(2);

/// Maximum time until a removal that comes soon after a put is noticed: the next look is as far away as the put, and
/// reads three times.
const NOTICED: SignedDuration = SignedDuration::from_secs(5);

/// Fights that go on at once: most of one is waiting.
const AT_ONCE: usize = 4;

/// Runs so many fights, each with a seed of its own.
fn fight_often(usually: u64, in_a_soak: u64, fight: fn(u64)) {
    let count = if std::env::var_os("RESCIND_SOAK").is_some() { in_a_soak } else { usually };
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > count {
                        break;
                    }
                    fight(seed);
                }
            });
        }
    });
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

fn works(round: &Value, whose: &str) -> bool {
    round["credentials"][whose] == "works"
}

/// A service with a webhook, and a thief in the role `web` of an account, who may do anything and assume himself.
struct Fight {
    scene: Scene,
    seed: u64,
    thief: Child,
    service: Watching,
    /// When the first deny was about to be put.
    put: Timestamp,
}

impl Fight {
    fn start(seed: u64, is_sealed: bool) -> Self {
        let mut scene = Scene::new();
        scene.more_tables =
            format!("[[notify]]\nname = \"hook\"\nwebhook = \"{}/webhook/hook\"\n", scene.endpoint());
        let keys = "mode = \"enforce\"\npoll_interval = \"5s\"\nquarantine = \"2m\"\n";
        scene.configure(&format!("{keys}cloudtrail = {is_sealed}\n"));
        scene.watch();
        if is_sealed {
            let seal =
                scene.rescind(&["policies", "print", "seal", "--deployer", "arn:aws:iam::*:role/deployer"]);
            Thief::operator(&scene, MANAGEMENT).attach_scp(SHOP, &seal.code(0).json_document());
        }
        scene.role(SHOP, "web");
        Thief::operator(&scene, SHOP).trust("web", |trust| {
            let role = json!({"AWS": format!("arn:aws:iam::{SHOP}:role/web")});
            let statement = json!({"Effect": "Allow", "Principal": role, "Action": "sts:AssumeRole"});
            trust["Statement"].as_array_mut().expect("statements").push(statement);
        });
        scene.post("switches", &json!({"iam_spread_seconds": SPREAD}));
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let thief = adversary(&scene, &session, seed);
        scene.wait(|| !rounds(&scene).is_empty());
        let service = Watching::start(&scene, &[]);
        scene.report(SHOP, "web", &session, json!({}));
        scene.wait(|| !scene.entries_of("accepted").is_empty());
        let put = time(&scene.entries_of("intent")[0]["time"]);
        Self { scene, seed, thief, service, put }
    }

    /// Fights on for so long after the first put, and ends it. Gives the thief's rounds.
    fn until(&mut self, after: SignedDuration) -> Vec<Value> {
        let end = self.put + after;
        self.scene.wait(|| rounds(&self.scene).last().is_some_and(|round| time(&round["wall"]) > end));
        self.thief.kill().expect("killed");
        self.thief.wait().expect("dead");
        rounds(&self.scene)
    }

    fn stop(self) -> Scene {
        assert_eq!(self.service.stop(), 0);
        self.scene.rescind(&["ledger", "verify"]).code(0);
        self.scene
    }
}

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

/// What the adversary has logged of this kind, so far.
fn logged(scene: &Scene, event: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(scene.path("thief.jsonl")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["event"] == event).collect()
}

/// The rounds of the adversary, so far.
fn rounds(scene: &Scene) -> Vec<Value> {
    logged(scene, "tick")
}

/// The evidence names the role and the user that the adversary has made.
fn what_it_made_is_named(scene: &Scene, seed: u64) {
    let found = || -> Vec<Value> {
        let traces = scene.entries_of("trace");
        traces
            .iter()
            .flat_map(|one| one["data"]["activities"].as_array().cloned().unwrap_or_default())
            .collect()
    };
    for what in ["role", "user"] {
        let made = logged(scene, "made").into_iter().find(|line| line["what"] == what).expect("made");
        let name = made["name"].as_str().expect("a name");
        let arn = format!("arn:aws:iam::{SHOP}:{what}/{name}");
        scene.wait(|| found().iter().any(|one| one["object"] == arn));
        assert!(found().len() > 1, "seed {seed}");
    }
}

fn sealed(seed: u64) {
    let mut fight = Fight::start(seed, true);
    let rounds = fight.until(CONTAINED + FOUGHT);
    let contained = fight.put + CONTAINED;
    let (before, after): (Vec<_>, Vec<_>) =
        rounds.iter().partition(|round| time(&round["wall"]) <= contained);
    for whose in ["victim", "juggled"] {
        assert!(before.iter().any(|round| works(round, whose)), "seed {seed}: {whose} never worked");
        let works: Vec<_> = after.iter().filter(|round| works(round, whose)).collect();
        assert!(works.is_empty(), "seed {seed}: {whose} still works: {works:?}");
    }
    assert!(after.len() > 3, "seed {seed}: then the test is about nothing");
    what_it_made_is_named(&fight.scene, seed);
    fight.stop();
}

fn unsealed(seed: u64) {
    let mut fight = Fight::start(seed, false);
    fight.until(CONTAINED + FOUGHT);
    let entries = fight.scene.entries();
    is_put_back_each_time(seed, &entries);
    is_contested_in_time(&fight, &entries);
    is_not_called_revoked(&fight, &entries);
    figures_are_those_of_iam(&fight);
    fight.stop();
}

/// Each removal that a look saw is followed by a put, soon, and before anything else is seen of it.
fn is_put_back_each_time(seed: u64, entries: &[Value]) {
    let steps = entries
        .iter()
        .filter(|entry| ["drift", "not_applied", "accepted"].iter().any(|kind| entry["kind"] == *kind));
    let steps: Vec<&Value> = steps.collect();
    let mut removals = 0;
    for pair in steps.windows(2).filter(|pair| pair[0]["kind"] != "accepted") {
        removals += 1;
        assert_eq!(pair[1]["kind"], "accepted", "seed {seed}: {pair:?}");
        let took = time(&pair[1]["time"]).duration_since(time(&pair[0]["time"]));
        assert!(took <= PUT_BACK, "seed {seed}: put back after {took}: {pair:?}");
    }
    assert!(removals >= 2, "seed {seed}: then the test is about nothing: {steps:?}");
}

/// On a loaded machine the thief is slower, and so is it.
fn is_contested_in_time(fight: &Fight, entries: &[Value]) {
    let contested = entries.iter().find(|entry| entry["kind"] == "contested").expect("contested");
    let calls = changes_of_the_deny(&fight.scene);
    let mut removals = calls.iter().filter(|(operation, _)| operation == "DeleteRolePolicy");
    let (_, second) = removals.nth(1).expect("two removals");
    let latest = (fight.put + CONTAINED).max(*second + NOTICED);
    let (at, seed) = (time(&contested["time"]), fight.seed);
    assert!(at <= latest, "seed {seed}: contested at {at}\n{calls:#?}\n{}", timeline(entries));
}

/// What was recorded when, for whoever reads a failure.
fn timeline(entries: &[Value]) -> String {
    let line = |entry: &Value| format!("{} {}\n", entry["time"], entry["kind"]);
    entries.iter().filter(|entry| entry["kind"] != "call").map(line).collect()
}

/// No message about what was recorded since it is contested calls it revoked.
fn is_not_called_revoked(fight: &Fight, entries: &[Value]) {
    let contested = entries.iter().find(|entry| entry["kind"] == "contested").expect("contested");
    let requests = fight.scene.get("webhooks?name=hook");
    let bodies = requests["requests"].as_array().expect("requests").iter().map(|request| {
        let body = request["body"].as_str().expect("a body");
        serde_json::from_str::<Value>(body).expect("JSON")
    });
    let notices: Vec<Value> = bodies.collect();
    assert!(notices.iter().any(|notice| notice["topic"] == "alert"), "{notices:?}");
    let since = contested["seq"].as_i64().expect("a number");
    let revoked = notices.iter().find(|notice| {
        notice["topic"] == "revoked" && notice["entry"].as_i64().is_some_and(|entry| entry >= since)
    });
    assert_eq!(revoked, None, "seed {}", fight.seed);
}

/// What the figures say is in force is what IAM had, by its own record, or less.
fn figures_are_those_of_iam(fight: &Fight) {
    let report = fight.scene.rescind(&["report", "-o", "json"]).code(0).json_document();
    let in_force = &report["remediations"][0]["in_force"];
    let (since, until) = (time(&in_force["since"]), time(&in_force["until"]));
    let seconds = in_force["seconds"].as_f64().expect("seconds");
    let of_seconds = in_force["of_seconds"].as_f64().expect("seconds");
    let was = was_there(&fight.scene, since, until).as_secs_f64();
    let seed = fight.seed;
    assert!((of_seconds - until.duration_since(since).as_secs_f64()).abs() < 0.01, "{in_force}");
    assert!(of_seconds > 1.0 && seconds < of_seconds, "seed {seed}: {in_force}");
    let gaps = in_force["gaps"].as_array().expect("gaps");
    // What was put last counts until somebody looks. Both record a moment between a request and its answer.
    let put_last = gaps.last().map_or(since, |gap| gap["to"].as_str().map_or(until, |_| time(&gap["to"])));
    let more = until.duration_since(put_last).as_secs_f64() + 0.5;
    assert!(seconds <= was + more, "seed {seed}: it was there for {was} s: {in_force}");
    assert!(gaps.len() >= 2, "seed {seed}: {in_force}");
}

/// For how long the deny was there in this time, by the emulator's record of calls.
fn was_there(scene: &Scene, since: Timestamp, until: Timestamp) -> SignedDuration {
    let mut there: Option<Timestamp> = None;
    let mut sum = SignedDuration::ZERO;
    let mut add = |from: Timestamp, to: Timestamp| {
        sum += to.min(until).duration_since(from.max(since)).max(SignedDuration::ZERO);
    };
    for (operation, at) in changes_of_the_deny(scene) {
        if operation == "PutRolePolicy" {
            there.get_or_insert(at);
        } else if let Some(from) = there.take() {
            add(from, at);
        }
    }
    if let Some(from) = there {
        add(from, until);
    }
    sum
}

/// The accepted calls that put the deny and took it away, and when they came.
fn changes_of_the_deny(scene: &Scene) -> Vec<(String, Timestamp)> {
    let is_one = |call: &Value| {
        let (params, is_accepted) = (&call["params"], call["status"] == 200);
        let is_change = call["operation"] == "PutRolePolicy" || call["operation"] == "DeleteRolePolicy";
        is_accepted && is_change && params["RoleName"] == "web" && params["PolicyName"] == POLICY
    };
    let calls = scene.calls().into_iter().filter(is_one);
    calls.map(|call| (call["operation"].as_str().unwrap_or_default().to_owned(), time(&call["at"]))).collect()
}

#[test]
fn with_the_seal_a_thief_with_rights_in_iam_is_out_within_seconds() {
    fight_often(2, 50, sealed);
}

#[test]
fn without_the_seal_each_removal_is_put_back_and_nothing_calls_that_revoked() {
    fight_often(1, 10, unsealed);
}
